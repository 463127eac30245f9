//! The request headers that are forwarded.
//!
//! A list of those that are not would be incomplete: clients and the proxies in front
//! of the gateway send credentials in headers of any name.

use std::sync::Arc;

use axum::http::{
    HeaderMap, HeaderName,
    header::{
        ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_DISPOSITION,
        CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT,
    },
};

use super::client_key::PLACES;

/// `Authorization` has the upstream's key by now, or the client's own for it.
const ALWAYS: [HeaderName; 18] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    AUTHORIZATION,
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    USER_AGENT,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("content-language"),
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
];

/// The headers of Moonshot's own clients begin with this.
const MOONSHOTS: &str = "x-msh-";

/// Words that only occur in names of headers with credentials.
const CREDENTIALS: [&str; 11] = [
    "apikey",
    "auth",
    "authorization",
    "cookie",
    "cookie2",
    "credential",
    "credentials",
    "jwt",
    "password",
    "secret",
    "token",
];

/// Headers that belong to one connection, or that the gateway sets itself.
const OWN: [&str; 8] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Which headers of a request are forwarded.
#[derive(Clone, Debug)]
pub(crate) struct ForwardedHeaders {
    /// Those of the command line.
    more: Arc<[HeaderName]>,
}

impl ForwardedHeaders {
    pub(crate) fn new(more: &[HeaderName]) -> Self {
        Self { more: more.into() }
    }

    /// Removes all other headers.
    pub(crate) fn retain(&self, headers: &mut HeaderMap) {
        let names = headers.keys();
        let others: Vec<HeaderName> = names.filter(|name| !self.has(name)).cloned().collect();
        for name in others {
            headers.remove(name);
        }
    }

    fn has(&self, name: &HeaderName) -> bool {
        ALWAYS.contains(name) || name.as_str().starts_with(MOONSHOTS) || self.more.contains(name)
    }
}

/// Parses the value of `--forward-header`.
pub(crate) fn parse(name: &str) -> Result<HeaderName, String> {
    let name: HeaderName = name
        .parse()
        .map_err(|_| "expected the name of a header, such as x-team".to_owned())?;
    if PLACES.contains(&name) || is_credential(name.as_str()) {
        return Err("headers with credentials are never forwarded".to_owned());
    }
    let is_of_a_connection = ["proxy-", "keep-alive"]
        .iter()
        .any(|start| name.as_str().starts_with(start));
    if is_of_a_connection || OWN.contains(&name.as_str()) {
        return Err(
            "this header belongs to one connection, or the gateway sets it itself".to_owned(),
        );
    }
    Ok(name)
}

/// Whether a name has one of the words of [`CREDENTIALS`], or `key` behind another word
/// than those that occur in names of other headers.
fn is_credential(name: &str) -> bool {
    let words: Vec<&str> = name.split(['-', '_', '.']).collect();
    let is_key = |pair: &[&str]| pair[1] == "key" && !matches!(pair[0], "idempotency" | "cache");
    words.iter().any(|word| CREDENTIALS.contains(word)) || words.windows(2).any(is_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_headers_of_a_connection_cannot_be_added() {
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "X-Forwarded-Authorization",
            "cookie",
            "Set-Cookie",
            "x-api-key",
            "x-litellm-api-key",
            "API-Key",
            "x-goog-api-key",
            "ocp-apim-subscription-key",
            "x-amz-security-token",
            "x-auth-token",
            "x_api_key",
            "x-apikey",
            "PRIVATE-TOKEN",
            "Connection",
            "host",
            "TE",
            "transfer-encoding",
            "content-length",
            "keep-alive",
            "proxy-connection",
            "not a name",
            "",
        ] {
            assert!(parse(name).is_err(), "{name}");
        }
        for name in ["x-team", "X-User-Id", "range", "openai-beta", "x-keyboard"] {
            assert!(parse(name).is_ok(), "{name}");
        }
    }
}
