//! `content`: arrays of nothing but text become strings.
//!
//! Moonshot's text models refuse content arrays. Where every array of a request
//! holds only text, each becomes one string: the texts, joined with nothing
//! between, exactly as they are escaped. A single part that is no text, anywhere
//! in the request, means that the model is one that takes arrays, and all of
//! them stay. This is what LiteLLM does, and what its users rely on (live).

use super::{
    Rule,
    change::Place,
    chat::MessageField,
    draft::Draft,
    empty_content,
};
use crate::json::{Kind, Span, Value};

const TEXT_ONLY: &str = "text alone is sent as a string";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if !makes_strings(draft) {
        return;
    }
    for index in 0..draft.message_count() {
        let content = draft.message_field(index, MessageField::Content);
        let Some(content) = content.filter(|content| content.value.kind == Kind::Array) else {
            continue;
        };
        // A message without any text gets one from the rule for empty content.
        if !empty_content::fills(draft, index) {
            join(draft, index, content.value);
            draft.note(Place::Message(index, MessageField::Content), TEXT_ONLY);
        }
    }
}

/// Whether the arrays of this request become strings.
pub(super) fn makes_strings(draft: &Draft<'_>) -> bool {
    draft.settings.is_on(Rule::Content) && draft.all_parts().iter().all(|part| part.text.is_some())
}

/// Cuts away everything but the texts, the first one's opening quote and the
/// last one's closing quote.
fn join(draft: &mut Draft<'_>, index: usize, content: Value) {
    let mut from = content.span.start;
    let mut first = true;
    for part in 0..draft.parts(index).len() {
        let Some(text) = draft.parts(index)[part].text.map(|text| text.span) else {
            continue;
        };
        let end = if first { text.start } else { text.start + 1 };
        draft.edits().cut(Span { start: from, end });
        first = false;
        from = text.end - 1;
    }
    if first {
        draft.edits().replace(content.span, "\"\"");
    } else {
        draft.edits().cut(Span {
            start: from + 1,
            end: content.span.end,
        });
    }
}
