//! Where requests go: regions, base URLs, and how a path becomes one of theirs.
//!
//! Functions on URIs and headers only; nothing here is asynchronous.

use std::{fmt, str::FromStr, sync::LazyLock};

use http::{
    HeaderValue, Request, Uri, Version,
    header::{AUTHORIZATION, HOST},
    uri::{Authority, InvalidUriParts, PathAndQuery, Scheme},
};

use crate::ConfigError;

/// What makes a request one that asks for a chat completion.
const CHAT_COMPLETIONS: &str = "/chat/completions";

/// An endpoint of Moonshot's. Accounts and keys belong to one region: a key of
/// one gets 401 at the others (documented).
///
/// In the extensions of a request it overrides the layer's region for that
/// request.
///
/// ```
/// use tower_moonshot::Region;
///
/// let region = Region::custom("https://llm.example.com/moonshot/v1/")?;
/// assert_eq!(region.base_url(), "https://llm.example.com/moonshot/v1");
/// assert_eq!(Region::custom("https://api.moonshot.cn/v1")?, Region::China);
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Region {
    /// `https://api.moonshot.ai/v1`, the default.
    #[default]
    Global,
    /// `https://api.moonshot.cn/v1`.
    China,
    /// Kimi Code, global: `https://api.kimi.ai/coding/v1`. It also looks at the
    /// `User-Agent`, and answers clients it doesn't know with 403
    /// `access_terminated_error` (live reports). This layer passes both on as
    /// they are.
    KimiCode,
    /// Kimi Code, China: `https://api.kimi.com/coding/v1`. See
    /// [`KimiCode`](Self::KimiCode).
    KimiCodeChina,
    /// Any other base URL: a proxy, or a test server.
    Custom(BaseUrl),
}

static KNOWN: LazyLock<[(Region, BaseUrl); 4]> = LazyLock::new(|| {
    let https = |region, host, chat_completions| {
        let base = BaseUrl {
            scheme: Scheme::HTTPS,
            authority: Authority::from_static(host),
            chat_completions: PathAndQuery::from_static(chat_completions),
        };
        (region, base)
    };
    let (platform, code) = ("/v1/chat/completions", "/coding/v1/chat/completions");
    [
        https(Region::Global, "api.moonshot.ai", platform),
        https(Region::China, "api.moonshot.cn", platform),
        https(Region::KimiCode, "api.kimi.ai", code),
        https(Region::KimiCodeChina, "api.kimi.com", code),
    ]
});

impl Region {
    /// The region with this base URL, which may be written with or without a
    /// slash or `/chat/completions` at its end. The base URL of a known region
    /// gives that region.
    ///
    /// # Errors
    ///
    /// [`ConfigError::BaseUrl`] unless it is an absolute `http` or `https` URL
    /// without user, query and fragment.
    pub fn custom(base_url: &str) -> Result<Self, ConfigError> {
        Ok(Self::from(base_url.parse::<BaseUrl>()?))
    }

    /// The base URL, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base().to_string()
    }

    /// Two regions are one if this is the same, even if [`Region::Custom`] was
    /// used for a known one.
    pub(crate) fn base(&self) -> &BaseUrl {
        let [
            (_, global),
            (_, china),
            (_, kimi_code),
            (_, kimi_code_china),
        ] = &*KNOWN;
        match self {
            Self::Global => global,
            Self::China => china,
            Self::KimiCode => kimi_code,
            Self::KimiCodeChina => kimi_code_china,
            Self::Custom(base) => base,
        }
    }
}

impl From<BaseUrl> for Region {
    fn from(base: BaseUrl) -> Self {
        KNOWN
            .iter()
            .find(|(_, known)| *known == base)
            .map(|(region, _)| region.clone())
            .unwrap_or(Self::Custom(base))
    }
}

/// The base URL of an OpenAI-style API: scheme, authority and the path that
/// comes before `/chat/completions`.
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
    scheme: Scheme,
    authority: Authority,
    /// Where chat requests go, kept whole: to hand it out costs no allocation.
    chat_completions: PathAndQuery,
}

impl BaseUrl {
    /// Without a slash at its end; empty for the root.
    fn path(&self) -> &str {
        let path = self.chat_completions.path();
        &path[..path.len() - CHAT_COMPLETIONS.len()]
    }
}

impl FromStr for BaseUrl {
    type Err = ConfigError;

    fn from_str(given: &str) -> Result<Self, ConfigError> {
        let error = |problem| ConfigError::BaseUrl {
            // What stands before an @ may be a password.
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
        // Without this, a client would take the scheme's port in its place.
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err(error("has a port that is none"));
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
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path())
    }
}

/// An API key, kept out of debug output and marked sensitive in headers.
///
/// In the extensions of a request it overrides the layer's key for that request.
///
/// ```
/// use tower_moonshot::ApiKey;
///
/// let key = ApiKey::new("sk-secret")?;
/// assert!(!format!("{key:?}").contains("secret"));
/// assert!(ApiKey::new("sk-secret\n").is_err());
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(
    /// The value of the `Authorization` header.
    HeaderValue,
);

impl ApiKey {
    /// The key as Moonshot's console shows it, without `Bearer`.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ApiKey`] if it is empty or has characters other than
    /// visible ASCII.
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

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Whether a path asks for a chat completion, however deep its router nests.
pub(crate) fn is_chat_completions(path: &str) -> bool {
    path.ends_with(CHAT_COMPLETIONS)
}

/// Sends a request to `region`, with the key that belongs there, unless its
/// extensions name others. What the old target left behind goes: a `Host` header
/// would win over the URI, and the protocol version is one of the incoming
/// connection.
pub(crate) fn address<B>(request: &mut Request<B>, region: &Region, key: Option<&ApiKey>) {
    let uri = std::mem::take(request.uri_mut());
    let extensions = request.extensions();
    let chosen = extensions.get::<Region>();
    let key = match extensions.get::<ApiKey>() {
        // The layer's key belongs to the layer's region.
        None if chosen.is_none_or(|chosen| chosen.base() == region.base()) => key,
        own => own,
    };
    let authorization = key.map(|key| key.0.clone());
    let base = chosen.unwrap_or(region).base();
    let target = target(uri, base);
    *request.version_mut() = Version::default();
    let headers = request.headers_mut();
    headers.remove(HOST);
    if let Some(authorization) = authorization {
        headers.insert(AUTHORIZATION, authorization);
    }
    // Last: to move it right after it was made is to wait for it.
    if let Ok(target) = target {
        *request.uri_mut() = target;
    }
}

/// Where a request for `uri` goes. Never to a host that the caller named: the
/// layer's key goes with it.
///
/// Most requests are for the path that they go to. Theirs is neither copied nor
/// parsed again.
fn target(uri: Uri, base: &BaseUrl) -> Result<Uri, InvalidUriParts> {
    let moved = path_under(&uri, base);
    let mut parts = uri.into_parts();
    parts.authority = Some(base.authority.clone());
    if moved.is_some() {
        parts.path_and_query = moved;
    }
    // `CONNECT host:port` has nothing else.
    parts.scheme = parts.path_and_query.as_ref().map(|_| base.scheme.clone());
    Uri::from_parts(parts)
}

/// The path and query of `uri` under the base; `None` if they stay as they are.
fn path_under(uri: &Uri, base: &BaseUrl) -> Option<PathAndQuery> {
    let incoming = uri.path_and_query()?;
    let path = incoming.path();
    let kept = if is_chat_completions(path) {
        CHAT_COMPLETIONS
    } else if let Some(kept) = after_base(uri, base) {
        kept
    } else {
        after_version(path)
    };
    let is_there_already = base.path() == &path[..path.len() - kept.len()];
    // `OPTIONS *` has no path to move.
    if is_there_already || !path.starts_with('/') {
        return None;
    }
    let kept = &incoming.as_str()[path.len() - kept.len()..];
    if kept == CHAT_COMPLETIONS {
        return Some(base.chat_completions.clone());
    }
    let slash = if base.path().is_empty() && !kept.starts_with('/') {
        "/"
    } else {
        ""
    };
    // To the byte: `Bytes` needs a second allocation if there is room left.
    let mut moved = String::with_capacity(base.path().len() + slash.len() + kept.len());
    for part in [base.path(), slash, kept] {
        moved.push_str(part);
    }
    // One that is too long for a URI under the base stays as it is. The region
    // refuses it then, which is better than to go where the caller says.
    PathAndQuery::try_from(moved).ok()
}

/// What comes after the base in a URI that is under it already.
fn after_base<'a>(uri: &'a Uri, base: &BaseUrl) -> Option<&'a str> {
    if uri.scheme() != Some(&base.scheme) || uri.authority() != Some(&base.authority) {
        return None;
    }
    let kept = uri.path().strip_prefix(base.path())?;
    (kept.is_empty() || kept.starts_with('/')).then_some(kept)
}

/// What comes after the version segment (`/v1`). A path without one is kept whole.
fn after_version(path: &str) -> &str {
    let bytes = path.as_bytes();
    let mut pos = 0;
    while let Some(slash) = bytes[pos..].iter().position(|&byte| byte == b'/') {
        pos += slash + 1;
        let Some((b'v', number)) = bytes[pos..].split_first() else {
            continue;
        };
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit());
        let end = pos + 1 + digits.count();
        if end > pos + 1 && matches!(bytes.get(end), None | Some(b'/')) {
            return &path[end..];
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targeted(uri: &str, region: &Region) -> String {
        let target = target(uri.parse().unwrap(), region.base());
        target.unwrap().to_string()
    }

    #[test]
    fn every_path_finds_its_place_under_the_base() {
        for (incoming, expected) in [
            (
                "/v1/chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            (
                "/chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            (
                "/openai/v1/chat/completions?a=b",
                "https://api.moonshot.ai/v1/chat/completions?a=b",
            ),
            (
                "/v2/v1/chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            ("/v1/models?x=1", "https://api.moonshot.ai/v1/models?x=1"),
            (
                "/api/v1/files/v1/content",
                "https://api.moonshot.ai/v1/files/v1/content",
            ),
            ("/models", "https://api.moonshot.ai/v1/models"),
            ("/v1", "https://api.moonshot.ai/v1"),
            ("/v1?x", "https://api.moonshot.ai/v1?x"),
            ("/", "https://api.moonshot.ai/v1/"),
            (
                "/version/models",
                "https://api.moonshot.ai/v1/version/models",
            ),
            (
                "/%E6%9C%88?q=%20",
                "https://api.moonshot.ai/v1/%E6%9C%88?q=%20",
            ),
            (
                "http://old.example/v1/models",
                "https://api.moonshot.ai/v1/models",
            ),
            ("http://old.example", "https://api.moonshot.ai/v1/"),
            ("http://old.example?x=1", "https://api.moonshot.ai/v1?x=1"),
            (
                "http://[::1]:80/v1/models",
                "https://api.moonshot.ai/v1/models",
            ),
            (
                "//v1//chat/completions",
                "https://api.moonshot.ai/v1/chat/completions",
            ),
            (
                "/v1/chat%2Fcompletions",
                "https://api.moonshot.ai/v1/chat%2Fcompletions",
            ),
            (
                "/v1/chat/completions/",
                "https://api.moonshot.ai/v1/chat/completions/",
            ),
            ("old.example:443", "api.moonshot.ai"),
            ("*", "https://api.moonshot.ai*"),
        ] {
            assert_eq!(targeted(incoming, &Region::Global), expected);
        }
        let root = Region::custom("http://localhost:1").unwrap();
        assert_eq!(
            targeted("/v1/chat/completions", &root),
            "http://localhost:1/chat/completions"
        );
        assert_eq!(targeted("/v1", &root), "http://localhost:1/");
        assert_eq!(targeted("/v1?x", &root), "http://localhost:1/?x");
        assert_eq!(targeted("http://e?x", &root), "http://localhost:1/?x");
        let ipv6 = Region::custom("http://[::1]/v1").unwrap();
        assert_eq!(targeted("/v1/models", &ipv6), "http://[::1]/v1/models");
        let ipv6 = Region::custom("http://[::1]:8080/v1").unwrap();
        assert_eq!(targeted("/v1/models", &ipv6), "http://[::1]:8080/v1/models");
        assert_eq!(
            targeted("/v1/files/a", &Region::KimiCode),
            "https://api.kimi.ai/coding/v1/files/a"
        );
    }

    #[test]
    fn a_request_never_goes_to_the_host_that_its_sender_named() {
        assert_eq!(
            targeted("evil.example:443", &Region::Global),
            "api.moonshot.ai"
        );
        // Longer than a URI may be, under this base.
        let long = format!("http://evil.example/{}", "a".repeat(65_500));
        let deep = Region::custom(&format!("http://h/{}", "b".repeat(100))).unwrap();
        assert!(targeted(&long, &deep).starts_with("http://h/aaa"));
    }

    #[test]
    fn a_target_is_a_fixed_point() {
        for region in [
            Region::Global,
            Region::KimiCodeChina,
            Region::custom("http://h").unwrap(),
            Region::custom("http://h/api").unwrap(),
            Region::custom("http://h/v1/proxy").unwrap(),
        ] {
            for path in [
                "/v1/chat/completions",
                "/v1/models/kimi-k3?x=1",
                "/models",
                "/v1",
                "/v1/files/v1/content",
                "http://e?x",
            ] {
                let once = targeted(path, &region);
                assert_eq!(targeted(&once, &region), once);
            }
        }
    }

    #[test]
    fn a_path_that_gets_too_long_stays_but_its_host_does_not() {
        let elsewhere = "http://e/";
        let longest = "a".repeat(usize::from(u16::MAX) - 1 - elsewhere.len());
        assert_eq!(
            targeted(&format!("{elsewhere}{longest}"), &Region::KimiCode),
            format!("https://api.kimi.ai/{longest}")
        );
    }

    #[test]
    fn a_base_url_is_the_same_however_it_is_written() {
        for written in [
            "https://api.moonshot.cn/v1",
            "https://api.moonshot.cn/v1/",
            "https://api.moonshot.cn/v1//",
            "https://api.moonshot.cn/v1/chat/completions",
            "https://api.moonshot.cn/v1/chat/completions/",
            "HTTPS://API.moonshot.cn/v1",
        ] {
            assert_eq!(Region::custom(written), Ok(Region::China), "{written}");
        }
    }

    #[test]
    fn a_bad_base_url_says_what_is_wrong() {
        for (given, problem) in [
            ("", "has no scheme"),
            ("api.moonshot.ai/v1", "has no scheme"),
            ("/v1", "has no scheme"),
            ("ftp://api.moonshot.ai/v1", "is neither http nor https"),
            ("https://", "is not a valid URL"),
            ("https://api moonshot/v1", "is not a valid URL"),
            ("https://user:secret@api.moonshot.ai/v1", "has a user"),
            ("https://api.moonshot.ai/v1?version=1", "has a query"),
            ("https://api.moonshot.ai/v1#top", "has a fragment"),
            ("http://localhost:99999/v1", "has a port that is none"),
            ("http://[::1]:x/v1", "has a port that is none"),
            ("http://localhost:/v1", "has a port that is none"),
            ("http://:8080/v1", "has no host"),
            ("http:///v1", "is not a valid URL"),
        ] {
            let error = Region::custom(given).unwrap_err().to_string();
            assert!(error.contains(problem), "{given}: {error}");
            assert!(!error.contains("secret"));
        }
    }
}
