//! The configuration: what [`MoonshotCompatLayer`](crate::MoonshotCompatLayer) builds
//! and the service reads.

use bytes::Bytes;

use crate::{
    ApiKey, Region, Report, Skipped,
    body::Rope,
    overrides::Overrides,
    rewrite::{self, Settings},
};

/// Moonshot's own limit for a request body, 100 MB (documented).
pub(crate) const MAX_BODY_BYTES: usize = 100_000_000;

/// The configuration of one layer, shared by all its services.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) settings: Settings,
    pub(crate) region: Region,
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) max_body_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            region: Region::Global,
            api_key: None,
            max_body_bytes: MAX_BODY_BYTES,
        }
    }
}

impl Config {
    /// Rewrites one body and reports what was changed.
    pub(crate) fn rewrite(&self, body: Bytes, overrides: Overrides<'_>) -> (Rope, Report) {
        match rewrite::rewrite(&body, &self.settings, overrides) {
            Ok(None) => (Rope::from(body), Report::nothing_to_change()),
            Ok(Some(rewritten)) => {
                let report = Report::rewritten(
                    rewritten.changes,
                    rewritten.left_out,
                    rewritten.schemas_left,
                );
                (rewritten.body, report)
            }
            Err(why) => {
                let why = Skipped::from_rewrite(why, &body);
                (Rope::from(body), Report::skipped_because(why))
            }
        }
    }
}
