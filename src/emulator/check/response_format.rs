//! The form of the answer.

use super::{
    super::{error::ApiError, schema::check_schema},
    Object, field,
};

pub(super) fn check(body: &Object) -> Result<(), ApiError> {
    let Some(format) = field::object(body, "response_format")? else {
        return Ok(());
    };
    match field::string(format, "type")? {
        Some("text" | "json_object") => Ok(()),
        Some("json_schema") => check_json_schema(format),
        other => Err(ApiError::invalid(format!(
            "Invalid request: response_format.type '{}' is unknown, only text, json_object and \
             json_schema are allowed",
            other.unwrap_or_default()
        ))),
    }
}

fn check_json_schema(format: &Object) -> Result<(), ApiError> {
    let Some(json_schema) = field::object(format, "json_schema")? else {
        return Err(ApiError::invalid(
            "Invalid request: response_format.json_schema is required",
        ));
    };
    let Some(schema) = json_schema.get("schema") else {
        return Err(ApiError::invalid(
            "Invalid request: response_format.json_schema.schema is required",
        ));
    };
    check_schema(schema).map_err(|error| {
        ApiError::invalid(format!(
            "Invalid request: response_format.json_schema is not a valid moonshot flavored json \
             schema, details: <{error}>"
        ))
    })
}
