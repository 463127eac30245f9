//! Encodes content as `data:` URLs.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::media_type::MediaType;

/// Returns a JSON string that contains a `data:` URL, with one allocation. Its characters
/// need no escapes.
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

/// Returns how many bytes of content fit into `room` bytes of JSON, as this many strings.
pub(super) const fn content_that_fits(room: usize, strings: usize) -> usize {
    // The quotes, the longest media type and the padding of base64.
    const FRAME: usize = "\"data:video/x-ms-wmv;base64,====\"".len();

    room.saturating_sub(strings.saturating_mul(FRAME)) / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_has_the_length_of_the_string() {
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
