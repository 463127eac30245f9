//! From a caller's request to the answer it gets.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::HeaderValue,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use tower::ServiceBuilder;
use tower_moonshot::{MoonshotCompatLayer, Report};

use crate::{headers::remove_hop_by_hop, upstream::Upstream};

/// How much and how long.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Chat requests with a longer body are refused.
    pub(crate) max_body_bytes: usize,
    /// From the name of the host to the end of the TLS handshake.
    pub(crate) connect_timeout: Duration,
    /// Until the head of the answer is there. An answer that is not a stream has
    /// no head before the model has finished, so this one is long. How long a
    /// body then takes is not limited: it may be a stream.
    pub(crate) first_byte_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            // Moonshot's own limit.
            max_body_bytes: 100_000_000,
            connect_timeout: Duration::from_secs(10),
            // What OpenAI's own clients wait.
            first_byte_timeout: Duration::from_secs(600),
        }
    }
}

pub(crate) fn app(layer: MoonshotCompatLayer, upstream: Upstream, config: &Config) -> Router {
    let service = ServiceBuilder::new()
        .map_request(|mut request: Request| {
            // Before the layer adds the key, so that no caller can name it in
            // `Connection`.
            remove_hop_by_hop(request.headers_mut());
            request
        })
        .map_response(|mut response: Response| {
            remove_hop_by_hop(response.headers_mut());
            response
        })
        .layer(layer.with_max_body_bytes(config.max_body_bytes))
        .service_fn(move |request| {
            let upstream = upstream.clone();
            // The innermost service makes an answer of every error: one that
            // left it as an error would close the connection without a word.
            async move { Ok::<_, Infallible>(upstream.send(request).await.into_response()) }
        });
    Router::new()
        .route("/health", get(|| async { "ok" }))
        .fallback_service(service)
        .layer(middleware::from_fn(tell))
}

/// Says what was rewritten: in the log, with places and reasons, and in a header.
async fn tell(request: Request<Body>, next: Next) -> Response {
    let method = request.method().clone();
    // Without the query, which is the caller's own business.
    let path = request.uri().path().to_owned();
    let start = Instant::now();
    let mut response = next.run(request).await;

    let status = response.status().as_u16();
    let time = start.elapsed();
    if let Some(report) = response.extensions().get::<Report>().cloned() {
        tracing::info!("{method} {path}: {status} after {time:.1?}; {report}");
        if let Some(rules) = rules(&report) {
            response.headers_mut().insert("x-moonshot-rewrites", rules);
        }
    } else {
        tracing::info!("{method} {path}: {status} after {time:.1?}");
    }
    response
}

/// The rules that changed something, each once.
fn rules(report: &Report) -> Option<HeaderValue> {
    let mut rules: Vec<String> = Vec::new();
    for change in report.changes() {
        let rule = change.rule().to_string();
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    if rules.is_empty() {
        return None;
    }
    HeaderValue::try_from(rules.join(", ")).ok()
}
