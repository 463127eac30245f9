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
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use axum::{Router, body::Body};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::{
    net::TcpListener,
    runtime::{self, Runtime},
    sync::mpsc,
    time,
};
use tower::{BoxError, Service};

use super::{malformed::ExplainMalformed, memory::Store, shutdown::Shutdown};

/// The number of headers that hyper parses without an allocation.
const ON_STACK: usize = 100;

/// The longest head of a request, and the most that is read of a body at once, in
/// bytes. A connection keeps a buffer of up to this size.
const BUFFER: usize = 32 * 1024;

/// Limits on the head of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadLimits {
    /// Time for a client to send it.
    pub(crate) timeout: Duration,
    /// The number of headers in it.
    pub(crate) max_headers: usize,
}

/// What one worker serves.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) router: Router,
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
}

/// Builds a runtime for the current thread.
pub(crate) fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

impl Workers {
    /// Starts one thread for each of `apps`.
    pub(crate) fn start(
        apps: Vec<App>,
        limits: HeadLimits,
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
                runtime.block_on(serve(received, router, limits, &shutdown));
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

    /// Accepts connections, and gives each to the worker that has the fewest. Only
    /// returns, with an error, if a worker has died.
    pub(crate) async fn accept(&self, listener: &TcpListener) -> BoxError {
        loop {
            let stream = match listener.accept().await {
                // Detached from this runtime: the worker registers it with its own.
                Ok((stream, _)) => stream.into_std(),
                Err(error) => Err(error),
            };
            match stream {
                Ok(stream) => {
                    let idlest = self.all.iter().min_by_key(|worker| worker.open());
                    if !idlest.is_some_and(|worker| worker.give(stream)) {
                        return "a worker thread has died".into();
                    }
                }
                Err(error) => refused(error).await,
            }
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
    fn give(&self, stream: TcpStream) -> bool {
        let open = Arc::clone(&self.open);
        self.connections.send(Connection { stream, open }).is_ok()
    }
}

/// Serves connections until the shutdown begins, then waits until open requests have
/// finished or are cut off.
async fn serve(
    mut received: mpsc::UnboundedReceiver<Connection>,
    app: Router,
    limits: HeadLimits,
    shutdown: &Shutdown,
) {
    let mut http = Builder::new(TokioExecutor::new());
    let mut http1 = http.http1();
    http1.timer(TokioTimer::new());
    http1.max_buf_size(BUFFER);
    http1.header_read_timeout(limits.timeout);
    if limits.max_headers != ON_STACK {
        http1.max_headers(limits.max_headers);
    }
    let mut http2 = http.http2();
    http2.timer(TokioTimer::new());
    http2.max_header_list_size(BUFFER as u32);

    let connections = GracefulShutdown::new();
    let mut ending = std::pin::pin!(shutdown.begun());
    loop {
        let Connection { stream, open } = tokio::select! {
            // Connections that were accepted before the shutdown are served.
            biased;
            Some(connection) = received.recv() => connection,
            () = &mut ending => break,
        };
        let stream = match tokio::net::TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::error!(%error, "cannot serve a connection");
                continue;
            }
        };
        // Streams consist of small chunks, each of which should be sent at once.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let stream = ExplainMalformed::new(stream);
        let requests = stream.requests();
        let heard = Arc::new(AtomicBool::new(false));
        let service = service_fn({
            let app = app.clone();
            let heard = Arc::clone(&heard);
            move |mut request: hyper::Request<hyper::body::Incoming>| {
                heard.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(requests.begin());
                app.clone().call(request.map(Body::new))
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            let _open = open;
            let mut connection = std::pin::pin!(connection);
            // hyper's own timeout only starts once the first bytes have shown which
            // protocol it is.
            tokio::select! {
                ended = &mut connection => return closed(ended),
                () = time::sleep(limits.timeout) => if !heard.load(Ordering::Relaxed) {
                    return;
                },
            }
            closed(connection.await);
        });
    }

    tokio::select! {
        () = connections.shutdown() => {}
        () = shutdown.over() => {}
    }
}

/// Waits a second after errors that the next `accept` would meet too, such as no free
/// file descriptor.
async fn refused(error: io::Error) {
    let is_of_one = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    );
    if !is_of_one {
        tracing::error!(%error, "cannot accept connections");
        time::sleep(Duration::from_secs(1)).await;
    }
}

fn closed(ended: Result<(), BoxError>) {
    if let Err(error) = ended {
        tracing::debug!(error, "connection error");
    }
}
