//! Decides which requests are read: by method, path, content type, encoding and size.

use http::{
    HeaderMap, Method, Request,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body::Body;

use crate::{LeaveBody, Skipped, endpoint::is_chat_completions};

/// What the middleware does with the body of a request.
pub(crate) enum Admission {
    /// The body is read.
    Read,
    /// The body is forwarded unread, although the request is for a chat completion.
    Skip(Skipped),
    /// The body is forwarded unread, because the request is not for a chat completion.
    PassThrough,
}

/// Decides by the head of a request and the size hint of its body. Bodies longer than
/// `limit` bytes are not read.
pub(crate) fn admit<B: Body>(request: &Request<B>, limit: usize) -> Admission {
    if request.method() != Method::POST || !is_chat_completions(request.uri().path()) {
        Admission::PassThrough
    } else if request.extensions().get::<LeaveBody>().is_some() {
        Admission::Skip(Skipped::ByRequest)
    } else if !has_json(request.headers()) {
        Admission::Skip(Skipped::NotAChatRequest)
    } else if is_compressed(request.headers()) {
        Admission::Skip(Skipped::Compressed)
    } else if request.body().size_hint().lower() > limit as u64 {
        Admission::Skip(Skipped::TooLarge { limit })
    } else {
        Admission::Read
    }
}

/// Whether the content type is `application/json` in any case, ends in `+json`, or is
/// missing, as some hand-written clients leave it out.
fn has_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let essence = value.as_bytes().split(|&byte| byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    let ends_with = |suffix: &[u8]| {
        essence.len() > suffix.len()
            && essence[essence.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    essence.eq_ignore_ascii_case(b"application/json") || ends_with(b"+json")
}

/// Whether the body has a content encoding other than `identity`.
pub(crate) fn is_compressed(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}
