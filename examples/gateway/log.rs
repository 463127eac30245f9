//! The log, on stderr.

use std::io;

use tower::BoxError;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

use super::args::LogForm;

/// Writes what `RUST_LOG` asks for; `info` if it is not set.
pub(crate) fn init(form: LogForm) -> Result<(), BoxError> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .map_err(|error| format!("RUST_LOG: {error}"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false);
    match form {
        LogForm::Text => log.try_init(),
        LogForm::Json => log.json().flatten_event(true).try_init(),
    }
}
