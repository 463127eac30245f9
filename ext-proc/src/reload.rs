//! Reads the configuration file again after SIGHUP.

use std::{path::PathBuf, sync::Arc};

use moonshot_config::{current::Current, file};
use moonshot_thoughts::Store;
use tokio::{signal::unix::Signal, task};
use tower::BoxError;

use super::{args::Args, metrics::Metrics, processor::Processor};

/// Replaces the configuration. Streams that are open keep the one that they began with.
pub(crate) struct Reload {
    pub(crate) file: PathBuf,
    pub(crate) args: Args,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) store: Option<Store>,
    pub(crate) processor: Current<Arc<Processor>>,
}

impl Reload {
    /// Reads the file whenever the process gets SIGHUP.
    pub(crate) async fn run(self, mut hangup: Signal) {
        let reload = Arc::new(self);
        while hangup.recv().await.is_some() {
            let reload = Arc::clone(&reload);
            // The file may be on a slow disk, and this thread serves streams.
            let _ = task::spawn_blocking(move || reload.once()).await;
        }
    }

    fn once(&self) {
        let reloaded = self.replace();
        self.metrics.reloaded(reloaded.is_ok());
        match reloaded {
            Ok(entries) => tracing::info!(entries, "the configuration was reloaded"),
            Err(error) => tracing::error!("the configuration was not reloaded: {error}"),
        }
    }

    /// Returns the number of entries. After an error, nothing is replaced.
    fn replace(&self) -> Result<usize, BoxError> {
        let config = file::read(&self.file)?;
        let metrics = Arc::clone(&self.metrics);
        let processor = Processor::new(&self.args, &config, metrics, self.store.as_ref());
        self.processor.replace(Arc::new(processor));
        super::warn(&self.args, &config);
        Ok(config.entries.len())
    }
}
