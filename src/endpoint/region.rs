//! The regions of Moonshot's API.

use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
    sync::LazyLock,
};

use http::uri::{Authority, PathAndQuery};

use super::BaseUrl;
use crate::ConfigError;

/// An endpoint of Moonshot's API.
///
/// Accounts and keys belong to one region: a key of one region gets 401 at the
/// others (documented).
///
/// In the extensions of a request, a region overrides the layer's for that request.
/// It is parsed from its name or from a base URL, and displayed as the same. Two
/// regions are equal if their base URLs are.
///
/// ```
/// use tower_moonshot::Region;
///
/// let region: Region = "https://llm.example.com/moonshot/v1/".parse()?;
/// assert_eq!(region.base_url().to_string(), "https://llm.example.com/moonshot/v1");
///
/// assert_eq!("china".parse::<Region>()?, Region::China);
/// assert_eq!("https://api.moonshot.cn/v1".parse::<Region>()?, Region::China);
/// assert_eq!(Region::KimiCode.to_string(), "kimi-code");
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Region {
    /// `global`: `https://api.moonshot.ai/v1`, the default.
    #[default]
    Global,
    /// `china`: `https://api.moonshot.cn/v1`.
    China,
    /// `kimi-code`, Kimi Code, global: `https://api.kimi.ai/coding/v1`. It also
    /// checks the `User-Agent` and answers unknown clients with 403
    /// `access_terminated_error` (live reports). The layer forwards both unchanged.
    KimiCode,
    /// `kimi-code-china`, Kimi Code, China: `https://api.kimi.com/coding/v1`. See
    /// [`KimiCode`](Self::KimiCode).
    KimiCodeChina,
    /// Any other base URL, such as a proxy or a test server.
    Custom(BaseUrl),
}

/// A region of Moonshot's own.
struct Known {
    region: Region,
    name: &'static str,
    base: BaseUrl,
}

/// The position in this table is the region's variant.
static KNOWN: LazyLock<[Known; 4]> = LazyLock::new(|| {
    let known = |region, name, host, chat_completions| Known {
        region,
        name,
        base: BaseUrl::of_moonshot(
            Authority::from_static(host),
            PathAndQuery::from_static(chat_completions),
        ),
    };
    let (platform, code) = ("/v1/chat/completions", "/coding/v1/chat/completions");
    [
        known(Region::Global, "global", "api.moonshot.ai", platform),
        known(Region::China, "china", "api.moonshot.cn", platform),
        known(Region::KimiCode, "kimi-code", "api.kimi.ai", code),
        known(
            Region::KimiCodeChina,
            "kimi-code-china",
            "api.kimi.com",
            code,
        ),
    ]
});

impl Region {
    /// Returns the region with this base URL, which may be written with or without a
    /// slash or `/chat/completions` at its end. The base URL of a known region gives
    /// that region.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::BaseUrl`] unless it is an absolute `http` or `https`
    /// URL without user, query and fragment.
    pub fn custom(base_url: &str) -> Result<Self, ConfigError> {
        Ok(Self::from(base_url.parse::<BaseUrl>()?))
    }

    /// The base URL that requests are sent to.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        match self {
            Self::Global => &KNOWN[0].base,
            Self::China => &KNOWN[1].base,
            Self::KimiCode => &KNOWN[2].base,
            Self::KimiCodeChina => &KNOWN[3].base,
            Self::Custom(base) => base,
        }
    }
}

impl PartialEq for Region {
    fn eq(&self, other: &Self) -> bool {
        self.base_url() == other.base_url()
    }
}

impl Eq for Region {}

impl Hash for Region {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.base_url().hash(state);
    }
}

impl From<BaseUrl> for Region {
    fn from(base: BaseUrl) -> Self {
        match KNOWN.iter().find(|known| known.base == base) {
            Some(known) => known.region.clone(),
            None => Self::Custom(base),
        }
    }
}

impl FromStr for Region {
    type Err = ConfigError;

    /// Parses a region's name (`global`, `china`, `kimi-code`, `kimi-code-china`) or
    /// a base URL.
    fn from_str(given: &str) -> Result<Self, ConfigError> {
        match KNOWN.iter().find(|known| known.name == given) {
            Some(known) => Ok(known.region.clone()),
            None => Self::custom(given),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match KNOWN.iter().find(|known| known.base == *self.base_url()) {
            Some(known) => f.write_str(known.name),
            None => self.base_url().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_region_is_the_one_at_its_place_in_the_table() {
        for known in KNOWN.iter() {
            assert_eq!(known.region.base_url(), &known.base);
            assert_eq!(known.region.to_string(), known.name);
            assert_eq!(known.name.parse(), Ok(known.region.clone()));
        }
    }

    #[test]
    fn regions_are_equal_if_their_base_urls_are() {
        let custom = Region::Custom("https://api.moonshot.cn/v1/".parse().unwrap());
        assert_eq!(custom, Region::China);
        assert_eq!(custom.to_string(), "china");
        assert_ne!(custom, Region::Global);
        assert_eq!(HashSet::from([custom, Region::China]).len(), 1);
    }

    #[test]
    fn a_region_that_is_displayed_and_parsed_is_the_same() {
        for given in [
            "https://api.kimi.com/coding/v1",
            "http://[::1]:8080",
            "http://h/a/v1",
            "http://h/chat/completions/chat/completions",
        ] {
            let region = Region::custom(given).unwrap();
            assert_eq!(region.to_string().parse(), Ok(region));
        }
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
            let region = Region::custom(written).unwrap();
            assert!(matches!(region, Region::China), "{written}");
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
            ("http://localhost:99999/v1", "has an invalid port"),
            ("http://[::1]:x/v1", "has an invalid port"),
            ("http://localhost:/v1", "has an invalid port"),
            ("http://:8080/v1", "has no host"),
            ("http:///v1", "is not a valid URL"),
        ] {
            let error = Region::custom(given).unwrap_err().to_string();
            assert!(error.contains(problem), "{given}: {error}");
            assert!(!error.contains("secret"));
        }
    }
}
