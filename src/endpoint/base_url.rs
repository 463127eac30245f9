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
        let mut path = path.path().trim_end_matches('/');
        // As often as it is there, or the base URL would be another when it is displayed
        // and parsed again.
        while let Some(base) = path.strip_suffix(CHAT_COMPLETIONS) {
            path = base.trim_end_matches('/');
        }
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
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Base URLs in every spelling that is accepted.
    fn accepted() -> impl Strategy<Value = String> {
        let segment = prop_oneof![
            Just("/"),
            Just("/v1"),
            Just("/chat"),
            Just("/completions"),
            Just("/chat/completions"),
            Just("/a%2Fb"),
            Just("/%e6%9c%88"),
            Just("/.."),
            Just("/~A:@!$&'()*+,;=-._"),
        ];
        let parts = (
            prop::sample::select(&["http", "https", "HTTP", "hTTps"][..]),
            prop::sample::select(
                &[
                    "h",
                    "API.moonshot.AI",
                    "a-b.example.",
                    "127.0.0.1",
                    "[::1]",
                    "[2001:DB8::A]",
                    "xn--caf-dma.example",
                ][..],
            ),
            prop::sample::select(&["", ":80", ":443", ":1", ":65535"][..]),
            prop::collection::vec(segment, 0..6),
        );
        parts.prop_map(|(scheme, host, port, path)| {
            format!("{scheme}://{host}{port}{}", path.concat())
        })
    }

    fn check(base: &BaseUrl) {
        let shown = base.to_string();
        assert_eq!(shown.parse().as_ref(), Ok(base), "{shown}");
        assert!(!shown.ends_with('/') && !shown.ends_with(CHAT_COMPLETIONS));
        for end in ["/", "//", "/chat/completions", "//chat/completions//"] {
            assert_eq!(format!("{shown}{end}").parse().as_ref(), Ok(base));
        }
    }

    proptest! {
        #[test]
        fn a_base_url_that_is_displayed_and_parsed_is_the_same(given in accepted()) {
            let base: BaseUrl = given.parse().unwrap();
            check(&base);
            let shown = base.to_string();
            let lower = |text: &str| text.to_ascii_lowercase();
            prop_assert!(lower(&given).starts_with(&lower(&shown)), "{} {}", given, shown);
        }

        #[test]
        fn so_is_any_that_is_accepted(
            scheme in "https?://|HTTP://|",
            rest in "[ -~é月]{0,12}(/[ -~é月]{0,8}){0,3}(/chat/completions)?/?",
        ) {
            if let Ok(base) = format!("{scheme}{rest}").parse::<BaseUrl>() {
                check(&base);
            }
        }

        #[test]
        fn a_user_is_refused(user in "[a-zA-Z0-9%:]{1,8}", given in accepted()) {
            let given = given.replace("://", &format!("://{user}@"));
            let error = given.parse::<BaseUrl>().unwrap_err().to_string();
            prop_assert!(error.contains("has a user"), "{}", error);
        }
    }
}
