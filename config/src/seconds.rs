//! Times on the command line.

use std::time::Duration;

/// Parses a number of seconds, such as `30` or `0.05`.
///
/// # Errors
///
/// If it is not a number, negative, or too large for a [`Duration`].
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// As [`seconds`], for a time that must not be 0.
///
/// # Errors
///
/// As those of [`seconds`], and if it is 0.
pub fn some_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("expected a number of seconds above 0".to_owned()),
        time => Ok(time),
    }
}
