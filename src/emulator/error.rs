//! Moonshot's error answers.

use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

use super::{body::EmulatorBody, facts::INVALID_REQUEST};

/// An error answer.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    header: Option<(header::HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            header: None,
        }
    }

    /// A request that Moonshot refuses, with 400.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_REQUEST, message)
    }

    pub(super) fn no_route(path: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            INVALID_REQUEST,
            format!("Invalid URL: nothing answers at {path}"),
        )
    }

    pub(super) fn no_method(allowed: &'static str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            INVALID_REQUEST,
            format!("Not allowed to use that method here, only {allowed}"),
        )
        .with_header(header::ALLOW, HeaderValue::from_static(allowed))
    }

    pub(super) fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The body of the answer. A stream that fails half-way ends with it too.
    pub(super) fn to_json(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind}})
    }

    pub(super) fn into_response(self) -> Response<EmulatorBody> {
        let mut response = Response::new(EmulatorBody::json(&self.to_json()));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.header);
        response
    }
}

/// The name of a value's JSON type, as Moonshot's errors spell it.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
