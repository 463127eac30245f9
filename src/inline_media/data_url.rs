//! How bytes stand in a body.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::media_type::MediaType;

/// A JSON string with a `data:` URL in it, written once, into a buffer of its
/// length. None of its characters needs an escape.
pub(super) fn json_string(media_type: MediaType, content: &[u8]) -> Bytes {
    let head = ["\"data:", media_type.as_str(), ";base64,"];
    let encoded = content.len().div_ceil(3) * 4;
    let length = head.iter().map(|part| part.len()).sum::<usize>() + encoded + 1;
    let mut string = String::with_capacity(length);
    string.extend(head);
    STANDARD.encode_string(content, &mut string);
    string.push('"');
    debug_assert_eq!((string.len(), string.capacity()), (length, length));
    Bytes::from(string)
}

/// How many bytes of content fit into so many of JSON, as this many strings.
pub(super) const fn content_that_fits(room: usize, strings: usize) -> usize {
    // Quotes, the longest name, and what base64 needs to come out even.
    const FRAME: usize = "\"data:video/x-ms-wmv;base64,====\"".len();

    room.saturating_sub(strings.saturating_mul(FRAME)) / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_fits_its_buffer() {
        for (content, expected) in [
            ("", "\"data:image/png;base64,\""),
            ("f", "\"data:image/png;base64,Zg==\""),
            ("fo", "\"data:image/png;base64,Zm8=\""),
            ("foo", "\"data:image/png;base64,Zm9v\""),
            ("foob", "\"data:image/png;base64,Zm9vYg==\""),
        ] {
            assert_eq!(json_string(MediaType::Png, content.as_bytes()), expected);
        }
    }
}
