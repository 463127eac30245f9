//! The API key that a client sends.

use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

/// The headers that may hold the client's key, in LiteLLM's order: the first that is
/// not empty wins. OpenAI's clients always send `Authorization`, so a key that is
/// configured for the gateway comes first.
pub const PLACES: [HeaderName; 3] = [
    HeaderName::from_static("x-litellm-api-key"),
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
];

/// The key that a client has sent, in any of the [`PLACES`].
#[derive(Clone, Debug)]
pub struct ClientKey {
    /// As an upstream gets it.
    authorization: HeaderValue,
}

/// A header that may hold the key appears twice, so that the key is ambiguous.
#[derive(Debug)]
pub struct Repeated(pub HeaderName);

impl ClientKey {
    /// Takes the key out of a request's headers: none of the [`PLACES`] is left.
    ///
    /// # Errors
    ///
    /// A header is repeated.
    pub fn take(headers: &mut HeaderMap) -> Result<Option<Self>, Repeated> {
        let mut key = None;
        for place in PLACES {
            if headers.get_all(&place).iter().nth(1).is_some() {
                return Err(Repeated(place));
            }
            let value = headers.remove(&place);
            key = key.or_else(|| Self::of(&place, value?));
        }
        Ok(key)
    }

    /// `None` if there is no key behind `Bearer`, which many clients send alone.
    fn of(place: &HeaderName, value: HeaderValue) -> Option<Self> {
        let sent = value.as_bytes().trim_ascii();
        let token = match bearer(sent) {
            Some(token) => token,
            None => sent,
        };
        if token.is_empty() || token.eq_ignore_ascii_case(b"bearer") {
            return None;
        }
        let mut authorization = match *place {
            AUTHORIZATION => value,
            _ => HeaderValue::from_bytes(&[b"Bearer ", token].concat()).ok()?,
        };
        // Keeps it out of logs and of HTTP/2's header table.
        authorization.set_sensitive(true);
        Some(Self { authorization })
    }

    /// Returns the bearer token; `None` if `Authorization` has another scheme.
    pub fn token(&self) -> Option<&[u8]> {
        bearer(self.authorization.as_bytes().trim_ascii())
    }

    /// Returns the key in a form that does not depend on the place in which, and the
    /// spelling of `Bearer` with which it was sent.
    pub fn canonical(&self) -> Vec<u8> {
        match self.token() {
            Some(token) => [b"Bearer ", token].concat(),
            None => self.authorization.as_bytes().trim_ascii().to_vec(),
        }
    }

    /// Returns the value of `Authorization` for an upstream that gets the client's key.
    pub fn into_authorization(self) -> HeaderValue {
        self.authorization
    }
}

/// Returns the token after `Bearer`, whose case does not matter.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}
