//! Reads `Content-Encoding`, whose names ignore case and have an alias.

use axum::http::{HeaderMap, HeaderValue, Request, header::CONTENT_ENCODING};

/// Writes the header of a request as decompression expects it.
pub(crate) fn of_request<B>(mut request: Request<B>) -> Request<B> {
    normalize(request.headers_mut());
    request
}

/// Writes a list of one coding in its usual form: in lower case, `gzip` for its alias
/// `x-gzip`, and without `identity`, which means nothing. A list of several becomes
/// one value, which is of no supported coding.
pub(crate) fn normalize(headers: &mut HeaderMap) {
    if !headers.contains_key(CONTENT_ENCODING) {
        return;
    }
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for coding in value.as_bytes().split(|byte| *byte == b',') {
            match coding.trim_ascii().to_ascii_lowercase().as_slice() {
                b"" | b"identity" => {}
                b"x-gzip" => codings.push(b"gzip".to_vec()),
                coding => codings.push(coding.to_vec()),
            }
        }
    }
    headers.remove(CONTENT_ENCODING);
    if codings.is_empty() {
        return;
    }
    // Parts of valid values are valid.
    if let Ok(value) = HeaderValue::from_bytes(&codings.join(&b", "[..])) {
        headers.insert(CONTENT_ENCODING, value);
    }
}
