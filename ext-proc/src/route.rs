//! What the route of a request says, in the metadata with which Envoy opens the gRPC
//! stream.
//!
//! The operator sets it in Envoy (`grpc_initial_metadata`). Headers of the client are part
//! of a message in the stream, and never of its metadata.

use tonic::metadata::{KeyAndValueRef, MetadataMap};
use tower_moonshot::{ConfigError, Region};

/// All settings begin with it, so that a misspelt one is noticed.
const PREFIX: &str = "moonshot-";

const REGION: &str = "moonshot-region";
const ENTRY: &str = "moonshot-entry";
const NO_REWRITE: &str = "moonshot-no-rewrite";
const NO_RESPONSE_REPAIRS: &str = "moonshot-no-response-repairs";
const NO_REASONING_MEMORY: &str = "moonshot-no-reasoning-memory";

const REGIONS: &str = "global, china, kimi-code or kimi-code-china";

/// The settings of one route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Route {
    /// The region of the entries that serve its requests.
    pub(crate) region: Option<Region>,
    /// The name of the entries that serve its requests.
    pub(crate) entry: Option<String>,
    /// Whether only path, host and key are changed.
    pub(crate) no_rewrite: bool,
    pub(crate) no_response_repairs: bool,
    pub(crate) no_reasoning_memory: bool,
}

impl Route {
    /// # Errors
    ///
    /// The first setting that is unknown, repeated or has a wrong value.
    pub(crate) fn of(metadata: &MetadataMap) -> Result<Self, String> {
        let mut route = Self::default();
        for pair in metadata.iter() {
            let KeyAndValueRef::Ascii(key, value) = pair else {
                continue;
            };
            let name = key.as_str();
            if !name.starts_with(PREFIX) {
                continue;
            }
            if metadata.get_all(name).iter().nth(1).is_some() {
                return Err(format!("{name} appears more than once"));
            }
            let value = value.to_str().map_err(|error| format!("{name}: {error}"))?;
            match name {
                REGION => {
                    let region = value.parse();
                    route.region = Some(region.map_err(|error: ConfigError| {
                        format!("{name}: {error}, or a region: {REGIONS}")
                    })?);
                }
                ENTRY => route.entry = Some(value.to_owned()),
                NO_REWRITE => route.no_rewrite = switch(name, value)?,
                NO_RESPONSE_REPAIRS => route.no_response_repairs = switch(name, value)?,
                NO_REASONING_MEMORY => route.no_reasoning_memory = switch(name, value)?,
                _ => {
                    return Err(format!(
                        "unknown setting {name}; expected {REGION}, {ENTRY}, {NO_REWRITE}, \
                         {NO_RESPONSE_REPAIRS} or {NO_REASONING_MEMORY}"
                    ));
                }
            }
        }
        Ok(route)
    }

    /// Whether any entry may serve its requests.
    pub(crate) const fn is_for_all(&self) -> bool {
        self.region.is_none() && self.entry.is_none()
    }
}

fn switch(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{name} is {value:?}; expected true or false")),
    }
}

#[cfg(test)]
mod tests {
    use tonic::metadata::MetadataValue;

    use super::*;

    fn route(metadata: &[(&'static str, &'static str)]) -> Result<Route, String> {
        let mut map = MetadataMap::new();
        for (key, value) in metadata {
            map.append(*key, MetadataValue::from_static(value));
        }
        Route::of(&map)
    }

    #[test]
    fn settings_are_read_and_the_rest_of_the_metadata_is_left_alone() {
        assert_eq!(route(&[("x-request-id", "1")]), Ok(Route::default()));
        let route = route(&[
            ("moonshot-region", "china"),
            ("moonshot-entry", "team-a/*"),
            ("moonshot-no-rewrite", "true"),
            ("moonshot-no-response-repairs", "false"),
            ("moonshot-no-reasoning-memory", "true"),
        ]);
        let expected = Route {
            region: Some(Region::China),
            entry: Some("team-a/*".to_owned()),
            no_rewrite: true,
            no_response_repairs: false,
            no_reasoning_memory: true,
        };
        assert_eq!(route, Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (metadata, problem) in [
            (
                &[("moonshot-region", "chna")][..],
                "moonshot-region: base URL \"chna\" has no scheme; expected something like \
                 https://api.moonshot.ai/v1, or a region: global, china, kimi-code or",
            ),
            (
                &[("moonshot-no-rewrite", "yes")],
                "moonshot-no-rewrite is \"yes\"; expected true or false",
            ),
            (
                &[("moonshot-no-rewrite", "")],
                "moonshot-no-rewrite is \"\"",
            ),
            (
                &[("moonshot-no-rewrites", "true")],
                "unknown setting moonshot-no-rewrites; expected moonshot-region",
            ),
            (
                &[("moonshot-region", "china"), ("moonshot-region", "global")],
                "moonshot-region appears more than once",
            ),
        ] {
            let found = route(metadata).unwrap_err();
            assert!(found.starts_with(problem), "{found}");
        }
    }
}
