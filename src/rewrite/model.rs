//! `model`: replaces aliases and prefixed names by the id that Moonshot knows.
//!
//! Routers and catalogues write `moonshot/kimi-k3`, which Moonshot answers with 404
//! (live reports). An alias is a name that clients use for a model.

use super::{change::Place, chat::Field, draft::Draft};
use crate::{
    ModelAliases,
    json::{Span, Text},
    model::provider_prefix,
};

const ALIAS: &str = "the name is an alias";
const TARGET: &str = "the request's extensions name the model";
const PREFIX: &str = "Moonshot's model ids have no provider prefix";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if let Some(target) = draft.overrides.target {
        return retarget(draft, target.id());
    }
    let Some(model) = draft.field(Field::Model).map(|model| model.value) else {
        return;
    };
    let Some(id) = draft.string(model) else {
        return;
    };
    let prefix = provider_prefix(&id);
    let settings = draft.settings;
    let aliases = draft.overrides.aliases.unwrap_or(&settings.aliases);
    if let Some(upstream) = alias(aliases, &id, prefix) {
        draft.set_family(upstream);
        draft.edits().replace(model.span, quoted(upstream));
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

/// The id that an alias stands for, with or without a provider prefix.
fn alias<'a>(aliases: &'a ModelAliases, name: &[u8], prefix: usize) -> Option<&'a str> {
    if aliases.is_empty() {
        return None;
    }
    let name = std::str::from_utf8(name).ok()?;
    aliases.get(name).or_else(|| aliases.get(&name[prefix..]))
}

/// Replaces the model of the request, whatever its body names.
fn retarget(draft: &mut Draft<'_>, id: &str) {
    draft.set_family(id);
    let sent = draft.field(Field::Model).map(|model| model.value);
    if sent.is_some_and(|sent| draft.is_string(sent, id)) {
        return;
    }
    match sent {
        Some(sent) => draft.edits().replace(sent.span, quoted(id)),
        None => draft.append_field(Field::Model, quoted(id)),
    }
    draft.note(Place::Field(Field::Model), TARGET);
}

/// An id as a JSON string. Nearly all ids need no escapes.
fn quoted(id: &str) -> Text {
    Text::from(serde_json::Value::from(id).to_string())
}

/// The number of bytes that the first `length` characters of a quoted string take. They
/// are ASCII, but may be escaped: `moonshot\/` takes one byte more than `moonshot/`.
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
