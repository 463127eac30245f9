//! `reasoning_content`: what a thinking model thought before it called a tool.
//!
//! While thinking is on, Moonshot refuses an assistant's message with tool calls that
//! has no `reasoning_content` (live reports, `thinking is enabled but
//! reasoning_content is missing in assistant tool call message at index 2`). With
//! `thinking.keep` set to `all`, and always on K2.7, every assistant's message needs
//! it (documented). OpenAI's clients drop the field or put it elsewhere; where it is
//! found, it is moved (live reports):
//!
//! 1. `reasoning` (OpenRouter, vLLM);
//! 2. `reasoning_content` in `provider_specific_fields` (LiteLLM);
//! 3. the texts in `reasoning_details` (OpenRouter);
//! 4. parts of the content of type `thinking` or `reasoning`, which leave it;
//! 5. `reasoning_content` in a text part of the content (OpenAI's agents SDK).
//!
//! If it is nowhere, one space is inserted, as Moonshot's own clients do. It is a last
//! resort, and [`Report::lost_thoughts`](crate::Report::lost_thoughts) counts it: the
//! model has forgotten what it thought, but any words would be imitated by it (live
//! reports).

use super::{
    change::Place,
    chat::{MessageField, PartKind, Role},
    draft::Draft,
};
use crate::json::{Kind, Member, Span, Str, Text, Value};

const MOVED: &str = "the reasoning belongs into reasoning_content";
const NOT_CONTENT: &str = "the reasoning is no content";
/// The reason of a change that inserted a space.
pub(super) const LOST: &str = "the reasoning is required and was nowhere found";

const REASONING_CONTENT: &str = MessageField::ReasoningContent.name();

pub(super) fn apply(draft: &mut Draft<'_>) {
    if !draft.thinks || !draft.any_message_is(Role::Assistant) {
        return;
    }
    let keeps_all = draft.keeps_all_reasoning();
    if !keeps_all && !draft.any_message_has(MessageField::ToolCalls) {
        return;
    }
    let mut contents_changed = false;
    for index in 0..draft.message_count() {
        if draft.role(index) == Some(Role::Assistant) && (keeps_all || draft.calls_tools(index)) {
            contents_changed |= repair(draft, index);
        }
    }
    if contents_changed {
        draft.look_at_contents_again();
    }
}

/// Sees to it that a message has its reasoning. Whether parts were removed from its
/// content for that.
fn repair(draft: &mut Draft<'_>, index: usize) -> bool {
    let present = draft.message_field(index, MessageField::ReasoningContent);
    let missing = present.is_none_or(|present| match present.value.kind {
        Kind::Null => true,
        Kind::String => says_something(present.value).is_none(),
        _ => false,
    });
    if !missing {
        return false;
    }
    let has_moved = rename(draft, index, present)
        || take_provider_specific(draft, index, present)
        || take_details(draft, index, present);
    let from_content = !has_moved && draft.contents().any_part_thinks;
    let parts_removed = from_content && take_parts(draft, index, present);
    let place = Place::message(index, MessageField::ReasoningContent);
    if has_moved || parts_removed || from_content && take_from_part(draft, index, present) {
        draft.note(place, MOVED);
    } else {
        put(draft, index, present, [Text::Static("\" \"")]);
        draft.note(place, LOST);
    }
    parts_removed
}

/// The string, if it is one that isn't empty.
fn says_something(value: Value) -> Option<Str> {
    value.as_str().filter(|string| !string.is_empty())
}

/// The string under this name in an object, if it isn't empty.
fn text(draft: &Draft<'_>, object: Value, name: &str) -> Option<Str> {
    says_something(draft.member(object, name)?.value)
}

/// Puts the texts, which are one string, where they are expected.
fn put(
    draft: &mut Draft<'_>,
    index: usize,
    present: Option<Member>,
    texts: impl IntoIterator<Item = Text>,
) {
    if let Some(present) = present {
        draft.edits().replace_by_all(present.value.span, texts);
        return;
    }
    let message = draft.message(index).span;
    let mut texts = texts.into_iter();
    if let Some(first) = texts.next() {
        let key = MessageField::ReasoningContent.key();
        draft.edits().append_member(message, key, first);
    }
    for text in texts {
        draft.edits().extend(message, text);
    }
}

/// The strings as one, in slices of the body: nothing is copied.
fn joined(draft: &Draft<'_>, strings: &[Str]) -> Vec<Text> {
    let last = strings.len() - 1;
    let strings = strings.iter().enumerate();
    strings
        .map(|(number, string)| {
            let mut span = string.span;
            // Of all quotes the first and the last are left.
            span.start += u32::from(number > 0);
            span.end -= u32::from(number < last);
            draft.slice(span)
        })
        .collect()
}

/// Makes `found` the member that was missing: only its key changes, because the text
/// may be long.
fn rename_to(draft: &mut Draft<'_>, found: Member, present: Option<Member>) {
    draft.edits().replace(found.key, "\"reasoning_content\"");
    if let Some(present) = present {
        draft.edits().remove(present.span());
    }
}

fn rename(draft: &mut Draft<'_>, index: usize, present: Option<Member>) -> bool {
    let found = draft
        .message_field(index, MessageField::Reasoning)
        .filter(|reasoning| says_something(reasoning.value).is_some());
    if let Some(found) = found {
        rename_to(draft, found, present);
    }
    found.is_some()
}

fn take_provider_specific(draft: &mut Draft<'_>, index: usize, present: Option<Member>) -> bool {
    let Some(fields) = draft.message_field(index, MessageField::ProviderSpecificFields) else {
        return false;
    };
    let Some(found) = text(draft, fields.value, REASONING_CONTENT) else {
        return false;
    };
    draft.remove_members(fields.value, REASONING_CONTENT);
    let found = joined(draft, &[found]);
    put(draft, index, present, found);
    true
}

fn take_details(draft: &mut Draft<'_>, index: usize, present: Option<Member>) -> bool {
    let Some(details) = draft.message_field(index, MessageField::ReasoningDetails) else {
        return false;
    };
    let texts: Vec<Str> = draft
        .elements(details.value)
        .into_iter()
        .filter_map(|detail| text(draft, detail, "text"))
        .collect();
    if texts.is_empty() {
        return false;
    }
    draft.join(details.value.span, &texts);
    rename_to(draft, details, present);
    let place = Place::message(index, MessageField::ReasoningDetails);
    draft.note(place, MOVED);
    true
}

/// Takes the parts that are thoughts out of the content, if they say something.
fn take_parts(draft: &mut Draft<'_>, index: usize, present: Option<Member>) -> bool {
    let thoughts: Vec<(usize, Option<Str>)> = draft
        .parts(index)
        .iter()
        .enumerate()
        .filter(|(_, part)| matches!(part.kind, PartKind::Thought))
        .map(|(number, part)| (number, thought(draft, part.span)))
        .collect();
    let texts: Vec<Str> = thoughts.iter().filter_map(|(_, text)| *text).collect();
    if texts.is_empty() {
        return false;
    }
    let texts = joined(draft, &texts);
    put(draft, index, present, texts);
    for (number, _) in thoughts {
        draft.remove_part(index, number);
        draft.note(Place::part(index, number), NOT_CONTENT);
    }
    true
}

/// What a part of type `thinking` or `reasoning` says. Which of these keys holds it
/// differs from API to API.
fn thought(draft: &Draft<'_>, part: Span) -> Option<Str> {
    let part = object(part);
    ["thinking", "reasoning", "text"]
        .into_iter()
        .find_map(|name| text(draft, part, name))
}

/// Moves the `reasoning_content` that a text part has.
fn take_from_part(draft: &mut Draft<'_>, index: usize, present: Option<Member>) -> bool {
    let found = draft
        .parts(index)
        .iter()
        .enumerate()
        .filter(|(_, part)| part.text().is_some())
        .find_map(|(number, part)| {
            let part = object(part.span);
            Some((number, part, text(draft, part, REASONING_CONTENT)?))
        });
    let Some((number, part, found)) = found else {
        return false;
    };
    draft.remove_members(part, REASONING_CONTENT);
    draft.note(Place::part(index, number), NOT_CONTENT);
    let found = joined(draft, &[found]);
    put(draft, index, present, found);
    true
}

const fn object(span: Span) -> Value {
    Value {
        kind: Kind::Object,
        span,
        escaped: false,
    }
}
