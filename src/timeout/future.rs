//! The response future: ends the reading of a body that stopped arriving.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use tokio::time::{Sleep, sleep};
use tower::{BoxError, Service};

use super::BodyReadTimeoutError;
use crate::RequestBody;

/// Response future for [`BodyReadTimeout`](super::BodyReadTimeout).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    #[pin]
    inner: crate::ResponseFuture<S, B>,
    timeout: Duration,
    /// The number of bytes after which the timer was started.
    received: usize,
    /// `None` unless more of the body is awaited. A body that is there at once needs no
    /// timer.
    #[pin]
    timer: Option<Sleep>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    pub(super) const fn new(inner: crate::ResponseFuture<S, B>, timeout: Duration) -> Self {
        Self {
            inner,
            timeout,
            received: 0,
            timer: None,
        }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let Poll::Ready(result) = this.inner.as_mut().poll(cx) {
            return Poll::Ready(result.map_err(Into::into));
        }
        let Some(received) = this.inner.received() else {
            // The inner service has the request, and may take its time.
            this.timer.set(None);
            return Poll::Pending;
        };
        let timeout = *this.timeout;
        if std::mem::replace(this.received, received) != received || this.timer.is_none() {
            this.timer.set(Some(sleep(timeout)));
        }
        if let Some(timer) = this.timer.as_pin_mut() {
            ready!(timer.poll(cx));
        }
        Poll::Ready(Err(BodyReadTimeoutError { timeout }.into()))
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
