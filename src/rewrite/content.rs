//! `content`: arrays of nothing but text become strings.
//!
//! Moonshot's older text models refuse content arrays. Where every array of a request
//! holds only text, each becomes one string: the texts, joined with nothing between,
//! exactly as they are escaped. A single part that is no text, anywhere in the
//! request, means that the model is one that accepts arrays, and all of them stay.
//! This is what LiteLLM does, and what its users rely on (live reports).

use super::{change::Place, chat::MessageField, draft::Draft};
use crate::json::Kind;

const TEXT_ONLY: &str = "text alone is sent as a string";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let contents = draft.contents();
    if !contents.any_array || !draft.makes_strings() {
        return;
    }
    for index in 0..draft.message_count() {
        if draft.parts(index).is_empty() && !contents.any_is_nothing {
            continue;
        }
        let content = draft.message_field(index, MessageField::Content);
        let Some(content) = content.filter(|content| content.value.kind == Kind::Array) else {
            continue;
        };
        // A message without any text gets one from the rule for empty content.
        if !contents.any_may_be_empty() || !draft.fills(index) {
            draft.join_content(index, content.value.span);
            draft.note(Place::message(index, MessageField::Content), TEXT_ONLY);
        }
    }
}
