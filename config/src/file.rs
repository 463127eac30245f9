//! Reads the configuration file.

use std::path::Path;

use tower::BoxError;

use crate::config::{Config, variable};

/// Reads LiteLLM's file, and logs a warning for each key that is ignored.
///
/// # Errors
///
/// The name of the file, and why it cannot be read or the place of the first thing that
/// is wrong.
pub fn read(file: &Path) -> Result<Config, BoxError> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let config = Config::parse(&text, &variable).map_err(|problem| format!("{name}, {problem}"))?;
    for warning in &config.warnings {
        tracing::warn!("{name}, {warning}");
    }
    Ok(config)
}
