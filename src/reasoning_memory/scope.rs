//! Who may see a thought.

use std::fmt;

use http::{Extensions, HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};

/// What the digests begin with. It keeps the digest of a header apart from that of a name,
/// and is part of the keys in shared stores: it never changes. None of them begins like
/// another.
const OF_NAME: &[u8] = b"tower-moonshot scope, by name, v1: ";
const OF_HEADER: &[u8] = b"tower-moonshot scope, by authorization, v1: ";

/// The boundary that no thought crosses: a tenant, a user, a session.
///
/// In the extensions of a request, it replaces the caller's `Authorization`, which is the
/// scope of requests without it. Insert it in an authentication layer outside of
/// [`ReasoningMemory`](super::ReasoningMemory) if several callers share a key, or if one
/// caller has several.
///
/// Holds a digest, not the name. Debug output shows neither.
///
/// ```
/// use http::Request;
/// use tower_moonshot::reasoning_memory::ReasoningScope;
///
/// let mut request = Request::post("/v1/chat/completions").body(())?;
/// request.extensions_mut().insert(ReasoningScope::new("tenant-42"));
///
/// assert_eq!(ReasoningScope::new("tenant-42"), ReasoningScope::new(b"tenant-42"));
/// assert_ne!(ReasoningScope::new("tenant-42"), ReasoningScope::new("tenant-43"));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReasoningScope {
    digest: [u8; 32],
}

impl ReasoningScope {
    /// Creates the scope with this name, of any length.
    #[must_use]
    pub fn new(name: impl AsRef<[u8]>) -> Self {
        Self {
            digest: digest(OF_NAME, name.as_ref()),
        }
    }

    /// The scope of a request: that in its extensions, else the digest of its
    /// `Authorization`. `None` if it has neither.
    pub(super) fn of(extensions: &Extensions, headers: &HeaderMap) -> Option<Self> {
        extensions
            .get()
            .copied()
            .or_else(|| Self::of_authorization(headers))
    }

    fn of_authorization(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next()?.as_bytes().trim_ascii();
        // Which of several counts depends on who reads them.
        if values.next().is_some() || !has_credentials(value) {
            return None;
        }
        Some(Self {
            digest: digest(OF_HEADER, value),
        })
    }

    pub(super) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

fn digest(context: &[u8], name: &[u8]) -> [u8; 32] {
    let digest = Sha256::new().chain_update(context).chain_update(name);
    digest.finalize().into()
}

/// Whether something follows the scheme. `Bearer` alone is what many clients send
/// without a key.
fn has_credentials(authorization: &[u8]) -> bool {
    let mut words = authorization
        .split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.is_empty());
    words.next().is_some_and(|scheme| {
        let is_scheme = [&b"bearer"[..], b"basic"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known));
        !is_scheme || words.next().is_some()
    })
}

impl fmt::Debug for ReasoningScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReasoningScope").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(values: &[&'static str]) -> Option<ReasoningScope> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        ReasoningScope::of(&Extensions::new(), &headers)
    }

    #[test]
    fn without_credentials_there_is_no_scope() {
        for values in [
            &[][..],
            &[""],
            &["Bearer"],
            &["bearer "],
            &["Basic"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(of(values), None, "{values:?}");
        }
    }

    #[test]
    fn each_key_is_a_scope_of_its_own() {
        let scope = of(&["Bearer sk-a"]).unwrap();
        assert_eq!(of(&["Bearer sk-a "]), Some(scope));
        for other in ["Bearer sk-b", "bearer sk-a", "sk-a", "Basic sk-a"] {
            assert_ne!(of(&[other]).unwrap(), scope, "{other}");
        }
        assert_ne!(ReasoningScope::new("Bearer sk-a"), scope);
    }

    #[test]
    fn the_scope_in_the_extensions_replaces_the_key() {
        let mut extensions = Extensions::new();
        extensions.insert(ReasoningScope::new("tenant"));
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("sk-a"))]);
        let scope = ReasoningScope::of(&extensions, &headers);
        assert_eq!(scope, Some(ReasoningScope::new("tenant")));
    }

    #[test]
    fn its_digest_stays_out_of_debug_output() {
        let scope = format!("{:?}", ReasoningScope::new("tenant"));
        assert_eq!(scope, "ReasoningScope { .. }");
    }
}
