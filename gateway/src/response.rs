//! Prepares the upstream's response for the client.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{
        HeaderName, HeaderValue, Request, StatusCode, Version,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING},
    },
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use tower::{ServiceExt, service_fn};
use tower_http::decompression::{Decompression, DecompressionBody};

use super::{
    content_encoding,
    error::Error,
    failure::{Failed, Failure},
    headers::remove_hop_by_hop,
    searched::Searched,
    secret::Secret,
};

/// Headers that identify the account at Moonshot. They are removed from responses.
const ACCOUNT: [HeaderName; 4] = [
    HeaderName::from_static("msh-uid"),
    HeaderName::from_static("msh-org-id"),
    HeaderName::from_static("msh-project-id"),
    HeaderName::from_static("msh-gid"),
];

/// Tells OpenAI's clients whether to retry.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The longest error body that is read, decompressed. Moonshot's have a few hundred
/// bytes.
const MAX_ERROR: usize = 64 * 1024;

/// The longest successful body that is searched before its head is forwarded, so that an
/// error can replace it. A longer one can only be cut off.
const MAX_READ: usize = 64 * 1024;

/// Asks, in the extensions of a request, that a successful response is searched for the
/// key too. Chat responses are not: a model may write any text, and the layers further
/// out read its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SearchBody;

/// Prepares a response for the client. A successful one is streamed unchanged; an
/// error that is not JSON, such as a proxy's HTML page, becomes JSON.
///
/// Some servers echo the request's headers to ease debugging. Headers that contain
/// the `key` are removed, and an error text that contains it is replaced. With
/// [`SearchBody`], no successful body that contains it is forwarded either.
pub(crate) async fn prepare(
    response: Response<impl ResponseBody>,
    host: &str,
    key: Option<&HeaderValue>,
    search: Option<SearchBody>,
) -> Response {
    let (mut parts, body) = response.into_parts();
    // No client asked for it: `Upgrade` is removed from requests.
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        let message = format!("{host} tried to switch to another protocol");
        let status = StatusCode::BAD_GATEWAY;
        return Error::upstream(status, "upstream_error", Failure::Reset, message).into_response();
    }
    // The version belongs to the connection to the upstream.
    parts.version = Version::default();
    // Beside it a length has no meaning (RFC 9112, 6.3), and may be wrong.
    if parts.headers.contains_key(TRANSFER_ENCODING) {
        parts.headers.remove(CONTENT_LENGTH);
    }
    remove_hop_by_hop(&mut parts.headers);
    for name in &ACCOUNT {
        parts.headers.remove(name);
    }
    let secret = Secret::of(key);
    if let Some(secret) = &secret {
        secret.remove_from(&mut parts.headers);
    }
    let status = parts.status;
    if !status.is_client_error() && !status.is_server_error() {
        let response = Response::from_parts(parts, body);
        return match (secret, search) {
            (Some(secret), Some(SearchBody)) => {
                searched(response.map(Body::new), host, secret).await
            }
            (Some(secret), None) => {
                response.map(|body| Body::new(Searched::trailers_only(body, secret)))
            }
            (None, _) => response.map(Body::new),
        };
    }

    let (mut parts, body) = decompressed(Response::from_parts(parts, body))
        .await
        .into_parts();
    let text = Limited::new(body, MAX_ERROR).collect().await;
    let text = text.ok().map(http_body_util::Collected::to_bytes);
    let has_key = |text: &Bytes| {
        let secret = secret.as_ref();
        secret.is_some_and(|secret| secret.is_in(text))
    };
    let text = text.filter(|text| !has_key(text));
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
        (StatusCode::UNAUTHORIZED, _) => Failure::Key,
        (status, _) if status.is_server_error() => Failure::Server,
        _ => Failure::Refused,
    };
    if failure == Failure::Quota {
        let never = HeaderValue::from_static("false");
        parts.headers.insert(SHOULD_RETRY, never);
    }
    let media_type = parts.headers.get(CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok()?.split(';').next());
    let mut response = match (text, error) {
        (Some(text), Some(Value::Object(_))) => Response::from_parts(parts, Body::from(text)),
        _ => {
            let media_type = media_type.unwrap_or("of no content type");
            let message = format!(
                "{host} responded with {status}; its body ({media_type}) was not forwarded, \
                 because it is not a JSON object or could not be read"
            );
            let mut response =
                Error::upstream(status, "upstream_error", failure, message).into_response();
            // The other headers describe the body that was replaced.
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

/// Forwards a successful response unless it contains the key.
async fn searched(response: Response, host: &str, secret: Secret) -> Response {
    let length = response.body().size_hint().exact();
    let response = match length {
        Some(0) => response,
        // The gateway asked for an uncompressed response, which not every server honours.
        _ => decompressed(response).await.map(Body::new),
    };
    let refused = |why: &str| {
        let message = format!("{host} sent a response that was not forwarded: {why}");
        let status = StatusCode::BAD_GATEWAY;
        Error::upstream(status, "upstream_error", Failure::Reset, message).into_response()
    };
    if length != Some(0) && response.headers().contains_key(CONTENT_ENCODING) {
        return refused("its Content-Encoding is not supported");
    }
    let (parts, body) = response.into_parts();
    let mut body = Searched::new(body, secret);
    if length.is_some_and(|length| length <= MAX_READ as u64)
        && let Err(error) = body.read_ahead(MAX_READ).await
    {
        return refused(&error.to_string());
    }
    Response::from_parts(parts, Body::new(body))
}

/// Decompresses a response, if its encoding is one that clients ask for.
async fn decompressed<B: ResponseBody>(
    mut response: Response<B>,
) -> Response<DecompressionBody<B>> {
    content_encoding::normalize(response.headers_mut());
    let itself = service_fn(async |request: Request<Response<B>>| Ok(request.into_body()));
    let Ok::<_, Infallible>(response) = Decompression::new(itself)
        .oneshot(Request::new(response))
        .await;
    response
}

/// Ids of a request in the upstream's logs, to name to its support.
const REQUEST_IDS: [HeaderName; 3] = [
    HeaderName::from_static("msh-request-id"),
    HeaderName::from_static("x-msh-trace-id"),
    HeaderName::from_static("x-request-id"),
];

/// The body of an upstream's response.
pub(crate) trait ResponseBody:
    HttpBody<Data = Bytes, Error: Into<tower::BoxError>> + Send + Unpin + 'static
{
}

impl<B> ResponseBody for B
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<tower::BoxError>,
{
}
