//! Reads a chat request, and finds out who serves its model.

use std::sync::Arc;

use axum::{
    body::{Bytes, HttpBody},
    http::{
        Request, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
    },
};
use bytes::BytesMut;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tower::BoxError;
use tower_http::timeout::TimeoutError;
use tower_moonshot::{MoonshotCompatLayer, Skipped};

use super::{asked::Asked, error::Error, limits::linger, models::Models, trail::Trail};

/// How much is reserved for a body on nothing but its word, in bytes.
const ON_TRUST: usize = 1024 * 1024;

/// How many names an error lists.
const LISTED: usize = 20;

/// The longest name that is repeated, in characters.
const MAX_NAME: usize = 100;

/// Gathers the body, once, and puts the [`Choice`](super::models::Choice) into the
/// extensions. What else the body says, of keys and hosts, plays no part.
pub(crate) async fn choose<B>(
    mut request: Request<B>,
    models: Arc<Models>,
    max_body_bytes: usize,
) -> Result<Request<Full<Bytes>>, Error>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let refused = |code, message: &str| Err(Error::request(StatusCode::BAD_REQUEST, code, message));
    if let Some(coding) = request.headers().get(CONTENT_ENCODING) {
        if !coding.as_bytes().eq_ignore_ascii_case(b"identity") {
            linger(request);
            return Err(Error::request(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_encoding",
                "the request body has a Content-Encoding other than gzip, deflate, br and zstd",
            ));
        }
    }
    if !has_json(&request) {
        linger(request);
        let message = "a chat request is JSON: send the header \"content-type: application/json\"";
        return refused("invalid_content_type", message);
    }
    // A waiting client then needs to send none of it.
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > max_body_bytes) {
        linger(request);
        return Err(too_large(max_body_bytes));
    }
    // Reading the body tells a waiting client to send it.
    request.headers_mut().remove(EXPECT);
    let (parts, body) = request.into_parts();
    let mut body = Box::pin(body);
    let body = match gather(Limited::new(&mut body, max_body_bytes), announced).await {
        Ok(body) => body,
        Err(error) if error.is::<LengthLimitError>() => {
            linger(Request::from_parts(parts, body));
            return Err(too_large(max_body_bytes));
        }
        Err(error) if is_timeout(&*error) => return Err(too_slow()),
        Err(_) => {
            return refused(
                "unreadable_body",
                "the request body breaks off, or is not what its header says",
            );
        }
    };
    let mut request = Request::from_parts(parts, Full::from(body.clone()));
    let trail = Trail::of(&request);
    trail.read(body.len());

    let model = match Asked::of(&body) {
        Asked::Model(model) => model,
        Asked::Nothing => {
            return refused(
                "missing_model",
                "the request names no model: it has no string \"model\"",
            );
        }
        Asked::NotAnObject => return Err(not_an_object(body)),
    };
    let Some(choice) = models.choose(&model) else {
        return Err(unknown(&model, &models));
    };
    trail.chose(&choice);
    request.extensions_mut().insert(choice);
    Ok(request)
}

/// Reads a body into one piece. A single frame stays as it is, of several each is
/// copied when it comes: kept until the last, they would hold the connection's
/// buffers.
async fn gather<B>(mut body: B, announced: Option<usize>) -> Result<Bytes, B::Error>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut gathered = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Trailers have no meaning here.
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if gathered.is_empty() {
            if announced == Some(data.len()) {
                return Ok(data);
            }
            gathered.reserve(announced.unwrap_or(0).min(ON_TRUST));
        }
        gathered.extend_from_slice(&data);
    }
    Ok(gathered.freeze())
}

/// Whether an error comes from a body that its client stopped sending.
pub(crate) fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|error| error.is::<TimeoutError>())
}

/// As much of a name as belongs into a log or an error. A client may make it as
/// long as a body.
pub(crate) fn shortened(name: &str) -> &str {
    // No string has more characters than bytes.
    if name.len() <= MAX_NAME {
        return name;
    }
    let end = name.char_indices().nth(MAX_NAME);
    &name[..end.map_or(name.len(), |(end, _)| end)]
}

/// The error for a model that nobody serves.
pub(crate) fn unknown(model: &str, models: &Models) -> Error {
    let mut names: Vec<&str> = models.names().take(LISTED + 1).collect();
    if names.len() > LISTED {
        names[LISTED] = "…";
    }
    Error::request(
        StatusCode::NOT_FOUND,
        "model_not_found",
        format!(
            "no model {:?} is configured here; there is {}",
            shortened(model),
            names.join(", ")
        ),
    )
}

/// The error for a body that its client stopped sending.
pub(crate) fn too_slow() -> Error {
    Error::request(
        StatusCode::REQUEST_TIMEOUT,
        "request_timeout",
        "the request body took too long",
    )
}

fn too_large(limit: usize) -> Error {
    Error::request(
        StatusCode::PAYLOAD_TOO_LARGE,
        "request_too_large",
        format!("the request body is longer than {limit} bytes"),
    )
}

/// Says where a body stops being JSON, in the words of the library.
fn not_an_object(body: Bytes) -> Error {
    let (_, report) = MoonshotCompatLayer::new().rewrite(body);
    let (code, message) = match report.skipped() {
        Some(Skipped::InvalidJson(invalid)) => {
            ("invalid_json", format!("the request body is {invalid}"))
        }
        _ => (
            "invalid_request",
            "a chat request is a JSON object that names a model".to_owned(),
        ),
    };
    Error::request(StatusCode::BAD_REQUEST, code, message)
}

/// Whether the content type is one that the layer reads.
fn has_json<B>(request: &Request<B>) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else {
        return true;
    };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}
