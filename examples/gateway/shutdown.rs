//! The way out.

use std::io;

use tokio::{signal, sync::watch};

/// Whether the process is to end. Clones speak of the same end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown(watch::Sender<bool>);

impl Shutdown {
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn is_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody begins it.
    pub(crate) async fn begun(&self) {
        // The sender lives as long as this does.
        let _ = self.0.subscribe().wait_for(|is_begun| *is_begun).await;
    }
}

/// Waits for SIGTERM or ctrl-c.
pub(crate) async fn signalled() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await
}
