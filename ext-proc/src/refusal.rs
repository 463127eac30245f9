//! Error responses of this program itself, in OpenAI's form.

use envoy_types::pb::envoy::{
    service::ext_proc::v3::{
        HeaderMutation, ImmediateResponse, ProcessingResponse, processing_response::Response,
    },
    r#type::v3::HttpStatus,
};
use http::StatusCode;
use serde_json::json;
use tower_moonshot::Skipped;

use super::{head::with_header, message};

/// A request that is answered instead of forwarded.
///
/// Its message quotes no content and no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// The refusal of a request whose body could not be rewritten; `None` if it needs no
    /// rewrite.
    pub(crate) fn of_skipped(skipped: &Skipped) -> Option<Self> {
        let (status, code, message) = match skipped {
            Skipped::InvalidJson(invalid) => (
                StatusCode::BAD_REQUEST,
                "invalid_json",
                format!("the request body is {invalid}"),
            ),
            Skipped::TooLarge { limit, .. } => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_too_large",
                format!("the request body is longer than the limit of {limit} bytes"),
            ),
            Skipped::Compressed => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_encoding",
                "the request body has a Content-Encoding, with which it cannot be read".to_owned(),
            ),
            Skipped::NotAChatRequest => (
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "the request is not a chat request: its Content-Type has to be \
                 \"application/json\" and its body a JSON object"
                    .to_owned(),
            ),
            _ => return None,
        };
        Some(Self::new(status, code, message))
    }

    /// The refusal of a request whose route has wrong settings. They are the operator's, so
    /// that only the log says which.
    pub(crate) fn of_misconfigured_route() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "misconfigured_route",
            "the route of the request is misconfigured: the log of moonshot-ext-proc says why",
        )
    }

    /// Returns the message that makes Envoy send this response.
    pub(crate) fn message(&self) -> ProcessingResponse {
        let kind = match self.status.is_server_error() {
            true => "server_error",
            false => "invalid_request_error",
        };
        let body = json!({"error": {
            "message": self.message,
            "type": kind,
            "param": null,
            "code": self.code,
        }});
        let mut headers = with_header(
            HeaderMutation::default(),
            "content-type",
            "application/json",
        );
        if self.status == StatusCode::UNAUTHORIZED {
            headers = with_header(headers, "www-authenticate", "Bearer");
        }
        message::of(Response::ImmediateResponse(ImmediateResponse {
            status: Some(HttpStatus {
                code: self.status.as_u16().into(),
            }),
            headers: Some(headers),
            body: body.to_string().into_bytes(),
            // In Envoy's access log, as %RESPONSE_CODE_DETAILS%.
            details: format!("moonshot_{}", self.code),
            ..ImmediateResponse::default()
        }))
    }
}
