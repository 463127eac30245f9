//! The configuration of a layer.

use std::time::Duration;

use crate::{ModelAliases, config::MAX_BODY_BYTES};

#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) aliases: ModelAliases,
    pub(super) store_timeout: Duration,
    pub(super) max_thought_bytes: usize,
    pub(super) max_body_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            aliases: ModelAliases::default(),
            store_timeout: Duration::from_millis(50),
            max_thought_bytes: 1024 * 1024,
            max_body_bytes: MAX_BODY_BYTES,
        }
    }
}
