//! Decides which clients share the thoughts that are kept.

use http::{HeaderName, Request};
use tower_moonshot::reasoning_memory::ReasoningScope;

use crate::client_key::{ClientKey, PLACES};

/// Marks a request, in its extensions, whose owner is unknown. Its thoughts are neither
/// restored nor kept.
#[derive(Clone, Copy, Debug)]
pub struct Unscoped;

/// Whose thoughts a request may get. Clients with different keys never share them.
#[derive(Clone, Debug)]
pub struct Scopes {
    /// The header that tells users with the same key apart.
    header: Option<HeaderName>,
}

impl Scopes {
    /// Tells users with the same key apart by `header`, if any.
    #[must_use]
    pub const fn new(header: Option<HeaderName>) -> Self {
        Self { header }
    }

    /// Puts the scope of a request with this `key` into its extensions, or [`Unscoped`]
    /// if there is neither a key nor the header, or the header is missing, empty or
    /// repeated. The place in which the key was sent makes no difference.
    pub fn mark<B>(&self, request: &mut Request<B>, key: Option<&ClientKey>) {
        let key = key.map(ClientKey::canonical);
        let name = match &self.header {
            None => key.map(|key| name_of(&key, b"")),
            Some(header) => {
                let mut values = request.headers().get_all(header).iter();
                let user = values.next().map(|value| value.as_bytes().trim_ascii());
                let user = user.filter(|user| values.next().is_none() && !user.is_empty());
                user.map(|user| name_of(&key.unwrap_or_default(), user))
            }
        };
        match name.map(ReasoningScope::new) {
            Some(scope) => request.extensions_mut().insert(scope).map(drop),
            None => request.extensions_mut().insert(Unscoped).map(drop),
        };
    }
}

/// Parses the value of `--reasoning-scope-header`.
///
/// # Errors
///
/// It is not the name of a header, or that of one in which clients send their key.
pub fn parse(name: &str) -> Result<HeaderName, String> {
    let name: HeaderName = name
        .parse()
        .map_err(|_| "expected the name of a header, such as x-user".to_owned())?;
    if PLACES.contains(&name) {
        return Err(
            "clients send their key in this header, which tells them apart anyway".to_owned(),
        );
    }
    Ok(name)
}

/// A name that no other key and user have.
fn name_of(key: &[u8], user: &[u8]) -> Vec<u8> {
    let length = u64::try_from(key.len()).unwrap_or(u64::MAX);
    [&length.to_be_bytes(), key, user].concat()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

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
        let key = ClientKey::take(request.headers_mut()).unwrap();
        Scopes::new(header.map(HeaderName::from_static)).mark(&mut request, key.as_ref());
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
            &[("x-api-key", ""), ("x-litellm-api-key", "Bearer ")],
        ] {
            assert_eq!(scope(None, sent), None, "{sent:?}");
        }
    }

    #[test]
    fn a_key_has_the_same_scope_in_each_place() {
        let a = scope(None, &[("authorization", "Bearer a")]).unwrap();
        for sent in [
            &[("x-api-key", "a")][..],
            &[("x-litellm-api-key", "a")],
            &[("x-litellm-api-key", "bearer  a")],
            &[("authorization", "bearer a"), ("x-api-key", "b")],
            &[("x-litellm-api-key", "a"), ("authorization", "Bearer b")],
            &[("x-litellm-api-key", " "), ("x-api-key", "a")],
        ] {
            assert_eq!(scope(None, sent), Some(a), "{sent:?}");
        }
        for other in [
            &[("authorization", "a")][..],
            &[("authorization", "Basic a")],
            &[("x-api-key", "b"), ("x-user", "a")],
            &[("x-litellm-api-key", "b"), ("authorization", "Bearer a")],
        ] {
            assert_ne!(scope(None, other), Some(a), "{other:?}");
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
        ] {
            assert_eq!(of(sent), None, "{sent:?}");
        }
    }
}
