//! `response_format`: the `name` and `strict` of a `json_schema`.
//!
//! Moonshot refuses a `json_schema` without a `name`, and a `strict` that is no
//! boolean (vendor's suite). What the name is makes no difference that is known of
//! (judgement). The schema itself is the business of the rule `tool_schema`, unless
//! `strict` is false: then it need not be of Moonshot's dialect (vendor's suite). All
//! that is taken out of it is its `$schema`, which spoils the answers of K2.5 (live
//! reports).

use super::{change::Place, draft::Draft, words::JsonSchemaField};
use crate::json::{Kind, Value};

const A_NAME: &str = "a schema needs a name";
const A_BOOLEAN: &str = "strict must be a boolean";
const NO_DIALECT: &str = "$schema spoils answers";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(format) = draft.json_schema() else {
        return;
    };
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
            Kind::False => remove_dialect(draft),
            _ => {
                draft.edits().remove(strict.span());
                draft.note(Place::JsonSchema(JsonSchemaField::Strict), A_BOOLEAN);
            }
        },
    }
}

fn remove_dialect(draft: &mut Draft<'_>) {
    let Some(schema) = draft.json_schema().and_then(|format| format.schema) else {
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
