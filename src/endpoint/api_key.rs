//! The key that is sent to Moonshot.

use std::{fmt, str::FromStr};

use http::HeaderValue;

use crate::ConfigError;

/// An API key. It is kept out of debug output and marked as sensitive in headers.
///
/// In the extensions of a request, it overrides the layer's key for that request.
///
/// ```
/// use tower_moonshot::ApiKey;
///
/// let key = ApiKey::new("sk-secret")?;
/// assert!(!format!("{key:?}").contains("secret"));
/// assert!(ApiKey::new("sk-secret\n").is_err());
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApiKey(
    /// The value of the `Authorization` header.
    pub(super) HeaderValue,
);

impl ApiKey {
    /// Creates a key from the text that Moonshot's console shows, without `Bearer`.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::ApiKey`] if the key is empty or contains characters
    /// other than visible ASCII.
    pub fn new(key: impl AsRef<str>) -> Result<Self, ConfigError> {
        let key = key.as_ref();
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ConfigError::ApiKey);
        }
        let mut value =
            HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| ConfigError::ApiKey)?;
        value.set_sensitive(true);
        Ok(Self(value))
    }
}

impl TryFrom<&str> for ApiKey {
    type Error = ConfigError;

    fn try_from(key: &str) -> Result<Self, ConfigError> {
        Self::new(key)
    }
}

impl TryFrom<String> for ApiKey {
    type Error = ConfigError;

    fn try_from(key: String) -> Result<Self, ConfigError> {
        Self::new(key)
    }
}

impl FromStr for ApiKey {
    type Err = ConfigError;

    fn from_str(key: &str) -> Result<Self, ConfigError> {
        Self::new(key)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_from_any_kind_of_string() {
        let key = ApiKey::new("sk-test").unwrap();
        assert_eq!(ApiKey::try_from("sk-test"), Ok(key.clone()));
        assert_eq!(ApiKey::try_from("sk-test".to_owned()), Ok(key.clone()));
        assert_eq!("sk-test".parse(), Ok(key));
        for bad in ["", " ", "sk-\u{e9}", "sk test", "sk-\r\n"] {
            assert_eq!(ApiKey::new(bad), Err(ConfigError::ApiKey), "{bad:?}");
        }
    }
}
