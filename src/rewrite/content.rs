//! `content`: replaces content arrays that hold only text by strings.
//!
//! Moonshot's older text models refuse content arrays. If every array of a request
//! holds only text, each is replaced by one string: its texts, joined without a
//! separator, with their escapes unchanged. If any part in the request is not text, the
//! model must be one that accepts arrays, and all arrays stay. LiteLLM does the same,
//! and its users rely on it (live reports).

use super::{change::Place, chat::MessageField, draft::Draft};
use crate::json::Kind;

const TEXT_ONLY: &str = "content that is only text is sent as one string";

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
        // The rule `empty_content` gives a space to a message without any text.
        if !contents.any_may_be_empty() || !draft.fills(index) {
            draft.join_content(index, content.value.span);
            draft.note(Place::message(index, MessageField::Content), TEXT_ONLY);
        }
    }
}
