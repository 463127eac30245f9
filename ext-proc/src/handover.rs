//! The innermost service: Envoy takes a request over, and brings the response.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, request::Parts};
use http_body::Body;
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use tokio::sync::{mpsc, oneshot};
use tower::Service;

use super::body::{EnvoyBody, Lost};

/// A request that the layers are done with.
pub(crate) struct Handed {
    pub(crate) parts: Parts,
    pub(crate) body: UnsyncBoxBody<Bytes, Lost>,
    /// Gets the response.
    pub(crate) respond: oneshot::Sender<Response<EnvoyBody>>,
}

/// Hands a request over. It takes one request.
#[derive(Clone, Debug)]
pub(crate) struct Handover(mpsc::Sender<Handed>);

impl Handover {
    /// Creates the service and what gets its request.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Handed>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self(sender), receiver)
    }
}

impl<B> Service<Request<B>> for Handover
where
    B: Body<Data = Bytes, Error = Lost> + Send + 'static,
{
    type Response = Response<EnvoyBody>;
    type Error = Lost;
    type Future = Responding;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Responding {
        let (respond, response) = oneshot::channel();
        let (parts, body) = request.into_parts();
        let handed = Handed {
            parts,
            body: body.boxed_unsync(),
            respond,
        };
        // If it was not taken, its `respond` is dropped and the response is `Lost`.
        let _ = self.0.try_send(handed);
        Responding(response)
    }
}

/// Waits for the response.
#[derive(Debug)]
pub(crate) struct Responding(oneshot::Receiver<Response<EnvoyBody>>);

impl Future for Responding {
    type Output = Result<Response<EnvoyBody>, Lost>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(response.map_err(|_| Lost))
    }
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handed").finish_non_exhaustive()
    }
}
