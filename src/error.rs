//! Errors of the configuration.

use std::fmt;

/// An invalid setting. The message names what was given and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// The base URL could not be parsed.
    #[non_exhaustive]
    BaseUrl {
        /// The text that was given.
        given: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The API key can't be sent in a header. The key itself is not kept.
    ApiKey,
    /// The target of an alias is the name of an alias.
    #[non_exhaustive]
    AliasOfAlias {
        /// The alias.
        name: String,
        /// Its target, which is an alias too.
        target: String,
    },
    /// The name or the target of an alias is empty.
    EmptyAlias,
    /// The id of a model is empty.
    EmptyModel,
    /// The name is not one of the accepted names, for example of a rule or a policy.
    #[non_exhaustive]
    UnknownName {
        /// What the name should be of, such as `rule`.
        of: &'static str,
        /// The text that was given.
        given: String,
        /// Every name that is accepted.
        accepted: Vec<&'static str>,
    },
    /// The network could not be parsed.
    #[cfg(feature = "inline-media")]
    #[cfg_attr(docsrs, doc(cfg(feature = "inline-media")))]
    #[non_exhaustive]
    Network {
        /// The text that was given.
        given: String,
    },
    /// The host could not be parsed.
    #[cfg(feature = "inline-media")]
    #[cfg_attr(docsrs, doc(cfg(feature = "inline-media")))]
    #[non_exhaustive]
    Host {
        /// The text that was given.
        given: String,
    },
    /// An environment variable is not valid UTF-8.
    #[non_exhaustive]
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
                "the API key is empty or contains characters other than visible ASCII; \
                 expected something like sk-…",
            ),
            Self::AliasOfAlias { name, target } => write!(
                f,
                "alias {name:?} points to {target:?}, which is itself an alias; \
                 an alias has to point to a model"
            ),
            Self::EmptyAlias => f.write_str("an alias needs a name and a model to point to"),
            Self::EmptyModel => {
                f.write_str("the model's id is empty; expected something like kimi-k3")
            }
            Self::UnknownName {
                of,
                given,
                accepted,
            } => write!(
                f,
                "unknown {of} {given:?}; expected one of {}",
                accepted.join(", ")
            ),
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
