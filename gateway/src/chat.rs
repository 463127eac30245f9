//! Reads a chat request, and chooses the entry that serves its model.

use std::{borrow::Cow, sync::Arc};

use axum::{
    body::{Bytes, HttpBody},
    http::{
        Request, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT},
    },
};
use bytes::BytesMut;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::task::yield_now;
use tower::BoxError;
use tower_http::timeout::TimeoutError;
use tower_moonshot::{MoonshotCompatLayer, Skipped, reasoning_memory::ReasoningScope};

use super::{
    balance::{Balance, start_of},
    error::Error,
    heavy::{HEAVY_BYTES, Threads},
    limits::linger,
    log::shortened,
    models::{Choice, Models},
    requested_model::RequestedModel,
    trail::Trail,
};

/// Upper bound in bytes on what is reserved for an announced length alone.
const MAX_RESERVED: usize = 1024 * 1024;

/// The number of model names that an error lists.
const LISTED: usize = 20;

/// Reads the body into memory, and puts the [`Choice`] for its
/// `model` into the extensions. No other member of the body has any influence on it.
///
/// # Errors
///
/// The response to a request that is refused.
pub(crate) async fn choose<B>(
    mut request: Request<B>,
    models: Arc<Models>,
    balance: Balance,
    threads: Threads,
    max_body_bytes: usize,
) -> Result<Request<Full<Bytes>>, Error>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let refused = |code, message: &str| Err(Error::request(StatusCode::BAD_REQUEST, code, message));
    if let Some(coding) = request.headers().get(CONTENT_ENCODING)
        && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        linger(request);
        return Err(Error::request(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_encoding",
            "the Content-Encoding of the request is not supported: \
             use gzip, deflate, br, zstd or none",
        ));
    }
    if !has_json(&request) {
        linger(request);
        let message = "the Content-Type of a chat request has to be \"application/json\"";
        return refused("invalid_content_type", message);
    }
    // Checked before the body is read, so that a client with `Expect` sends none.
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > max_body_bytes) {
        linger(request);
        return Err(too_large(max_body_bytes));
    }
    // hyper sends `100 Continue` when the body is read.
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
                "the request body is incomplete, or does not match its Content-Encoding",
            );
        }
    };
    let mut request = Request::from_parts(parts, Full::from(body.clone()));
    let trail = Trail::of(&request);
    trail.read(body.len());

    let model = if body.len() < HEAVY_BYTES {
        model_of(&body)?
    } else {
        let body = body.clone();
        let model = threads.run(move || model_of(&body).map(Cow::into_owned));
        Cow::Owned(model.await?)
    };
    let Some(name) = models.find(&model) else {
        return Err(unknown(&model, &models));
    };
    let conversation = if name.has_several() && balance.needs_conversation() {
        let scope = request.extensions().get::<ReasoningScope>().copied();
        Some(if body.len() < HEAVY_BYTES {
            start_of(&body, scope.as_ref())
        } else {
            let body = body.clone();
            let start = threads.run(move || start_of(&body, scope.as_ref()));
            start.await
        })
    } else {
        None
    };
    let choice = Choice::new(name, &model, balance, conversation.as_ref());
    trail.chose(&choice);
    request.extensions_mut().insert(choice);
    Ok(request)
}

/// Returns the model that a body asks for.
fn model_of(body: &Bytes) -> Result<Cow<'_, str>, Error> {
    match RequestedModel::of(body) {
        RequestedModel::Name(model) => Ok(model),
        RequestedModel::Missing => Err(Error::request(
            StatusCode::BAD_REQUEST,
            "missing_model",
            "the request has no \"model\", or it is not a string",
        )),
        RequestedModel::NotAnObject => Err(not_an_object(body.clone())),
    }
}

/// Reads a body into one piece. A single frame is not copied. Several are copied as
/// they arrive, because keeping them would keep the connection's buffers.
async fn gather<B>(mut body: B, announced: Option<usize>) -> Result<Bytes, B::Error>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut gathered = BytesMut::new();
    let mut since_pause = 0;
    while let Some(frame) = body.frame().await {
        // Trailers of a chat request have no meaning.
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if gathered.is_empty() {
            if announced == Some(data.len()) {
                return Ok(data);
            }
            gathered.reserve(announced.unwrap_or(0).min(MAX_RESERVED));
        }
        gathered.extend_from_slice(&data);
        // Compressed data that has arrived could yield frames for long without a wait.
        since_pause += data.len();
        if since_pause >= HEAVY_BYTES {
            since_pause = 0;
            yield_now().await;
        }
    }
    Ok(gathered.freeze())
}

/// Whether an error was caused by a client that stopped sending its body.
pub(crate) fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|error| error.is::<TimeoutError>())
}

/// The error for a model that is not configured.
pub(crate) fn unknown(model: &str, models: &Models) -> Error {
    let mut names: Vec<&str> = models.names().take(LISTED + 1).collect();
    if names.len() > LISTED {
        names[LISTED] = "…";
    }
    Error::request(
        StatusCode::NOT_FOUND,
        "model_not_found",
        format!(
            "the model {:?} is not configured here; these are: {}",
            shortened(model),
            names.join(", ")
        ),
    )
}

/// The error for a client that stopped sending its body.
pub(crate) fn too_slow() -> Error {
    Error::request(
        StatusCode::REQUEST_TIMEOUT,
        "request_timeout",
        "the request body was not sent in time",
    )
}

fn too_large(limit: usize) -> Error {
    Error::request(
        StatusCode::PAYLOAD_TOO_LARGE,
        "request_too_large",
        format!("the request body is longer than the limit of {limit} bytes"),
    )
}

/// The error for a body that is not a JSON object. Says where the JSON is invalid.
fn not_an_object(body: Bytes) -> Error {
    let (_, report) = MoonshotCompatLayer::new().rewrite(body);
    let (code, message) = match report.skipped() {
        Some(Skipped::InvalidJson(invalid)) => {
            ("invalid_json", format!("the request body is {invalid}"))
        }
        _ => (
            "invalid_request",
            "the request body is not a JSON object".to_owned(),
        ),
    };
    Error::request(StatusCode::BAD_REQUEST, code, message)
}

/// Whether the layer reads bodies of this content type.
fn has_json<B>(request: &Request<B>) -> bool {
    let Some(value) = request.headers().get(CONTENT_TYPE) else {
        return true;
    };
    let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json")
}
