//! Optional fields of one JSON type. Null counts as absent.

use serde_json::Value;

use super::{super::error::ApiError, Object};

fn present<'a>(body: &'a Object, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

pub(super) fn boolean(body: &Object, name: &str) -> Result<Option<bool>, ApiError> {
    match present(body, name) {
        None => Ok(None),
        Some(Value::Bool(yes)) => Ok(Some(*yes)),
        Some(other) => Err(ApiError::wrong_type(name, "type bool", other)),
    }
}

pub(super) fn number(body: &Object, name: &str) -> Result<Option<f64>, ApiError> {
    match present(body, name) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        Some(other) => Err(ApiError::wrong_type(name, "type number", other)),
    }
}

pub(super) fn string<'a>(body: &'a Object, name: &str) -> Result<Option<&'a str>, ApiError> {
    match present(body, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(ApiError::wrong_type(name, "type string", other)),
    }
}

pub(super) fn array<'a>(body: &'a Object, name: &str) -> Result<Option<&'a [Value]>, ApiError> {
    match present(body, name) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => Err(ApiError::wrong_type(name, "type array", other)),
    }
}

pub(super) fn object<'a>(body: &'a Object, name: &str) -> Result<Option<&'a Object>, ApiError> {
    match present(body, name) {
        None => Ok(None),
        Some(Value::Object(members)) => Ok(Some(members)),
        Some(other) => Err(ApiError::wrong_type(name, "type object", other)),
    }
}
