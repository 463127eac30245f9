//! Errors in the form that OpenAI's clients understand.

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
use serde_json::json;
use tower::BoxError;

use super::answer::{Failed, Failure};

/// An answer that is the gateway's own.
///
/// It says what happened and to which host, and never what was sent.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    message: String,
    failure: Option<Failure>,
}

impl Error {
    /// The caller is to blame.
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

    /// The upstream is to blame, or the way to it.
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

    /// The gateway is to blame, or the load on it.
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

    pub(crate) const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// The answer to an error of any layer.
    pub(crate) async fn answer(error: BoxError) -> Response {
        match error.downcast::<Self>() {
            Ok(error) => error.into_response(),
            Err(error) => {
                tracing::error!(%error, "a layer failed");
                Self::bug().into_response()
            }
        }
    }

    /// The answer to a panic. What it said is in the log, where the standard
    /// library has put it.
    pub(crate) fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
        Self::bug().into_response()
    }

    fn bug() -> Self {
        let message = "the gateway failed in a way that it should not";
        Self::gateway(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
    }
}

/// Stands beside [`Failed`] where the upstream's own words are not what the client
/// gets: a text for the log.
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
        let error = json!({"error": {
            "message": &self.message,
            "type": self.kind,
            "param": null,
            "code": self.code,
        }});
        let mut response = (self.status, Json(error)).into_response();
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
    async fn a_panic_is_a_500_that_does_not_repeat_it() {
        async fn handler() -> StatusCode {
            panic!("a secret")
        }
        let app = Router::new()
            .route("/", get(handler))
            .layer(CatchPanicLayer::custom(Error::panicked));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let answer = app.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 500);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["error"]["code"], "internal_error");
        assert!(!body.to_string().contains("secret"));
    }
}
