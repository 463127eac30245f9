//! Graceful shutdown.

use std::io;

use tokio::{signal, sync::watch};

/// The stage of the shutdown. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown(watch::Sender<Stage>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    #[default]
    Serving,
    /// Open requests may finish.
    Finishing,
    /// Open requests are cut off.
    Over,
}

impl Shutdown {
    /// Begins the shutdown: open requests may finish, and new ones are not accepted.
    pub(crate) fn begin(&self) {
        self.0.send_replace(Stage::Finishing);
    }

    /// Cuts off requests that are still open.
    pub(crate) fn cut_off(&self) {
        self.0.send_replace(Stage::Over);
    }

    pub(crate) fn is_begun(&self) -> bool {
        *self.0.borrow() >= Stage::Finishing
    }

    /// Waits until the shutdown begins.
    pub(crate) async fn begun(&self) {
        self.reached(Stage::Finishing).await;
    }

    /// Waits until open requests are to be cut off.
    pub(crate) async fn over(&self) {
        self.reached(Stage::Over).await;
    }

    async fn reached(&self, stage: Stage) {
        // Cannot fail: `self` keeps the sender alive.
        let _ = self.0.subscribe().wait_for(|now| *now >= stage).await;
    }
}

/// SIGHUP. Once this exists, it no longer ends the process.
#[derive(Debug)]
pub(crate) struct Hangup {
    #[cfg(unix)]
    hangup: signal::unix::Signal,
}

impl Hangup {
    #[cfg(unix)]
    pub(crate) fn new() -> io::Result<Self> {
        let hangup = signal::unix::signal(signal::unix::SignalKind::hangup())?;
        Ok(Self { hangup })
    }

    /// Waits for the next signal; `None` if there can be none.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Option<()> {
        self.hangup.recv().await
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal; `None` if there can be none.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Option<()> {
        None
    }
}

/// SIGTERM and ctrl-c. Once this exists, they no longer end the process by themselves,
/// and none is missed.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn new() -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next signal.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> io::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        Ok(())
    }

    #[cfg(not(unix))]
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> io::Result<()> {
        signal::ctrl_c().await
    }
}
