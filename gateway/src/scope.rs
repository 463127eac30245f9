//! Decides which clients share the thoughts that are kept.

use axum::http::{HeaderName, Request, header::AUTHORIZATION};
use tower_moonshot::reasoning_memory::ReasoningScope;

/// Marks a request, in its extensions, whose owner is unknown. Its thoughts are neither
/// restored nor kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unscoped;

/// Whose thoughts a request may get. Clients with different keys never share them.
#[derive(Clone, Debug)]
pub(crate) struct Scopes {
    /// The header that tells users with the same key apart.
    header: Option<HeaderName>,
}

impl Scopes {
    pub(crate) const fn new(header: Option<HeaderName>) -> Self {
        Self { header }
    }

    /// Puts the scope of a request into its extensions, or [`Unscoped`] if the header is
    /// missing, empty or repeated. Has to be called before the key is removed.
    pub(crate) fn mark<B>(&self, request: &mut Request<B>) {
        let headers = request.headers();
        let mut keys = headers.get_all(AUTHORIZATION).iter();
        let key = keys.next().map(|key| key.as_bytes().trim_ascii());
        let is_only_key = keys.next().is_none();
        let user = self.header.as_ref().map(|name| {
            let mut values = headers.get_all(name).iter();
            let value = values.next().map(|value| value.as_bytes().trim_ascii());
            let is_only_value = values.next().is_none();
            value.filter(|value| is_only_value && !value.is_empty())
        });
        let name = match (key, user) {
            _ if !is_only_key => None,
            (key, Some(Some(user))) => Some(name_of(key.unwrap_or_default(), user)),
            (Some(key), None) if has_credentials(key) => Some(name_of(key, b"")),
            _ => None,
        };
        match name.map(ReasoningScope::new) {
            Some(scope) => request.extensions_mut().insert(scope).map(drop),
            None => request.extensions_mut().insert(Unscoped).map(drop),
        };
    }
}

/// A name that no other key and user have.
fn name_of(key: &[u8], user: &[u8]) -> Vec<u8> {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX);
    [&length.to_be_bytes(), key, user].concat()
}

/// Whether something follows `Bearer`, which many clients send alone if they have no key.
fn has_credentials(authorization: &[u8]) -> bool {
    !authorization.is_empty() && !authorization.eq_ignore_ascii_case(b"bearer")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn scope(
        header: Option<&'static str>,
        sent: &[(&'static str, &'static str)],
    ) -> Option<ReasoningScope> {
        let mut request = Request::new(());
        for (name, value) in sent {
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(*name, value);
        }
        Scopes::new(header.map(HeaderName::from_static)).mark(&mut request);
        let extensions = request.extensions();
        let scope = extensions.get::<ReasoningScope>().copied();
        assert_eq!(scope.is_none(), extensions.get::<Unscoped>().is_some());
        scope
    }

    #[test]
    fn without_a_header_each_key_is_a_scope() {
        let a = scope(None, &[("authorization", "Bearer a"), ("x-user", "1")]).unwrap();
        assert_eq!(scope(None, &[("authorization", "Bearer a ")]), Some(a));
        assert_ne!(scope(None, &[("authorization", "Bearer b")]), Some(a));
        for sent in [
            &[][..],
            &[("authorization", "")],
            &[("authorization", "Bearer")],
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
        ] {
            assert_eq!(scope(None, sent), None, "{sent:?}");
        }
    }

    #[test]
    fn with_a_header_each_user_of_each_key_is_a_scope() {
        let of = |sent| scope(Some("x-user"), sent);
        let a1 = of(&[("authorization", "Bearer a"), ("x-user", "1")]).unwrap();
        let others = [
            &[("authorization", "Bearer a"), ("x-user", "2")][..],
            &[("authorization", "Bearer b"), ("x-user", "1")],
            &[("authorization", "Bearer"), ("x-user", "a1")],
            &[("x-user", "Bearer a1")],
            &[("x-user", "1")],
        ];
        for other in others {
            assert_ne!(of(other).unwrap(), a1, "{other:?}");
        }
        for sent in [
            &[("authorization", "Bearer a")][..],
            &[("authorization", "Bearer a"), ("x-user", " ")],
            &[
                ("authorization", "Bearer a"),
                ("x-user", "1"),
                ("x-user", "2"),
            ],
            &[
                ("authorization", "Bearer a"),
                ("authorization", "Bearer b"),
                ("x-user", "1"),
            ],
        ] {
            assert_eq!(of(sent), None, "{sent:?}");
        }
    }
}
