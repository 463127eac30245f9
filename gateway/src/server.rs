//! Accepts connections, HTTP/1.1 and HTTP/2 on the same port, and serves each on one
//! thread.
//!
//! tokio's multi-threaded runtime moves tasks between threads. A gateway's requests
//! are so short that waking another thread costs more than the work itself. So each
//! core has a thread with its own runtime and its own connections to the upstream, and
//! a request never leaves its thread.

use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use axum::Router;
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    sync::{mpsc, watch},
    time,
};
use tower::BoxError;

use super::{
    connection::{Server, Settings},
    current::Current,
    memory::Store,
    quota::{Admitted, Quota},
    shutdown::Shutdown,
    socket::Socket,
};

/// The number of connections that are still accepted when the shutdown begins, if so
/// many have been made before.
const BACKLOG: usize = 4096;

/// What one worker serves.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) router: Current<Router>,
    /// Where it keeps thoughts, if it does.
    pub(crate) store: Option<Store>,
}

/// The threads that serve connections.
#[derive(Debug)]
pub(crate) struct Workers {
    all: Vec<Worker>,
    /// Closed when the last worker has ended.
    ended: mpsc::Receiver<Infallible>,
}

/// The handle of one thread.
#[derive(Debug)]
struct Worker {
    connections: mpsc::UnboundedSender<Connection>,
    /// Each open connection holds one more reference to it.
    open: Arc<()>,
}

/// A connection on its way to its worker.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Dropped when the connection is closed.
    open: Arc<()>,
    admitted: Admitted,
}

/// Builds a runtime for the current thread.
pub(crate) fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

impl Workers {
    /// Starts one thread for each of `apps`.
    pub(crate) fn start(
        apps: Vec<App>,
        settings: Settings,
        shutdown: &Shutdown,
    ) -> io::Result<Self> {
        let (running, ended) = mpsc::channel(1);
        let all = apps.into_iter().enumerate().map(|(number, app)| {
            let App { router, store } = app;
            let runtime = runtime()?;
            let (connections, received) = mpsc::unbounded_channel();
            let (running, shutdown) = (running.clone(), shutdown.clone());
            let name = format!("worker-{number}");
            thread::Builder::new().name(name).spawn(move || {
                runtime.block_on(serve(received, router, settings, &shutdown));
                // Thoughts of the last responses, which other gateways may need.
                if let Some(store) = store {
                    runtime.block_on(store.kept());
                }
                // Drops requests that were cut off, which write their log lines now.
                // Does not wait for DNS lookups on the blocking pool.
                runtime.shutdown_background();
                drop(running);
            })?;
            Ok(Worker {
                connections,
                open: Arc::default(),
            })
        });
        Ok(Self {
            all: all.collect::<io::Result<_>>()?,
            ended,
        })
    }

    /// Accepts connections within the quota. Only returns, with an error, if a worker has
    /// died.
    pub(crate) async fn accept(&self, listener: &TcpListener, quota: &mut Quota) -> BoxError {
        loop {
            let accepted = match listener.accept().await {
                // Detached from this runtime: the worker registers it with its own.
                Ok((stream, peer)) => stream.into_std().map(|stream| (stream, peer)),
                Err(error) => Err(error),
            };
            match accepted {
                Ok((stream, peer)) => {
                    if let Err(error) = self.give(stream, peer, quota) {
                        return error;
                    }
                }
                Err(error) => refused(error).await,
            }
        }
    }

    /// Accepts the connections that clients have made already, and no more.
    pub(crate) fn accept_last(
        &self,
        listener: TcpListener,
        quota: &mut Quota,
    ) -> Result<(), BoxError> {
        // tokio may not know of all of them yet.
        let listener = listener.into_std()?;
        for _ in 0..BACKLOG {
            match listener.accept() {
                Ok((stream, peer)) => {
                    stream.set_nonblocking(true)?;
                    self.give(stream, peer, quota)?;
                }
                Err(error) if is_of_one(&error) => {}
                // There are none, or no file descriptor is free.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Gives a connection to the worker that has the fewest, or closes it if the quota is
    /// used up.
    fn give(&self, stream: TcpStream, peer: SocketAddr, quota: &mut Quota) -> Result<(), BoxError> {
        let Some(admitted) = quota.admit(peer.ip()) else {
            return Ok(());
        };
        let idlest = self.all.iter().min_by_key(|worker| worker.open());
        match idlest {
            Some(worker) if worker.give(stream, admitted) => Ok(()),
            _ => Err("a worker thread has died".into()),
        }
    }

    /// Returns the number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.all.iter().map(Worker::open).sum()
    }

    /// Waits until all workers have ended. They do once the shutdown has begun and no
    /// request is open, or open ones are cut off.
    pub(crate) async fn ended(&mut self) {
        // Nothing is ever sent, so this waits until all senders are dropped.
        let None = self.ended.recv().await;
    }
}

impl Worker {
    fn open(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    /// Hands over a connection; false if the thread has died.
    fn give(&self, stream: TcpStream, admitted: Admitted) -> bool {
        let connection = Connection {
            stream,
            open: Arc::clone(&self.open),
            admitted,
        };
        self.connections.send(connection).is_ok()
    }
}

/// Serves connections until the shutdown begins, then waits until open requests have
/// finished or are cut off.
async fn serve(
    mut received: mpsc::UnboundedReceiver<Connection>,
    router: Current<Router>,
    settings: Settings,
    shutdown: &Shutdown,
) {
    let server = Server::new(settings);
    let (ending, is_ending) = watch::channel(false);
    // Closed when the last connection is.
    let (connected, mut closed) = mpsc::channel::<Infallible>(1);
    let mut begun = std::pin::pin!(shutdown.begun());
    loop {
        let Connection {
            stream,
            open,
            admitted,
        } = tokio::select! {
            // Connections that were accepted before the shutdown are served.
            biased;
            Some(connection) = received.recv() => connection,
            () = &mut begun => break,
        };
        let socket = match Socket::new(stream) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::error!(%error, "cannot serve a connection");
                continue;
            }
        };
        let served = server
            .clone()
            .serve(socket, router.clone(), is_ending.clone());
        let connected = connected.clone();
        tokio::spawn(async move {
            let _counted = (open, admitted, connected);
            served.await;
        });
    }

    ending.send_replace(true);
    drop(connected);
    tokio::select! {
        // Nothing is ever sent, so this waits until all senders are dropped.
        None = closed.recv() => {}
        () = shutdown.over() => {}
    }
}

/// Waits a second after errors that the next `accept` would meet too, such as no free
/// file descriptor.
async fn refused(error: io::Error) {
    if !is_of_one(&error) {
        tracing::error!(%error, "cannot accept connections");
        time::sleep(Duration::from_secs(1)).await;
    }
}

/// Whether an error concerns a single connection.
fn is_of_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
