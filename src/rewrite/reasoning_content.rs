//! `reasoning_content`: what a thinking model thought before it called a tool.
//!
//! While thinking is on, Moonshot refuses an assistant's message with tool calls
//! that has no `reasoning_content`, and with `thinking.keep` set to `all` any
//! assistant's message without (live reports, `thinking is enabled but
//! reasoning_content is missing in assistant tool call message at index 2`).
//! OpenAI's clients drop the field, or keep it as `reasoning` (OpenRouter, vLLM)
//! or in `provider_specific_fields` (LiteLLM). If the thought is found there, it
//! is moved; else one space is put in, as Moonshot's own clients do.

use super::{
    Rule,
    change::Place,
    chat::{Field, MessageField, Role},
    draft::Draft,
};
use crate::{
    json::{Kind, Member, Text, Value},
    model::ThinkingParam,
};

const MOVED: &str = "the reasoning is expected here";
const MISSING: &str = "the model refuses tool calls without reasoning";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if !draft.thinks {
        return;
    }
    let keeps_all = keeps_all(draft);
    if !keeps_all && !draft.any_message_has(MessageField::ToolCalls) {
        return;
    }
    for index in 0..draft.message_count() {
        if draft.role(index) == Some(Role::Assistant) && (keeps_all || draft.calls_tools(index)) {
            fill(draft, index);
        }
    }
}

/// Whether the model will be told to keep the reasoning of every message.
fn keeps_all(draft: &Draft<'_>) -> bool {
    let refused = draft.family.thinking_param == ThinkingParam::NoKeep
        && draft.settings.is_on(Rule::Thinking);
    !refused
        && draft.field(Field::Thinking).is_some()
        && draft
            .thinking_member("keep")
            .is_some_and(|keep| draft.is_string(keep.value, "all"))
}

fn fill(draft: &mut Draft<'_>, index: usize) {
    let present = draft.message_field(index, MessageField::ReasoningContent);
    let missing = present.is_none_or(|present| match present.value.kind {
        Kind::Null => true,
        Kind::String => !says_something(present.value),
        _ => false,
    });
    if !missing {
        return;
    }
    let place = Place::message(index, MessageField::ReasoningContent);
    if let Some(reasoning) = reasoning(draft, index) {
        // Only the key changes: the text may be long.
        draft
            .edits()
            .replace(reasoning.key, "\"reasoning_content\"");
        if let Some(present) = present {
            draft.edits().remove(present.span());
        }
        draft.note(place, MOVED);
        return;
    }
    if let Some(moved) = take_provider_specific(draft, index) {
        put(draft, index, present, moved);
        draft.note(place, MOVED);
        return;
    }
    put(draft, index, present, Text::Static("\" \""));
    draft.note(place, MISSING);
}

fn says_something(value: Value) -> bool {
    value.as_str().is_some_and(|string| !string.is_empty())
}

fn reasoning(draft: &Draft<'_>, index: usize) -> Option<Member> {
    draft
        .message_field(index, MessageField::Reasoning)
        .filter(|reasoning| says_something(reasoning.value))
}

/// Takes the reasoning, with its quotes, out of `provider_specific_fields`.
fn take_provider_specific(draft: &mut Draft<'_>, index: usize) -> Option<Text> {
    const NAME: &str = MessageField::ReasoningContent.name();
    let fields = draft.message_field(index, MessageField::ProviderSpecificFields)?;
    let found = draft.member(fields.value, NAME)?.value;
    if !says_something(found) {
        return None;
    }
    draft.remove_members(fields.value, NAME);
    Some(draft.slice(found.span))
}

fn put(draft: &mut Draft<'_>, index: usize, present: Option<Member>, value: Text) {
    match present {
        Some(present) => draft.edits().replace(present.value.span, value),
        None => {
            let message = draft.message(index).span;
            let key = MessageField::ReasoningContent.key();
            draft.edits().append_member(message, key, value);
        }
    }
}
