//! The configuration: what [`InlineMediaLayer`](super::InlineMediaLayer) builds and the
//! service reads.

use std::time::Duration;

use http::HeaderValue;

use super::destinations::Destinations;
use crate::config::MAX_BODY_BYTES;

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The configuration of one layer, shared by its services.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) destinations: Destinations,
    pub(super) user_agent: HeaderValue,
    pub(super) max_items: usize,
    pub(super) max_bytes: usize,
    pub(super) max_total_bytes: usize,
    pub(super) timeout: Duration,
    pub(super) max_body_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            destinations: Destinations::public(),
            user_agent: HeaderValue::from_static(USER_AGENT),
            max_items: 10,
            max_bytes: 20_000_000,
            // 67 MB in base64, of the 100 MB that Moonshot accepts (documented).
            max_total_bytes: 50_000_000,
            timeout: Duration::from_secs(20),
            max_body_bytes: MAX_BODY_BYTES,
        }
    }
}
