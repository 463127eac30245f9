//! Reads the configuration file again after SIGHUP.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::Router;
use tokio::task;
use tower::BoxError;

use super::{
    app::{Shared, app},
    args::Args,
    current::Current,
    file, greeting,
    memory::Store,
    shutdown::Hangup,
    upstream::Upstream,
};

/// What a worker keeps when the configuration is replaced.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) upstream: Upstream,
    pub(crate) store: Option<Store>,
    pub(crate) router: Current<Router>,
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
        let config = file::read(&self.file)?;
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
