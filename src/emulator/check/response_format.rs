//! Checks `response_format`.

use serde_json::Value;

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
    let json_schema =
        field::object(format, "json_schema")?.ok_or_else(|| missing("json_schema"))?;
    if field::string(json_schema, "name")?.is_none() {
        return Err(missing("json_schema.name"));
    }
    // Documented: a schema is strict unless the request says otherwise, and one
    // that isn't may be outside the dialect.
    let strict = field::boolean(json_schema, "strict")?.unwrap_or(true);
    let schema = match json_schema.get("schema") {
        None | Some(Value::Null) => return Err(missing("json_schema.schema")),
        Some(schema @ Value::Object(_)) => schema,
        Some(other) => {
            return Err(ApiError::wrong_type(
                "response_format.json_schema.schema",
                "type object",
                other,
            ));
        }
    };
    if !strict {
        return Ok(());
    }
    check_schema(schema).map_err(|error| {
        ApiError::invalid(format!(
            "Invalid request: response_format.json_schema is not a valid moonshot flavored json \
             schema, details: <{error}>"
        ))
    })
}

fn missing(field: &str) -> ApiError {
    ApiError::invalid(format!(
        "Invalid request: response_format.{field} is required"
    ))
}
