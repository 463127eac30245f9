//! Takes connections, HTTP/1.1 and HTTP/2 on the same port.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};
use tower::Service;

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
    /// For open requests to finish when the process is to end.
    pub(crate) shutdown: Duration,
}

/// Serves until the shutdown begins, then until open requests are finished or the
/// deadline is over.
pub(crate) async fn serve(
    listener: TcpListener,
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
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    refused(error).await;
                    continue;
                }
            },
            () = &mut ending => break,
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
        let connection = http.serve_connection(TokioIo::<TcpStream>::new(stream), service);
        let connection = connections.watch(connection.into_owned());
        tokio::spawn(async move {
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

    drop(listener);
    let connections_open = connections.count();
    if connections_open > 0 {
        tracing::info!(
            connections_open,
            "finishing open requests; another signal quits at once"
        );
    }
    if time::timeout(patience.shutdown, connections.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("the deadline is over; open requests are cut off");
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

fn closed(ended: Result<(), tower::BoxError>) {
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke");
    }
}
