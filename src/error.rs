//! What can be wrong with a configuration.

use std::fmt;

/// A configuration that can't work. Says what was given and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A base URL that is none.
    BaseUrl {
        /// What was given.
        given: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An API key that can't stand in a header. The key itself is not kept.
    ApiKey,
    /// An alias whose target is the name of an alias.
    AliasOfAlias {
        /// The alias.
        name: String,
        /// Its target, which is an alias too.
        target: String,
    },
    /// An alias with an empty name or target.
    EmptyAlias,
    /// A network that is none.
    #[cfg(feature = "inline-media")]
    #[cfg_attr(docsrs, doc(cfg(feature = "inline-media")))]
    Network {
        /// What was given.
        given: String,
    },
    /// A host that is none.
    #[cfg(feature = "inline-media")]
    #[cfg_attr(docsrs, doc(cfg(feature = "inline-media")))]
    Host {
        /// What was given.
        given: String,
    },
    /// An environment variable that is not UTF-8.
    NotUnicode {
        /// The name of the variable.
        variable: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrl { given, problem } => write!(
                f,
                "base URL {given:?} {problem}; expected something like https://api.moonshot.ai/v1"
            ),
            Self::ApiKey => f.write_str(
                "the API key is empty or has characters other than visible ASCII; \
                 expected something like sk-…",
            ),
            Self::AliasOfAlias { name, target } => write!(
                f,
                "alias {name:?} points to {target:?}, which is an alias too; \
                 names are looked up once, so it has to point to a model"
            ),
            Self::EmptyAlias => f.write_str("an alias needs a name and a model to point to"),
            #[cfg(feature = "inline-media")]
            Self::Network { given } => write!(
                f,
                "{given:?} is not a network; expected something like 10.0.0.0/8 or fd00::1"
            ),
            #[cfg(feature = "inline-media")]
            Self::Host { given } => write!(
                f,
                "{given:?} is not a host; expected something like images.example.com, without a port"
            ),
            Self::NotUnicode { variable } => {
                write!(f, "the environment variable {variable} is not valid UTF-8")
            }
        }
    }
}

impl std::error::Error for ConfigError {}
