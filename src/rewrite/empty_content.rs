//! `empty_content`: fills messages without content, and removes empty text parts.
//!
//! Moonshot refuses user, assistant and system messages without content, and empty text
//! parts (live reports, `the message at position 1 with role 'assistant' must not be
//! empty`, `text content is empty`). An empty message gets one space, which is not known
//! to change any answer (judgement). The message can't be removed, because that could put
//! two messages of one role next to each other.
//!
//! The content of messages with tool calls and of prefills (`partial`) may be empty, but
//! not an empty array (a peer's test). A system message that carries `tools` has to be
//! empty (vendor's suite).

use super::{
    change::Place,
    chat::{MessageField, Part},
    draft::Draft,
};
use crate::json::Kind;

const NOT_EMPTY: &str = "an empty message is refused";
const NO_EMPTY_PART: &str = "an empty text part is refused";
const NO_EMPTY_ARRAY: &str = "an empty content array is refused";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if !draft.contents().any_may_be_empty() {
        return;
    }
    let arrays_stay = !draft.makes_strings();
    for index in 0..draft.message_count() {
        if draft.fills(index) {
            fill(draft, index);
        } else if arrays_stay {
            remove_empty_parts(draft, index);
        }
    }
}

fn fill(draft: &mut Draft<'_>, index: usize) {
    match draft.message_field(index, MessageField::Content) {
        Some(content) => draft.edits().replace(content.value.span, "\" \""),
        None => {
            let message = draft.message(index).span;
            let key = MessageField::Content.key();
            draft.edits().append_member(message, key, "\" \"");
        }
    }
    draft.note(Place::message(index, MessageField::Content), NOT_EMPTY);
}

/// Removes the empty text parts of an array that stays. An array without any other
/// part is replaced by `""`.
fn remove_empty_parts(draft: &mut Draft<'_>, index: usize) {
    let content = draft.message_field(index, MessageField::Content);
    let Some(content) = content.filter(|content| content.value.kind == Kind::Array) else {
        return;
    };
    let count = draft.parts(index).len();
    if draft.parts(index).iter().all(Part::says_nothing) {
        if count > 0 || draft.has_calls(index) {
            draft.edits().replace(content.value.span, "\"\"");
            draft.note(Place::message(index, MessageField::Content), NO_EMPTY_ARRAY);
        }
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
