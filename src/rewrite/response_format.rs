//! `response_format`: repairs the `name` and `strict` of a `json_schema`.
//!
//! Moonshot refuses a `json_schema` without a `name`, and a `strict` that is not a
//! boolean (vendor's suite). The name is not known to make a difference (judgement).
//!
//! The rule `tool_schema` repairs the schema itself, unless `strict` is false: such a
//! schema may be outside of Moonshot's dialect (vendor's suite). This rule only removes
//! its `$schema`, which makes K2.5 answer nonsense (live reports).

use super::{change::Place, chat::JsonSchema, draft::Draft, keys::JsonSchemaField};
use crate::json::{Kind, Value};

const A_NAME: &str = "json_schema needs a name";
const A_BOOLEAN: &str = "strict must be a boolean";
const NO_DIALECT: &str = "$schema makes some models answer nonsense";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if let Some(&format) = draft.json_schema() {
        repair(draft, format);
    }
}

fn repair(draft: &mut Draft<'_>, format: JsonSchema) {
    match format.name {
        Some(name) if name.value.kind != Kind::Null => {}
        absent => {
            match absent {
                Some(null) => draft.edits().replace(null.value.span, "\"response\""),
                None => draft
                    .edits()
                    .append_member(format.span, "\"name\":", "\"response\""),
            }
            draft.note(Place::JsonSchema(JsonSchemaField::Name), A_NAME);
        }
    }
    match format.strict {
        None => {}
        Some(strict) => match strict.value.kind {
            Kind::True => {}
            Kind::False => remove_dialect(draft, format),
            _ => {
                draft.edits().remove(strict.span());
                draft.note(Place::JsonSchema(JsonSchemaField::Strict), A_BOOLEAN);
            }
        },
    }
}

fn remove_dialect(draft: &mut Draft<'_>, format: JsonSchema) {
    let Some(schema) = format.schema else {
        return;
    };
    let schema = Value {
        kind: Kind::Object,
        span: schema.span,
        escaped: false,
    };
    if draft.member(schema, "$schema").is_some() {
        draft.remove_members(schema, "$schema");
        let place = "/response_format/json_schema/schema/$schema";
        draft.note(Place::written(place.to_owned()), NO_DIALECT);
    }
}
