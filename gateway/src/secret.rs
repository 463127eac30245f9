//! Finds the upstream's API key in its responses.

use axum::http::{HeaderMap, HeaderValue};
use memchr::memmem;

/// The shortest key that responses are searched for. A shorter one occurs in text by
/// chance: a key of one letter would remove almost every header.
const MIN_LENGTH: usize = 8;

/// The API key that a request was sent with.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    authorization: HeaderValue,
    /// Where the key begins, behind the scheme.
    start: usize,
}

impl Secret {
    /// `None` if there is no key, or one that is too short to be searched for.
    pub(crate) fn of(authorization: Option<&HeaderValue>) -> Option<Self> {
        let authorization = authorization?.clone();
        let space = memchr::memrchr(b' ', authorization.as_bytes());
        let start = space.map_or(0, |space| space + 1);
        let is_long = authorization.len() - start >= MIN_LENGTH;
        is_long.then_some(Self {
            authorization,
            start,
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.authorization.as_bytes()[self.start..]
    }

    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        memmem::find(text, self.bytes()).is_some()
    }

    /// Removes the values that contain the key.
    pub(crate) fn remove_from(&self, headers: &mut HeaderMap) {
        let finder = memmem::Finder::new(self.bytes());
        let has_key = |value: &HeaderValue| finder.find(value.as_bytes()).is_some();
        if !headers.values().any(has_key) {
            return;
        }
        let mut last = None;
        *headers = std::mem::take(headers)
            .into_iter()
            .filter_map(|(name, value)| {
                // Of several values only the first comes with the name.
                last = name.or(last.take());
                last.clone().map(|name| (name, value))
            })
            .filter(|(_, value)| !has_key(value))
            .collect();
    }
}
