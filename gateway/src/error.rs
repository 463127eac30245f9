//! Error responses in OpenAI's form.

use std::{any::Any, fmt, sync::Arc};

use axum::{
    Json,
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tower::BoxError;

use super::failure::{Failed, Failure};

/// An error response of the gateway itself.
///
/// Its message names what failed and the host, and quotes no content and no keys.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    message: String,
    failure: Option<Failure>,
}

impl Error {
    /// The request is at fault.
    pub(crate) fn request(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind: "invalid_request_error",
            code,
            message: message.into(),
            failure: None,
        }
    }

    /// The upstream, or the connection to it, is at fault.
    pub(crate) fn upstream(
        status: StatusCode,
        code: &'static str,
        failure: Failure,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind: "upstream_error",
            code,
            message: message.into(),
            failure: Some(failure),
        }
    }

    /// The gateway, or the load on it, is at fault.
    pub(crate) fn gateway(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind: "server_error",
            code,
            message: message.into(),
            failure: None,
        }
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// Turns an error of any layer into a response.
    pub(crate) async fn respond(error: BoxError) -> Response {
        match error.downcast::<Self>() {
            Ok(error) => error.into_response(),
            Err(error) => {
                tracing::error!(%error, "unexpected error of a layer");
                Self::bug().into_response()
            }
        }
    }

    /// Turns a panic into a response. The standard library has already written the
    /// panic's message to stderr.
    pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
        Self::bug().into_response()
    }

    /// Returns the body of the response.
    pub(crate) fn json(&self) -> Value {
        json!({"error": {
            "message": &self.message,
            "type": self.kind,
            "param": null,
            "code": self.code,
        }})
    }

    fn bug() -> Self {
        let message = "the gateway failed because of a bug; its log says more";
        Self::gateway(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }
}

/// The message of an error response, for the log. It accompanies [`Failed`] unless the
/// upstream's own error was forwarded.
#[derive(Clone, Debug)]
pub(crate) struct Reason(pub(crate) Arc<str>);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.json())).into_response();
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if let Some(failure) = self.failure {
            response.extensions_mut().insert(Failed(failure));
            response
                .extensions_mut()
                .insert(Reason(self.message.into()));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::Request, routing::get};
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_without_the_panics_message() {
        async fn handler() -> StatusCode {
            panic!("a secret")
        }
        let app = Router::new()
            .route("/", get(handler))
            .layer(CatchPanicLayer::custom(Error::panicked));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 500);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"]["code"], "internal_error");
        assert!(!body.to_string().contains("secret"));
    }
}
