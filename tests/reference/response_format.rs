//! `response_format`.

use serde_json::Value;

use super::{Family, Object, Reference, get};

pub(super) fn response_format(_: &Reference, _: Family, request: &mut Object) {
    let Some(Value::Object(format)) = request.get_mut("response_format") else {
        return;
    };
    if get(format, "type") != "json_schema" {
        return;
    }
    let Some(Value::Object(described)) = format.get_mut("json_schema") else {
        return;
    };
    if get(described, "name").is_null() {
        described.insert("name".into(), "response".into());
    }
    match described.get("strict") {
        Some(Value::Bool(false)) => {
            let schema = described.get_mut("schema").and_then(Value::as_object_mut);
            schema.and_then(|schema| schema.remove("$schema"));
        }
        Some(Value::Bool(true)) => {}
        _ => drop(described.remove("strict")),
    }
}
