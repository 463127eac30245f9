//! `model`: the id that Moonshot knows.
//!
//! Routers and catalogues write `moonshot/kimi-k3`; Moonshot answers 404 to
//! that (live reports). An alias is what the caller's clients call a model.

use super::{change::Place, chat::Field, draft::Draft};
use crate::{
    json::{Span, Text},
    model::provider_prefix,
};

const ALIAS: &str = "the name is an alias";
const PREFIX: &str = "Moonshot knows the id without the prefix";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(model) = draft.field(Field::Model).map(|model| model.value) else {
        return;
    };
    let Some(id) = draft.string(model) else {
        return;
    };
    let prefix = provider_prefix(&id);
    let settings = draft.settings;
    let alias = settings
        .alias(&id)
        .or_else(|| settings.alias(&id[prefix..]));
    if let Some(upstream) = alias {
        draft.set_family(upstream);
        // Ids are plain nearly always; if not, the string needs escapes.
        let quoted = serde_json::Value::from(upstream).to_string();
        draft.edits().replace(model.span, Text::from(quoted));
        draft.note(Place::Field(Field::Model), ALIAS);
    } else if prefix > 0 {
        let prefix = Span {
            start: model.span.start + 1,
            end: model.span.start + 1 + escaped_length(draft.raw(model.span), prefix),
        };
        draft.edits().cut(prefix);
        draft.note(Place::Field(Field::Model), PREFIX);
    }
}

/// How many bytes of a quoted string its first `length` characters take, which
/// are ASCII: `moonshot\/` is one longer than what it says.
fn escaped_length(quoted: &[u8], length: usize) -> u32 {
    let mut taken = 0;
    for _ in 0..length {
        taken += match quoted.get(1 + taken..) {
            Some([b'\\', b'u', ..]) => 6,
            Some([b'\\', ..]) => 2,
            _ => 1,
        };
    }
    Span::new(0, taken).end
}
