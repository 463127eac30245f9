//! The log, on stderr.

use std::io;

use tower::BoxError;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::args::LogFormat;

/// The longest part of a client's name that logs and errors repeat, in characters.
const MAX_NAME: usize = 100;

/// Starts logging at the level in `RUST_LOG`, `info` by default.
pub(crate) fn init(format: LogFormat) -> Result<(), BoxError> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .map_err(|error| format!("RUST_LOG: {error}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false);
    match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    }
}

/// Shortens a name for a log or an error. A client can make it as long as a body.
pub(crate) fn shortened(name: &str) -> &str {
    // A string never has more characters than bytes.
    if name.len() <= MAX_NAME {
        return name;
    }
    let end = name.char_indices().nth(MAX_NAME);
    &name[..end.map_or(name.len(), |(end, _)| end)]
}
