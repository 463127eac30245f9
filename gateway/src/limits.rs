//! Limits on concurrent requests and open files.

use std::sync::Arc;

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{StatusCode, header::EXPECT},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use tokio::{sync::Semaphore, time};
use tower_http::validate_request::ValidateRequest;

use super::{error::Error, trail::Trail};

/// How long the body of a refused request is read.
const LINGER: time::Duration = time::Duration::from_secs(2);

/// Upper bound on open files besides connections: runtimes, signals, the log.
const OTHER_FILES: u64 = 64;

/// Raises the soft limit on open files to the hard limit, and warns if that is too low
/// for this many requests: each needs a connection to its client and one to the
/// upstream. Returns the limit, if it is known.
pub(crate) fn raise_open_files(requests: usize) -> Option<u64> {
    let needed = (requests as u64)
        .saturating_mul(2)
        .saturating_add(OTHER_FILES);
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) if files >= needed => Some(files),
        Ok(files) => {
            tracing::warn!(
                "--max-requests {requests} needs {needed} open files, but the hard limit is \
                 {files}: raise it (ulimit -H -n), or lower --max-requests"
            );
            Some(files)
        }
        Err(error) => {
            tracing::warn!(%error, "cannot raise the limit on open files");
            None
        }
    }
}

/// Returns how many of the wanted connections may be open so that a request finds a file
/// for its connection to the upstream.
pub(crate) fn connections_within(files: u64, wanted: usize, requests: usize) -> usize {
    let room = files.saturating_sub(OTHER_FILES);
    let room = room.saturating_sub(requests as u64).max(room / 2);
    let connections = wanted.min(usize::try_from(room).unwrap_or(usize::MAX));
    if connections < wanted {
        tracing::info!(
            "at most {connections} connections are accepted, because at most {files} files may \
             be open"
        );
    }
    connections
}

/// Limits the number of concurrent requests.
///
/// tower's `ConcurrencyLimit` releases its permit when a response begins. Here a
/// stream keeps its place to its end, because it holds memory and connections.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Semaphore>);

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))))
    }
}

/// Refuses a request at once if there is no place. Clients retry by themselves, which
/// is better than a queue.
impl ValidateRequest<Body> for Places {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response> {
        if let Ok(place) = Arc::clone(&self.0).try_acquire_owned() {
            Trail::of(request).keep(place);
            return Ok(());
        }
        linger(std::mem::take(request));
        let message = "the gateway is at its limit of concurrent requests; retry in a moment";
        let error = Error::gateway(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message);
        Err(error.into_response())
    }
}

/// Reads the body of a refused request for a while. A client that is still sending
/// when the connection is closed may never see the response.
pub(crate) fn linger<B>(request: axum::http::Request<B>)
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
{
    // A client with `Expect` gets the response before it sends anything.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return;
    }
    let mut body = Box::pin(request.into_body());
    tokio::spawn(async move {
        let rest = async { while let Some(Ok(_)) = body.frame().await {} };
        // The result is the same whether the body or the time has ended.
        let _ = time::timeout(LINGER, rest).await;
    });
}
