//! The settings of an emulator.

use std::fmt;

use http::{HeaderMap, StatusCode, header};

use super::{
    error::ApiError,
    failure::Failure,
    family::{CATALOGUE, Family},
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
            None => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "invalid_authentication_error",
                "Invalid Authentication",
            )),
            Some(sent) if self.keys.iter().any(|Key(key)| key == sent) => Ok(()),
            Some(_) => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "incorrect_api_key_error",
                "Incorrect API key provided",
            )),
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
        listed || (self.unknown_models && !is_routed(model))
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

/// Whether an id has the prefix by which routers choose Moonshot, and which
/// Moonshot itself does not accept.
fn is_routed(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    model.starts_with("moonshot/") || model.starts_with("moonshotai/")
}
