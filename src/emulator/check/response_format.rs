//! Checks `response_format`.

use serde_json::Value;

use super::{
    super::{error::type_of, facts, finding::Findings, place::Place, schema},
    Object,
    field::{self, Reported},
};

pub(super) fn check(body: &Object, findings: &mut Findings) {
    let Ok(Some(format)) = field::object(body, "response_format", &Place::ROOT, findings) else {
        return;
    };
    let place = Place::ROOT.key("response_format");
    match field::string(format, "type", &place, findings) {
        Ok(Some("text" | "json_object")) | Err(Reported) => {}
        Ok(Some("json_schema")) => check_json_schema(format, &place, findings),
        Ok(other) => {
            let values = [other.unwrap_or_default()];
            findings.add(&facts::FORMAT_TYPE, &place.key("type"), &values);
        }
    }
}

fn check_json_schema(format: &Object, place: &Place<'_>, findings: &mut Findings) {
    let json_schema = match field::object(format, "json_schema", place, findings) {
        Ok(Some(json_schema)) => json_schema,
        Ok(None) => {
            findings.add(&facts::JSON_SCHEMA_MISSING, place, &[]);
            return;
        }
        Err(Reported) => return,
    };
    let place = place.key("json_schema");
    if let Ok(None) = field::string(json_schema, "name", &place, findings) {
        findings.add(&facts::JSON_SCHEMA_NAME, &place.key("name"), &[]);
    }
    // Documented: a schema is strict unless the request says otherwise, and one
    // that isn't may be outside the dialect.
    let strict = match json_schema.get("strict") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(strict)) => *strict,
        Some(other) => {
            let place = place.key("strict");
            findings.add(&facts::STRICT_NOT_A_BOOLEAN, &place, &[type_of(other)]);
            true
        }
    };
    let schema_place = place.key("schema");
    let schema = match json_schema.get("schema") {
        None | Some(Value::Null) => {
            findings.add(&facts::FORMAT_SCHEMA_MISSING, &schema_place, &[]);
            return;
        }
        Some(schema @ Value::Object(_)) => schema,
        Some(other) => {
            findings.add(&facts::FORMAT_SCHEMA_TYPE, &schema_place, &[type_of(other)]);
            return;
        }
    };
    if !strict {
        return;
    }
    for error in schema::faults(schema, findings.left()) {
        let place = schema_place.pointer(error.pointer());
        findings.add(&facts::FORMAT_DIALECT, &place, &[&error.to_string()]);
    }
}
