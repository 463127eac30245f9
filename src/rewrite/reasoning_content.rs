//! `reasoning_content`: supplies the thoughts that a thinking model requires.
//!
//! While thinking is enabled, Moonshot refuses an assistant message with tool calls but
//! without `reasoning_content` (live reports, `thinking is enabled but reasoning_content
//! is missing in assistant tool call message at index 2`). With `thinking.keep` set to
//! `all`, and always on K2.7, every assistant message needs it (documented). OpenAI's
//! clients drop the field or put it elsewhere (live reports). It is moved from the first
//! of these places that has it:
//!
//! 1. `reasoning` (OpenRouter, vLLM);
//! 2. `reasoning_content` in `provider_specific_fields` (LiteLLM);
//! 3. the texts in `reasoning_details` (OpenRouter);
//! 4. content parts of type `thinking` or `reasoning`, which are removed;
//! 5. `reasoning_content` in a text part (OpenAI's agents SDK).
//!
//! If none has it, one space is inserted, as Moonshot's own clients do. This is a last
//! resort, which [`Report::lost_thoughts`](crate::Report::lost_thoughts) counts: the
//! model can't see what it thought. Words in its place would be imitated by the model
//! (live reports).

use super::{
    change::{LOST_THOUGHTS, Place},
    chat::{MessageField, PartKind, Role},
    draft::Draft,
};
use crate::json::{Kind, Member, Span, Str, Text, Value};

const MOVED: &str = "reasoning belongs in reasoning_content";
const NOT_CONTENT: &str = "reasoning is not part of the content";

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
        draft.update_contents();
    }
}

/// Gives a message its reasoning, if it has none. Returns whether parts of its content
/// were removed for that.
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
        draft.note(place, LOST_THOUGHTS);
    }
    parts_removed
}

/// The value as a string that isn't empty.
fn says_something(value: Value) -> Option<Str> {
    value.as_str().filter(|string| !string.is_empty())
}

/// The string under this name in an object, if it isn't empty.
fn text(draft: &Draft<'_>, object: Value, name: &str) -> Option<Str> {
    says_something(draft.member(object, name)?.value)
}

/// Sets `reasoning_content` to a string, which is given in pieces.
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

/// Joins strings to one, as slices of the body: no text is copied.
fn joined(draft: &Draft<'_>, strings: &[Str]) -> Vec<Text> {
    let last = strings.len() - 1;
    let strings = strings.iter().enumerate();
    strings
        .map(|(number, string)| {
            let mut span = string.span;
            // Only the first and the last quote are kept.
            span.start += u32::from(number > 0);
            span.end -= u32::from(number < last);
            draft.slice(span)
        })
        .collect()
}

/// Renames `found` to `reasoning_content`. Its text, which may be long, is not copied.
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

/// Moves the texts of thought parts, and removes those parts, if any of them has a
/// text.
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

/// The text of a part of type `thinking` or `reasoning`. Its key differs from API to
/// API.
fn thought(draft: &Draft<'_>, part: Span) -> Option<Str> {
    let part = object(part);
    ["thinking", "reasoning", "text"]
        .into_iter()
        .find_map(|name| text(draft, part, name))
}

/// Moves the `reasoning_content` of the first text part that has one.
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
