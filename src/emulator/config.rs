//! The settings of an emulator.

use std::fmt;

use http::{HeaderMap, header};

use super::{
    error::ApiError,
    facts,
    failure::Failure,
    family::{CATALOGUE, Family},
    finding::Finding,
    quirk::Quirks,
    thoughts::Thoughts,
};

/// The settings that the builder methods change.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub(super) keys: Vec<Key>,
    /// The ids on sale, if not those of the catalogue.
    pub(super) models: Option<Vec<String>>,
    pub(super) unknown_models: bool,
    /// Runs of failures, in order.
    pub(super) failures: Vec<(usize, Failure)>,
    pub(super) quirks: Quirks,
    pub(super) thoughts: Thoughts,
}

/// An API key, which is not printed.
#[derive(Clone)]
pub(super) struct Key(pub(super) String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Config {
    pub(super) fn check_key(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let sent = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::trim)
            .filter(|key| !key.is_empty());
        match sent {
            None => Err(Finding::new(&facts::KEY_MISSING, &[]).into()),
            Some(sent) if self.keys.iter().any(|Key(key)| key == sent) => Ok(()),
            Some(_) => Err(Finding::new(&facts::KEY_WRONG, &[]).into()),
        }
    }

    /// The ids that `GET …/v1/models` lists.
    pub(super) fn models(&self) -> Vec<&str> {
        match &self.models {
            Some(models) => models.iter().map(String::as_str).collect(),
            None => CATALOGUE.to_vec(),
        }
    }

    /// Whether a model is on sale.
    pub(super) fn sells(&self, model: &str) -> bool {
        let listed = match &self.models {
            Some(models) => models.iter().any(|listed| listed == model),
            None => Family::of(model) != Family::Unknown,
        };
        listed || (self.unknown_models && without_routers(model).len() == model.len())
    }

    /// The refusal of a model that is not on sale.
    pub(super) fn refusal(model: &str) -> Finding {
        let fact = if without_routers(model).len() == model.len() {
            &facts::MODEL_UNKNOWN
        } else {
            &facts::MODEL_ROUTED
        };
        Finding::new(fact, &[model])
    }

    /// How the request with this number, counted from 0, fails.
    pub(super) fn failure(&self, mut number: usize) -> Option<Failure> {
        for (requests, failure) in &self.failures {
            if number < *requests {
                return Some(*failure);
            }
            number -= requests;
        }
        None
    }
}

/// An id without the prefixes by which routers choose Moonshot, and which Moonshot itself
/// does not accept.
pub(super) fn without_routers(mut model: &str) -> &str {
    while let Some((router, rest)) = model.split_once('/') {
        let is_moonshot = ["moonshot", "moonshotai"]
            .iter()
            .any(|name| router.eq_ignore_ascii_case(name));
        if !is_moonshot {
            break;
        }
        model = rest;
    }
    model
}
