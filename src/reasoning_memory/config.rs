//! The configuration of a layer.

use std::{sync::Arc, time::Duration};

use super::breaker::Breaker;
use crate::{ModelAliases, config::MAX_BODY_BYTES};

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) aliases: ModelAliases,
    pub(super) store_timeout: Duration,
    pub(super) max_thought_bytes: usize,
    pub(super) max_body_bytes: usize,
    /// Of the store, so layers with the same store share it.
    pub(super) breaker: Arc<Breaker>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aliases: ModelAliases::default(),
            store_timeout: Duration::from_millis(50),
            max_thought_bytes: 1024 * 1024,
            max_body_bytes: MAX_BODY_BYTES,
            breaker: Arc::default(),
        }
    }
}
