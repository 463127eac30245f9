//! The layers of a public gateway in the recommended order, with the reason for the place
//! of each.
//!
//! Run it with
//!
//! ```text
//! cargo run --example stack
//! ```
//!
//! and send a request, here with a compressed body:
//!
//! ```text
//! echo '{"model": "kimi-k3", "temperature": 2, "messages": [
//!   {"role": "user", "content": "Hi!"}]}' | gzip |
//! curl -i http://127.0.0.1:4001/v1/chat/completions --data-binary @- \
//!   -H 'authorization: Bearer open-sesame' \
//!   -H 'content-type: application/json' -H 'content-encoding: gzip'
//! ```
//!
//! An emulator answers. It fails the first request with an overload, so that a retry
//! happens. The example `gateway` shows the HTTPS client that replaces the emulator. The
//! package `moonshot-gateway` has everything else that a proxy needs.

use std::{convert::Infallible, error::Error, sync::Arc, time::Duration};

use axum::{Json, Router, body::Body, response::IntoResponse};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError};
use serde_json::json;
use tokio::{net::TcpListener, signal, time};
use tower::{BoxError, ServiceBuilder, ServiceExt, retry};
use tower_governor::{
    GovernorError, GovernorLayer, governor::GovernorConfigBuilder, key_extractor::KeyExtractor,
};
use tower_http::{
    decompression::RequestDecompressionLayer,
    limit::RequestBodyLimitLayer,
    timeout::TimeoutLayer,
    trace::TraceLayer,
    validate_request::{ValidateRequest, ValidateRequestHeaderLayer},
};
use tower_moonshot::{
    MoonshotCompatLayer, Report, RequestBody, Skipped,
    emulator::{Emulator, Failure},
    try_clone_request,
};
use tracing_subscriber::EnvFilter;

/// The callers and their keys for this gateway. They never see Moonshot's key.
const CALLERS: [(&str, &str); 1] = [("ali", "Bearer open-sesame")];

const MAX_BODY_BYTES: usize = 10_000_000;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,tower_http=debug"));
    tracing_subscriber::fmt().with_env_filter(filter).init();

    let moonshot = Emulator::new().fail_first(1, Failure::Overloaded);
    let app = app(MoonshotCompatLayer::from_env()?, moonshot)?;
    let listener = TcpListener::bind("127.0.0.1:4001").await?;
    println!("Serving on http://{}", listener.local_addr()?);
    let stop = async { signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}

/// Builds the stack. The first layer is the outermost one: it sees requests first and
/// responses last.
pub(crate) fn app(layer: MoonshotCompatLayer, moonshot: Emulator) -> Result<Router, BoxError> {
    // Up to ten requests at once, then one per second.
    let limit = GovernorConfigBuilder::default()
        .per_second(1)
        .burst_size(10)
        .key_extractor(Caller::default())
        .finish()
        .ok_or("the rate limit must not be zero")?;

    let service = ServiceBuilder::new()
        // Outermost, so that it sees every response, also those of the layers below.
        .layer(TraceLayer::new_for_http())
        // Around everything that may wait: for the caller's body, which the compat layer
        // reads, for Moonshot, and between retries. It covers the time to the head of the
        // response, so it doesn't cut off streams. A timeout of the response body would.
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(600),
        ))
        // Before the body is read, so that requests without a valid key cost little.
        .layer(ValidateRequestHeaderLayer::custom(Authenticate))
        // After authentication, so that it counts by caller and not by address. Requests
        // without a valid key don't count and take no memory here.
        .layer(GovernorLayer::new(Arc::new(limit)))
        // The layers above require `Body` as the response body.
        .map_response(|response: Response<_>| response.map(Body::new))
        // Outside of the compat layer, which doesn't read compressed bodies.
        .layer(RequestDecompressionLayer::new())
        // Inside of decompression. Outside, it would count compressed bytes: 1 004 bytes of
        // gzip became 1 000 000 bytes, despite a limit of 10 000.
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        // Inside of every layer that is concerned with the caller, and outside of those
        // that are concerned with Moonshot. It replaces the caller's key by Moonshot's.
        .layer(layer)
        // Inside of the compat layer, so that a request is rewritten only once, and its
        // body, which is now in memory, can be sent again.
        .retry(Overloaded { retries: 3 })
        .service_fn(move |request| {
            let moonshot = moonshot.clone();
            async move { send(moonshot, request).await }
        });
    Ok(Router::new().fallback_service(service))
}

/// Authenticates the caller and removes the caller's key from the request. A layer without
/// a key of its own would forward it to Moonshot.
#[derive(Clone, Copy, Debug)]
struct Authenticate;

impl<B> ValidateRequest<B> for Authenticate {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request<B>) -> Result<(), Response<Body>> {
        let key = request.headers_mut().remove(header::AUTHORIZATION);
        let caller = key.and_then(|key| {
            let mut callers = CALLERS.iter();
            callers.find(|(_, known)| is_same(key.as_bytes(), known.as_bytes()))
        });
        match caller {
            Some((name, _)) => {
                request.extensions_mut().insert(Caller(name));
                Ok(())
            }
            None => Err(error(StatusCode::UNAUTHORIZED, "invalid API key")),
        }
    }
}

/// Compares keys in a time that doesn't depend on how many bytes are equal.
fn is_same(guess: &[u8], key: &[u8]) -> bool {
    let differences = guess.iter().zip(key).fold(0, |all, (a, b)| all | (a ^ b));
    guess.len() == key.len() && differences == 0
}

/// The name of the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Caller(&'static str);

impl KeyExtractor for Caller {
    type Key = Self;

    fn extract<B>(&self, request: &Request<B>) -> Result<Self, GovernorError> {
        let caller = request.extensions().get().copied();
        caller.ok_or(GovernorError::UnableToExtractKey)
    }
}

/// Retries a request while Moonshot is overloaded.
#[derive(Clone, Copy, Debug)]
struct Overloaded {
    retries: u32,
}

impl<B, R> retry::Policy<Request<RequestBody<B>>, Response<R>, Infallible> for Overloaded
where
    B: http_body::Body,
{
    type Future = time::Sleep;

    fn retry(
        &mut self,
        _: &mut Request<RequestBody<B>>,
        result: &mut Result<Response<R>, Infallible>,
    ) -> Option<Self::Future> {
        let response = result.as_ref().ok()?;
        // Retry only if Moonshot says when. It doesn't if, for example, the quota of the
        // account is used up.
        let after = response.headers().get(header::RETRY_AFTER)?;
        let seconds = after.to_str().ok()?.parse().ok()?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS || seconds > 30 {
            return None;
        }
        self.retries = self.retries.checked_sub(1)?;
        tracing::info!("Moonshot is overloaded, retrying in {seconds} s");
        Some(time::sleep(Duration::from_secs(seconds)))
    }

    fn clone_request(
        &mut self,
        request: &Request<RequestBody<B>>,
    ) -> Option<Request<RequestBody<B>>> {
        // A body that isn't in memory, such as an upload, can't be sent again.
        try_clone_request(request)
    }
}

/// Forwards a request to Moonshot, unless its body could not be read to the end. An
/// incomplete body must not be taken for a complete one.
async fn send<B>(
    moonshot: Emulator,
    request: Request<RequestBody<B>>,
) -> Result<Response<Body>, Infallible>
where
    B: http_body::Body<Data = bytes::Bytes>,
    B::Error: Into<BoxError>,
{
    let report = request.extensions().get::<Report>();
    if let Some(report) = report {
        tracing::info!("{report}");
    }
    match report.and_then(Report::skipped) {
        Some(Skipped::ReadError) => {
            let cause = request.into_body().collect().await.err();
            Ok(if cause.is_some_and(is_too_long) {
                let message = format!("the request body is longer than {MAX_BODY_BYTES} bytes");
                error(StatusCode::PAYLOAD_TOO_LARGE, &message)
            } else {
                error(
                    StatusCode::BAD_REQUEST,
                    "the request body could not be read",
                )
            })
        }
        _ => moonshot
            .oneshot(request)
            .await
            .map(|response| response.map(Body::new)),
    }
}

/// Whether an error of the body, or one of its sources, is that of the body limit.
fn is_too_long(cause: impl Into<BoxError>) -> bool {
    let cause: BoxError = cause.into();
    let mut cause: Option<&(dyn Error + 'static)> = Some(&*cause);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Creates an error response in OpenAI's format.
fn error(status: StatusCode, message: &str) -> Response<Body> {
    let error = json!({"error": {"message": message, "type": "invalid_request_error"}});
    (status, Json(error)).into_response()
}
