//! `empty_content`: messages that say nothing.
//!
//! Moonshot refuses a user's or assistant's message without content, and empty
//! text parts (live reports, `the message at position 1 with role 'assistant'
//! must not be empty`, `text content is empty`). An empty message gets one space,
//! which changes no answer that is known of (judgement); it can't be left out,
//! because that could put two messages of one role next to each other. Tool calls
//! and prefills (`partial`) may be empty.

use super::{
    Rule,
    change::Place,
    chat::{MessageField, Part, Role},
    content,
    draft::Draft,
};
use crate::json::{Kind, Str, Text};

const NOT_EMPTY: &str = "an empty message is refused";
const NO_EMPTY_PART: &str = "an empty text part is refused";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if !draft.contents.any_may_be_empty() {
        return;
    }
    let arrays_stay = !content::makes_strings(draft);
    for index in 0..draft.message_count() {
        if fills(draft, index) {
            fill(draft, index);
        } else if arrays_stay {
            remove_empty_parts(draft, index);
        }
    }
}

/// Whether this rule is on and gives the message some content.
pub(super) fn fills(draft: &Draft<'_>, index: usize) -> bool {
    let may_be_absent = match draft.role(index) {
        Some(Role::Assistant) => true,
        Some(Role::User) => false,
        _ => return false,
    };
    let is_empty = match draft.message_field(index, MessageField::Content) {
        None => may_be_absent,
        Some(content) => match content.value.kind {
            Kind::Null => may_be_absent,
            Kind::String => content.value.as_str().is_some_and(Str::is_empty),
            Kind::Array => draft.parts(index).iter().all(Part::is_empty_text),
            _ => false,
        },
    };
    is_empty
        && draft.settings.is_on(Rule::EmptyContent)
        && !has_calls(draft, index)
        && !draft.is_partial(index)
}

/// Whether there are tool calls, or something else in their place that is for
/// Moonshot to judge.
fn has_calls(draft: &Draft<'_>, index: usize) -> bool {
    draft
        .message_field(index, MessageField::ToolCalls)
        .is_some_and(|calls| match calls.value.kind {
            Kind::Null => false,
            Kind::Array => draft.calls_tools(index),
            _ => true,
        })
}

fn fill(draft: &mut Draft<'_>, index: usize) {
    match draft.message_field(index, MessageField::Content) {
        Some(content) => draft.edits().replace(content.value.span, "\" \""),
        None => {
            let message = draft.message(index).span;
            draft
                .edits()
                .append(message, Text::Static("\"content\":\" \""));
        }
    }
    draft.note(Place::message(index, MessageField::Content), NOT_EMPTY);
}

/// In an array that stays, takes out the parts that are empty texts. Of an array
/// with nothing else, `""` is left: what it would be without its brackets.
fn remove_empty_parts(draft: &mut Draft<'_>, index: usize) {
    let Some(content) = draft.message_field(index, MessageField::Content) else {
        return;
    };
    let count = draft.parts(index).len();
    if count > 0 && draft.parts(index).iter().all(Part::is_empty_text) {
        draft.edits().replace(content.value.span, "\"\"");
        draft.note(Place::message(index, MessageField::Content), NO_EMPTY_PART);
        return;
    }
    for number in 0..count {
        let part = draft.parts(index)[number];
        if part.is_empty_text() {
            draft.edits().remove(part.span);
            draft.note(Place::part(index, number), NO_EMPTY_PART);
        }
    }
}
