//! The log, on stderr.

use std::io;

use tower::BoxError;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::args::LogFormat;

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
