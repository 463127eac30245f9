//! What the upstream says, and what of it the client gets to see.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::{
        HeaderName, HeaderValue, Request, StatusCode, Version,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING},
    },
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use memchr::memmem;
use serde_json::Value;
use tower::{ServiceExt, service_fn};
use tower_http::decompression::{Decompression, DecompressionBody};

use super::{error::Error, headers::remove_hop_by_hop};

/// Headers that name Moonshot's account. They are no client's business.
const ACCOUNT: [HeaderName; 4] = [
    HeaderName::from_static("msh-uid"),
    HeaderName::from_static("msh-org-id"),
    HeaderName::from_static("msh-project-id"),
    HeaderName::from_static("msh-gid"),
];

/// What OpenAI's clients heed before they ask once more by themselves.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The longest error that is read, decompressed. Moonshot's have some hundred bytes.
const MAX_ERROR: usize = 64 * 1024;

/// What went wrong upstream. Its name is a label of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Failure {
    /// No connection, or none with TLS.
    Connect,
    /// No connection in time.
    ConnectTimeout,
    /// No answer in time.
    Timeout,
    /// A connection that broke, or something that is not HTTP.
    Reset,
    /// 429: asked too often.
    Rate,
    /// 429: too many others are asking.
    Overloaded,
    /// 429: no money is left, which no waiting changes.
    Quota,
    /// Another 4xx: the request's fault.
    Refused,
    /// 5xx.
    Server,
}

impl Failure {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectTimeout => "connect_timeout",
            Self::Timeout => "timeout",
            Self::Reset => "reset",
            Self::Rate => "rate_limit",
            Self::Overloaded => "overloaded",
            Self::Quota => "quota",
            Self::Refused => "refused",
            Self::Server => "server",
        }
    }

    /// Whether the same upstream may do better a moment later.
    pub(crate) const fn is_passing(self) -> bool {
        match self {
            Self::Connect
            | Self::ConnectTimeout
            | Self::Reset
            | Self::Rate
            | Self::Overloaded
            | Self::Server => true,
            // The model was at work all the time, and may have been paid for.
            Self::Timeout | Self::Quota | Self::Refused => false,
        }
    }

    /// Whether another upstream, or another account, may do better.
    pub(crate) const fn is_local(self) -> bool {
        self.is_passing() || matches!(self, Self::Quota)
    }
}

/// Stands in the extensions of an answer that is a failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failed(pub(crate) Failure);

/// Prepares an answer for the client. Success streams through as it comes; errors
/// that are no JSON, a proxy's page for instance, become JSON.
///
/// An upstream that repeats the `key` it was sent, to debug something perhaps,
/// isn't repeated.
pub(crate) async fn prepare(
    response: Response<impl Answer>,
    host: &str,
    key: Option<&HeaderValue>,
) -> Response {
    let (mut parts, body) = response.into_parts();
    // Nobody asked for it, and on this connection it would have no meaning.
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        let message = format!("{host} wants to speak another protocol");
        let status = StatusCode::BAD_GATEWAY;
        return Error::upstream(status, "upstream_error", Failure::Reset, message).into_response();
    }
    // How the answer came is nothing to the client.
    parts.version = Version::default();
    // A length beside it doesn't count (RFC 9112, 6.3), and may be a wrong one.
    if parts.headers.contains_key(TRANSFER_ENCODING) {
        parts.headers.remove(CONTENT_LENGTH);
    }
    remove_hop_by_hop(&mut parts.headers);
    for name in &ACCOUNT {
        parts.headers.remove(name);
    }
    let token = key.and_then(|key| key.as_bytes().rsplit(|byte| *byte == b' ').next());
    let token = token.filter(|token| !token.is_empty());
    let token = token.map(memmem::Finder::new);
    let tells = |text: &[u8]| {
        token
            .as_ref()
            .is_some_and(|token| token.find(text).is_some())
    };
    if parts.headers.values().any(|value| tells(value.as_bytes())) {
        let values = std::mem::take(&mut parts.headers).into_iter();
        let mut last = None;
        parts.headers = values
            .filter_map(|(name, value)| {
                // Of several values, only the first comes with their name.
                last = name.or(last.take());
                last.clone().map(|name| (name, value))
            })
            .filter(|(_, value)| !tells(value.as_bytes()))
            .collect();
    }
    let status = parts.status;
    if !status.is_client_error() && !status.is_server_error() {
        return Response::from_parts(parts, Body::new(body));
    }

    let (mut parts, body) = decompressed(Response::from_parts(parts, body))
        .await
        .into_parts();
    let text = Limited::new(body, MAX_ERROR).collect().await;
    let text = text.ok().map(http_body_util::Collected::to_bytes);
    let text = text.filter(|text| !tells(text));
    let error: Option<Value> = text
        .as_ref()
        .and_then(|text| serde_json::from_slice(text).ok());
    let kind = error
        .as_ref()
        .and_then(|error| error["error"]["type"].as_str());
    let failure = match (status, kind) {
        (StatusCode::TOO_MANY_REQUESTS, Some("exceeded_current_quota_error")) => Failure::Quota,
        (StatusCode::TOO_MANY_REQUESTS, Some("engine_overloaded_error")) => Failure::Overloaded,
        (StatusCode::TOO_MANY_REQUESTS, _) => Failure::Rate,
        (status, _) if status.is_server_error() => Failure::Server,
        _ => Failure::Refused,
    };
    if failure == Failure::Quota {
        let never = HeaderValue::from_static("false");
        parts.headers.insert(SHOULD_RETRY, never);
    }
    let form = parts.headers.get(CONTENT_TYPE);
    let form = form.and_then(|form| form.to_str().ok()?.split(';').next());
    let mut response = match (text, error) {
        (Some(text), Some(Value::Object(_))) => Response::from_parts(parts, Body::from(text)),
        _ => {
            let form = form.unwrap_or("something");
            let message = format!("{host} answered {status}, and {form} that can't be passed on");
            let mut response =
                Error::upstream(status, "upstream_error", failure, message).into_response();
            // All that is not about the text that went.
            for name in [RETRY_AFTER, SHOULD_RETRY].iter().chain(&REQUEST_IDS) {
                if let Some(value) = parts.headers.get(name) {
                    response.headers_mut().insert(name, value.clone());
                }
            }
            response
        }
    };
    response.extensions_mut().insert(Failed(failure));
    response
}

/// An answer that can be read, if its coding is one of those that clients ask for.
async fn decompressed<B: Answer>(response: Response<B>) -> Response<DecompressionBody<B>> {
    let itself = service_fn(async |request: Request<Response<B>>| Ok(request.into_body()));
    let Ok::<_, Infallible>(response) = Decompression::new(itself)
        .oneshot(Request::new(response))
        .await;
    response
}

/// What to tell Moonshot's support, or to find in its logs.
const REQUEST_IDS: [HeaderName; 3] = [
    HeaderName::from_static("msh-request-id"),
    HeaderName::from_static("x-msh-trace-id"),
    HeaderName::from_static("x-request-id"),
];

/// A body of an upstream's answer.
pub(crate) trait Answer:
    axum::body::HttpBody<Data = bytes::Bytes, Error: Into<tower::BoxError>> + Send + 'static
{
}

impl<B> Answer for B
where
    B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<tower::BoxError>,
{
}
