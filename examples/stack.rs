//! The layers of a public gateway, in the order in which they should stand, and
//! why each one stands where it does.
//!
//! Run it with
//!
//! ```text
//! cargo run --example stack
//! ```
//!
//! and ask it, with a compressed body for once:
//!
//! ```text
//! echo '{"model": "kimi-k3", "temperature": 2, "messages": [{"role": "user", "content": "Hi!"}]}' |
//!   gzip | curl -i http://127.0.0.1:4001/v1/chat/completions -H 'authorization: Bearer open-sesame' \
//!   -H 'content-type: application/json' -H 'content-encoding: gzip' --data-binary @-
//! ```
//!
//! An emulator responds. It is overloaded at first, so that there is something to
//! retry. The example `gateway` shows the HTTPS client that takes its place, and the
//! package `moonshot-gateway` everything else that a proxy needs.

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
};
use tracing_subscriber::EnvFilter;

/// The callers and their keys. These are not Moonshot's: callers never see its.
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

/// The stack. The first layer is the outermost: it sees a request first, and its
/// answer last.
pub(crate) fn app(layer: MoonshotCompatLayer, moonshot: Emulator) -> Result<Router, BoxError> {
    // A burst of ten, then one a second.
    let limit = GovernorConfigBuilder::default()
        .per_second(1)
        .burst_size(10)
        .key_extractor(Caller::default())
        .finish()
        .ok_or("a rate limit of nothing")?;

    let service = ServiceBuilder::new()
        // Outermost, so that it sees every answer, refusals of the others too.
        .layer(TraceLayer::new_for_http())
        // Around everything that may wait: for the caller's body, which the
        // compat layer reads, for Moonshot, and between retries. It ends with
        // the head of the answer, so it doesn't cut streams; a timeout of the
        // answer's body would.
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(600),
        ))
        // Before anything of the body is read: strangers cost nothing.
        .layer(ValidateRequestHeaderLayer::custom(Authenticate))
        // Behind it, so that it can count by caller rather than by address, and
        // strangers neither use up a caller's share nor fill its memory.
        .layer(GovernorLayer::new(Arc::new(limit)))
        // The layers further in make other bodies of the answers.
        .map_response(|response: Response<_>| response.map(Body::new))
        // Outside of the compat layer, which leaves compressed bodies alone.
        .layer(RequestDecompressionLayer::new())
        // Inside of the decompression. Outside of it, it would count compressed
        // bytes: 1 004 bytes of gzip became 1 000 000 past a limit of 10 000.
        .layer(RequestBodyLimitLayer::new(MAX_BODY_BYTES))
        // Behind all that speaks of the caller, before all that speaks of
        // Moonshot. It puts Moonshot's key where the caller's was.
        .layer(layer)
        // Inside, so that a request is rewritten once however often it is sent,
        // and its body, which is in memory by now, can be sent again.
        .retry(Overloaded { retries: 3 })
        .service_fn(move |request| {
            let moonshot = moonshot.clone();
            async move { send(moonshot, request).await }
        });
    Ok(Router::new().fallback_service(service))
}

/// Finds out who asks, and takes the caller's key out of the request: where the
/// layer has none to put in its place, it would end up at Moonshot.
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
            None => Err(error(StatusCode::UNAUTHORIZED, "this key opens nothing")),
        }
    }
}

/// Compares in a time that doesn't tell how much of a guess is right.
fn is_same(guess: &[u8], key: &[u8]) -> bool {
    let differences = guess.iter().zip(key).fold(0, |all, (a, b)| all | (a ^ b));
    guess.len() == key.len() && differences == 0
}

/// Who asks, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Caller(&'static str);

impl KeyExtractor for Caller {
    type Key = Self;

    fn extract<B>(&self, request: &Request<B>) -> Result<Self, GovernorError> {
        let caller = request.extensions().get().copied();
        caller.ok_or(GovernorError::UnableToExtractKey)
    }
}

/// Sends a request again while Moonshot is overloaded.
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
        // Moonshot says when to come back. Without that, as for an account that
        // is out of money, coming back is of no use.
        let after = response.headers().get(header::RETRY_AFTER)?;
        let seconds = after.to_str().ok()?.parse().ok()?;
        if response.status() != StatusCode::TOO_MANY_REQUESTS || seconds > 30 {
            return None;
        }
        self.retries = self.retries.checked_sub(1)?;
        tracing::info!("overloaded; once more in {seconds} s");
        Some(time::sleep(Duration::from_secs(seconds)))
    }

    fn clone_request(
        &mut self,
        request: &Request<RequestBody<B>>,
    ) -> Option<Request<RequestBody<B>>> {
        // None for a body that isn't in memory: an upload, say, is sent once.
        let mut copy = Request::new(request.body().try_clone()?);
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.version_mut() = request.version();
        *copy.headers_mut() = request.headers().clone();
        *copy.extensions_mut() = request.extensions().clone();
        Some(copy)
    }
}

/// Asks Moonshot, unless the body could not be read: what there is of it must
/// not be taken for the whole.
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
                error(StatusCode::BAD_REQUEST, "the request body is damaged")
            })
        }
        _ => moonshot
            .oneshot(request)
            .await
            .map(|response| response.map(Body::new)),
    }
}

/// Whether the limit has ended the reading: it says so by an error of the body,
/// which other bodies have wrapped.
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

/// An answer in OpenAI's form.
fn error(status: StatusCode, message: &str) -> Response<Body> {
    let error = json!({"error": {"message": message, "type": "invalid_request_error"}});
    (status, Json(error)).into_response()
}
