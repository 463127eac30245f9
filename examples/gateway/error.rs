//! Errors in the form that OpenAI's clients understand.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An answer that is the gateway's own.
#[derive(Debug)]
pub(crate) struct Error {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    message: String,
}

impl Error {
    /// The caller is to blame.
    pub(crate) fn request(status: StatusCode, code: &'static str, message: String) -> Self {
        Self {
            status,
            kind: "invalid_request_error",
            code,
            message,
        }
    }

    /// The upstream is to blame, or the way to it.
    pub(crate) fn upstream(status: StatusCode, code: &'static str, message: String) -> Self {
        Self {
            status,
            kind: "upstream_error",
            code,
            message,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let error = json!({"error": {
            "message": self.message,
            "type": self.kind,
            "code": self.code,
        }});
        (self.status, Json(error)).into_response()
    }
}
