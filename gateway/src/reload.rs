//! Reads the configuration file, at the start and again after SIGHUP.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::task;
use tower::BoxError;

use super::{
    app::{Shared, app},
    args::Args,
    config::{Config, variable},
    greeting,
    memory::Store,
    routers::Current,
    shutdown::Hangup,
    upstream::Upstream,
};

/// Reads LiteLLM's file, and logs a warning for each key that is ignored.
pub(crate) fn read(file: &Path) -> Result<Config, BoxError> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let config = Config::parse(&text, &variable).map_err(|problem| format!("{name}, {problem}"))?;
    for warning in &config.warnings {
        tracing::warn!("{name}, {warning}");
    }
    Ok(config)
}

/// What a worker keeps when the configuration is replaced.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) upstream: Upstream,
    pub(crate) store: Option<Store>,
    pub(crate) router: Current,
}

/// Replaces the configuration of all workers.
pub(crate) struct Reload {
    pub(crate) file: PathBuf,
    pub(crate) args: Args,
    pub(crate) address: SocketAddr,
    pub(crate) shared: Shared,
    pub(crate) workers: Vec<Kept>,
}

impl Reload {
    /// Reads the file whenever the process gets SIGHUP. Returns if that cannot happen
    /// any more.
    pub(crate) async fn run(self, mut hangup: Hangup) {
        let reload = Arc::new(self);
        while hangup.next().await.is_some() {
            let reload = Arc::clone(&reload);
            // The file may be on a slow disk, and connections are accepted meanwhile.
            let _ = task::spawn_blocking(move || reload.once()).await;
        }
    }

    fn once(&self) {
        let reloaded = self.replace();
        self.shared.metrics.reloaded(reloaded.is_ok());
        match reloaded {
            Ok(entries) => tracing::info!(entries, "the configuration was reloaded"),
            Err(error) => tracing::error!("the configuration was not reloaded: {error}"),
        }
    }

    /// Returns the number of entries. After an error, nothing is replaced.
    fn replace(&self) -> Result<usize, BoxError> {
        let config = read(&self.file)?;
        let shared = self.shared.configured(&self.args, &config);
        let routers = self
            .workers
            .iter()
            .map(|kept| {
                let upstream = kept.upstream.clone();
                app(&self.args, &shared, upstream, kept.store.as_ref())
            })
            .collect::<Result<Vec<_>, _>>()?;
        shared.accounts.retain(&shared.models.identities());
        for (kept, router) in self.workers.iter().zip(routers) {
            kept.router.replace(router);
        }
        greeting::warn(&self.args, &config, false, self.address);
        Ok(config.entries.len())
    }
}
