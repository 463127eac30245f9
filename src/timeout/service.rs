//! The middleware service.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::{BoxError, Service};

use super::ResponseFuture;
use crate::{MoonshotCompat, RequestBody};

/// [`MoonshotCompat`] with a timeout for reading request bodies.
///
/// See the [module docs](super) for an example.
#[derive(Clone, Debug)]
pub struct BodyReadTimeout<S> {
    inner: MoonshotCompat<S>,
    timeout: Duration,
}

impl<S> BodyReadTimeout<S> {
    pub(super) const fn new(inner: MoonshotCompat<S>, timeout: Duration) -> Self {
        Self { inner, timeout }
    }

    /// Gets a reference to the underlying service.
    pub const fn get_ref(&self) -> &S {
        self.inner.get_ref()
    }

    /// Gets a mutable reference to the underlying service.
    pub const fn get_mut(&mut self) -> &mut S {
        self.inner.get_mut()
    }

    /// Consumes `self`, returning the underlying service.
    pub fn into_inner(self) -> S {
        self.inner.into_inner()
    }
}

impl<S, B, ResBody> Service<Request<B>> for BodyReadTimeout<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>> + Clone,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ResponseFuture::new(self.inner.call(request), self.timeout)
    }
}
