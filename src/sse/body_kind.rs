//! Decides from the head of a response how its body can be read.

use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

use crate::admission::is_compressed;

/// The kind of body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// `text/event-stream`: a chunk per event.
    Events,
    /// `application/json`, or any type that ends in `+json`: one object.
    Json,
}

impl BodyKind {
    /// Returns the kind of the body behind this head, or `None` if there is no body, if it is
    /// compressed, or if it has another content type.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let has_no_body = status.is_informational()
            || [
                StatusCode::NO_CONTENT,
                StatusCode::RESET_CONTENT,
                StatusCode::NOT_MODIFIED,
            ]
            .contains(&status);
        if has_no_body || is_compressed(headers) {
            return None;
        }
        let essence = headers
            .get(CONTENT_TYPE)?
            .as_bytes()
            .split(|&byte| byte == b';')
            .next()?
            .trim_ascii();
        let ends_with = |suffix: &[u8]| {
            essence.len() > suffix.len()
                && essence[essence.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
        };
        if essence.eq_ignore_ascii_case(b"text/event-stream") {
            Some(Self::Events)
        } else if essence.eq_ignore_ascii_case(b"application/json") || ends_with(b"+json") {
            Some(Self::Json)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::CONTENT_ENCODING};

    use super::*;

    fn kind(
        status: u16,
        content_type: &'static str,
        encoding: Option<&'static str>,
    ) -> Option<BodyKind> {
        let mut headers = HeaderMap::new();
        if !content_type.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if let Some(encoding) = encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        BodyKind::of(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn the_content_type_says_what_a_body_is_however_it_is_written() {
        for (content_type, expected) in [
            ("text/event-stream", Some(BodyKind::Events)),
            ("Text/Event-Stream; charset=utf-8", Some(BodyKind::Events)),
            ("application/json", Some(BodyKind::Json)),
            ("application/json;charset=UTF-8", Some(BodyKind::Json)),
            ("APPLICATION/JSON ; charset=utf-8", Some(BodyKind::Json)),
            ("application/problem+json", Some(BodyKind::Json)),
            ("+json", None),
            ("application/jsonl", None),
            ("text/html", None),
            ("", None),
        ] {
            assert_eq!(kind(200, content_type, None), expected, "{content_type}");
        }
    }

    #[test]
    fn a_compressed_body_and_none_at_all_are_not_read() {
        assert_eq!(kind(200, "application/json", Some("gzip")), None);
        assert_eq!(kind(200, "text/event-stream", Some("identity, br")), None);
        assert_eq!(
            kind(200, "application/json", Some("identity")),
            Some(BodyKind::Json)
        );
        for status in [101, 204, 205, 304] {
            assert_eq!(kind(status, "application/json", None), None, "{status}");
        }
        assert_eq!(kind(429, "application/json", None), Some(BodyKind::Json));
    }
}
