//! Takes connections, HTTP/1.1 and HTTP/2 on the same port, and serves each on one
//! thread from its first byte to its last.
//!
//! tokio's usual runtime lets idle threads take over what others have to do. Here
//! that doesn't pay: most of what a request costs is waking and waiting, and a
//! request that has to wake another thread costs more than it does. So there is a
//! thread for each core, with a runtime of its own and connections to the upstream
//! of its own, and what a request wakes is on the thread that it is on.

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

use super::shutdown::Shutdown;

/// How many headers hyper takes without an allocation.
const ON_STACK: usize = 100;

/// The longest head of a request, and how much of a body is read at once, in bytes.
/// A connection keeps a buffer of this size once it was needed.
const BUFFER: usize = 32 * 1024;

/// What a client may take of time and room before its request is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the head of a request.
    pub(crate) head: Duration,
    /// How many headers it may have.
    pub(crate) max_headers: usize,
}

/// The threads that serve.
#[derive(Debug)]
pub(crate) struct Workers {
    all: Vec<Worker>,
    /// Closed when the last of them has ended.
    ended: mpsc::Receiver<Infallible>,
}

/// One of them, from the outside.
#[derive(Debug)]
struct Worker {
    connections: mpsc::UnboundedSender<Connection>,
    /// One more than there are connections.
    open: Arc<()>,
}

/// A connection on its way to its worker.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Kept to its end.
    open: Arc<()>,
}

/// Runs something on this thread alone.
pub(crate) fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build()
}

impl Workers {
    /// Starts a thread for each of `apps`.
    pub(crate) fn start(
        apps: Vec<Router>,
        patience: Patience,
        shutdown: &Shutdown,
    ) -> io::Result<Self> {
        let (running, ended) = mpsc::channel(1);
        let all = apps.into_iter().enumerate().map(|(number, app)| {
            let runtime = runtime()?;
            let (connections, received) = mpsc::unbounded_channel();
            let (running, shutdown) = (running.clone(), shutdown.clone());
            let name = format!("worker-{number}");
            thread::Builder::new().name(name).spawn(move || {
                runtime.block_on(serve(received, app, patience, &shutdown));
                // What was cut off is dropped here, and says so in the log. A name
                // that is being looked up holds nobody up.
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

    /// Takes connections for as long as it is polled, unless a worker is gone. Each
    /// goes to the one that has the fewest.
    pub(crate) async fn accept(&self, listener: &TcpListener) -> BoxError {
        loop {
            let stream = match listener.accept().await {
                // From here on it is for another runtime to wait for.
                Ok((stream, _)) => stream.into_std(),
                Err(error) => Err(error),
            };
            match stream {
                Ok(stream) => {
                    let idlest = self.all.iter().min_by_key(|worker| worker.open());
                    if !idlest.is_some_and(|worker| worker.give(stream)) {
                        return "no worker takes connections any more".into();
                    }
                }
                Err(error) => refused(error).await,
            }
        }
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.all.iter().map(Worker::open).sum()
    }

    /// Waits until all of them have ended, as they do when the shutdown has begun
    /// and nothing is open any more, or it is over.
    pub(crate) async fn ended(&mut self) {
        // Nobody can send anything, so this is the end.
        let None = self.ended.recv().await;
    }
}

impl Worker {
    fn open(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    /// Whether it is there to take it.
    fn give(&self, stream: TcpStream) -> bool {
        let open = Arc::clone(&self.open);
        self.connections.send(Connection { stream, open }).is_ok()
    }
}

/// Serves until the shutdown begins, then until open requests are finished or it is
/// over.
async fn serve(
    mut received: mpsc::UnboundedReceiver<Connection>,
    app: Router,
    patience: Patience,
    shutdown: &Shutdown,
) {
    let mut http = Builder::new(TokioExecutor::new());
    let mut http1 = http.http1();
    http1.timer(TokioTimer::new());
    http1.max_buf_size(BUFFER);
    http1.header_read_timeout(patience.head);
    if patience.max_headers != ON_STACK {
        http1.max_headers(patience.max_headers);
    }
    let mut http2 = http.http2();
    http2.timer(TokioTimer::new());
    http2.max_header_list_size(BUFFER as u32);

    let connections = GracefulShutdown::new();
    let mut ending = std::pin::pin!(shutdown.begun());
    loop {
        let Connection { stream, open } = tokio::select! {
            // Whoever was let in is served.
            biased;
            Some(connection) = received.recv() => connection,
            () = &mut ending => break,
        };
        let stream = match tokio::net::TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::error!(%error, "can't serve a connection");
                continue;
            }
        };
        // Streams are made of small chunks, none of which should wait for the next.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let heard = Arc::new(AtomicBool::new(false));
        let service = service_fn({
            let app = app.clone();
            let heard = Arc::clone(&heard);
            move |request: hyper::Request<hyper::body::Incoming>| {
                heard.store(true, Ordering::Relaxed);
                app.clone().call(request.map(Body::new))
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
            let _open = open;
            let mut connection = std::pin::pin!(connection);
            // hyper's own clock starts when the first bytes have told which of the
            // protocols it is.
            tokio::select! {
                ended = &mut connection => return closed(ended),
                () = time::sleep(patience.head) => if !heard.load(Ordering::Relaxed) {
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

/// Waits, where taking the next connection at once would fail likewise: no file
/// descriptor is left, say.
async fn refused(error: io::Error) {
    let is_of_one = matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    );
    if !is_of_one {
        tracing::error!(%error, "can't take connections");
        time::sleep(Duration::from_secs(1)).await;
    }
}

fn closed(ended: Result<(), BoxError>) {
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke");
    }
}
