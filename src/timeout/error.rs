//! The error of a body that stopped arriving.

use std::{error::Error, fmt, time::Duration};

/// Error returned if no byte of a request body arrived for the time limit.
///
/// The client is at fault: 408 is the status for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyReadTimeoutError {
    pub(super) timeout: Duration,
}

impl BodyReadTimeoutError {
    /// Returns the time limit that has passed.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Display for BodyReadTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the request body is incomplete, and no more of it arrived within {:?}",
            self.timeout
        )
    }
}

impl Error for BodyReadTimeoutError {}
