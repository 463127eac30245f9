//! `content`: arrays of nothing but text become strings.
//!
//! Moonshot's text models refuse content arrays. Where every array of a request
//! holds only text, each becomes one string: the texts, joined with nothing
//! between, exactly as they are escaped. A single part that is no text, anywhere
//! in the request, means that the model is one that takes arrays, and all of
//! them stay. This is what LiteLLM does, and what its users rely on (live).

use super::{Rule, change::Place, chat::MessageField, draft::Draft, empty_content};
use crate::json::{Kind, Span, Value};

const TEXT_ONLY: &str = "text alone is sent as a string";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if !draft.contents.any_array || !makes_strings(draft) {
        return;
    }
    let contents = draft.contents;
    for index in 0..draft.message_count() {
        if draft.parts(index).is_empty() && !contents.any_is_nothing {
            continue;
        }
        let content = draft.message_field(index, MessageField::Content);
        let Some(content) = content.filter(|content| content.value.kind == Kind::Array) else {
            continue;
        };
        // A message without any text gets one from the rule for empty content.
        if !contents.any_may_be_empty() || !empty_content::fills(draft, index) {
            join(draft, index, content.value);
            draft.note(Place::message(index, MessageField::Content), TEXT_ONLY);
        }
    }
}

/// Whether the arrays of this request become strings.
pub(super) fn makes_strings(draft: &Draft<'_>) -> bool {
    draft.settings.is_on(Rule::Content) && !draft.contents.any_part_is_other
}

/// Cuts away everything but the texts, the first one's opening quote and the
/// last one's closing quote.
fn join(draft: &mut Draft<'_>, index: usize, content: Value) {
    let (parts, edits) = draft.parts_and_edits(index);
    let mut texts = parts.iter().filter_map(|part| part.text);
    let Some(first) = texts.next() else {
        edits.replace(content.span, "\"\"");
        return;
    };
    edits.cut(Span {
        start: content.span.start,
        end: first.span.start,
    });
    let mut last = first;
    for text in texts {
        edits.cut(Span {
            start: last.span.end - 1,
            end: text.span.start + 1,
        });
        last = text;
    }
    edits.cut(Span {
        start: last.span.end,
        end: content.span.end,
    });
}
