//! Base URLs of OpenAI-style APIs.

use std::{fmt, str::FromStr};

use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};

use super::CHAT_COMPLETIONS;
use crate::ConfigError;

/// The base URL of an OpenAI-style API: scheme, authority and the path in front of
/// `/chat/completions`.
///
/// A base URL may be written with or without a slash or `/chat/completions` at its
/// end. Displayed without either, which parses to the same base URL again.
///
/// ```
/// use tower_moonshot::BaseUrl;
///
/// let base: BaseUrl = "http://127.0.0.1:8080/v1/chat/completions".parse()?;
/// assert_eq!(base.to_string(), "http://127.0.0.1:8080/v1");
///
/// let error = "api.moonshot.ai/v1".parse::<BaseUrl>().unwrap_err();
/// assert!(error.to_string().contains("has no scheme"));
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// Where chat requests are sent. It is kept whole so that using it costs no
    /// allocation.
    pub(super) chat_completions: PathAndQuery,
}

impl BaseUrl {
    /// The base URL of Moonshot's own host `authority`.
    pub(super) const fn of_moonshot(authority: Authority, chat_completions: PathAndQuery) -> Self {
        Self {
            scheme: Scheme::HTTPS,
            authority,
            chat_completions,
        }
    }

    /// The path without a slash at its end; empty for the root.
    pub(super) fn path(&self) -> &str {
        let path = self.chat_completions.path();
        &path[..path.len() - CHAT_COMPLETIONS.len()]
    }
}

impl FromStr for BaseUrl {
    type Err = ConfigError;

    fn from_str(given: &str) -> Result<Self, ConfigError> {
        let error = |problem| ConfigError::BaseUrl {
            // The text before an @ may be a password.
            given: given.rsplit('@').next().unwrap_or_default().to_owned(),
            problem,
        };
        if given.contains('#') {
            return Err(error("has a fragment"));
        }
        if !given.contains("://") {
            return Err(error("has no scheme"));
        }
        let parts = given
            .parse::<Uri>()
            .map_err(|_| error("is not a valid URL"))?
            .into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(error("has no host"));
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(error("is neither http nor https"));
        }
        if authority.as_str().contains('@') {
            return Err(error("has a user"));
        }
        if authority.host().is_empty() {
            return Err(error("has no host"));
        }
        // Without this check, a client would use the scheme's port instead.
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err(error("has an invalid port"));
        }
        let path = parts
            .path_and_query
            .unwrap_or(PathAndQuery::from_static("/"));
        if path.query().is_some() {
            return Err(error("has a query"));
        }
        let path = path.path().trim_end_matches('/');
        let path = path.strip_suffix(CHAT_COMPLETIONS).unwrap_or(path);
        let path = path.trim_end_matches('/');
        let chat_completions = PathAndQuery::try_from(format!("{path}{CHAT_COMPLETIONS}"))
            .map_err(|_| error("is too long"))?;
        Ok(Self {
            scheme,
            authority,
            chat_completions,
        })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without its end, such a path would be parsed as a shorter one.
        let path = if self.path().ends_with(CHAT_COMPLETIONS) {
            self.chat_completions.path()
        } else {
            self.path()
        };
        write!(f, "{}://{}{path}", self.scheme, self.authority)
    }
}
