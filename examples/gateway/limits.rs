//! How much at a time.

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

/// How long a client may go on sending a body that was refused.
const LINGER: time::Duration = time::Duration::from_secs(2);

/// How many files are open besides connections: runtimes, signals, the log.
const OTHER_FILES: u64 = 64;

/// Raises the limit of open files as far as this process may, and warns if that is
/// less than so many requests need: each has a connection to its client and one to
/// the upstream.
pub(crate) fn raise_open_files(requests: usize) {
    let needed = (requests as u64)
        .saturating_mul(2)
        .saturating_add(OTHER_FILES);
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) if files >= needed => {}
        Ok(files) => tracing::warn!(
            "{requests} requests at the same time (--max-requests) need {needed} open files, \
             and the system allows {files}: raise the hard limit (ulimit -H -n)"
        ),
        Err(error) => tracing::warn!(%error, "can't raise the limit of open files"),
    }
}

/// So many requests at the same time.
///
/// tower's `limit` lets go with the head of an answer; here a stream counts to
/// its end, because it takes memory and connections all the time.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Semaphore>);

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))))
    }
}

/// Lets a request in while there is a place. Who would have to wait is told so at
/// once: a client's own retries are better than a queue.
impl ValidateRequest<Body> for Places {
    type ResponseBody = Body;

    fn validate(&mut self, request: &mut Request) -> Result<(), Response> {
        if let Ok(place) = Arc::clone(&self.0).try_acquire_owned() {
            Trail::of(request).keep(place);
            return Ok(());
        }
        linger(std::mem::take(request));
        let message = "the gateway serves as many requests as it may; ask again in a moment";
        let error = Error::gateway(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message);
        Err(error.into_response())
    }
}

/// Reads a refused request on for a while: a client that is still sending when
/// the connection is closed may never see the answer.
pub(crate) fn linger<B>(request: axum::http::Request<B>)
where
    B: HttpBody + Send + 'static,
    B::Data: Send,
{
    // One that waits for a word before it sends gets the answer instead.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return;
    }
    let mut body = Box::pin(request.into_body());
    tokio::spawn(async move {
        let rest = async { while let Some(Ok(_)) = body.frame().await {} };
        // Whether that was the end or just enough makes no difference.
        let _ = time::timeout(LINGER, rest).await;
    });
}
