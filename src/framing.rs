//! Headers and trailers that describe a body, corrected once the body has changed.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};

/// Fields, of the headers or the trailers, that describe a body's bytes. They are wrong
/// once those have changed.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// Corrects headers and trailers for a changed body of this length in bytes.
pub(crate) fn reframe(headers: &mut HeaderMap, trailers: Option<&mut HeaderMap>, length: usize) {
    // hyper sends the length that the header says: too short a length cuts the body
    // off, too long a one hangs.
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.remove(TRANSFER_ENCODING);
    remove_digests(headers);
    if let Some(trailers) = trailers {
        remove_digests(trailers);
    }
}

fn remove_digests(fields: &mut HeaderMap) {
    for digest in &DIGESTS {
        fields.remove(digest);
    }
}
