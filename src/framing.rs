//! Updates headers and trailers that describe the body after it has changed.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

/// Headers and trailers with a digest of the body.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Updates headers and trailers for a changed body of `length` bytes.
pub(crate) fn reframe(headers: &mut HeaderMap, trailers: Option<&mut HeaderMap>, length: usize) {
    // hyper trusts an existing `Content-Length`. A value that is too small truncates the
    // body, and one that is too large makes the server wait for more.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.remove(TRANSFER_ENCODING);
    remove_digests(headers);
    if let Some(trailers) = trailers {
        remove_digests(trailers);
    }
}

/// Removes the fields that describe the bytes of a body.
pub(crate) fn remove_digests(fields: &mut HeaderMap) {
    for digest in &DIGESTS {
        fields.remove(digest);
    }
}
