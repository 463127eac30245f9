//! The service: decides by the request whether its response is read.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body::Body;
use tower::Service;

use super::{
    ResponseBody, ResponseCompatLayer, ResponseFuture, layer::Config,
    request_facts::RequestFactsSlot,
};
use crate::endpoint;

/// Middleware that repairs Moonshot's answers for OpenAI's clients.
///
/// Requests are forwarded unchanged. See the [module docs](super) for an example.
#[derive(Clone, Debug)]
pub struct ResponseCompat<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> ResponseCompat<S> {
    /// Wraps `inner` with the defaults of [`ResponseCompatLayer::new`].
    pub fn new(inner: S) -> Self {
        tower::Layer::layer(&ResponseCompatLayer::new(), inner)
    }

    pub(super) const fn with_config(inner: S, config: Arc<Config>) -> Self {
        Self { inner, config }
    }

    /// Gets a reference to the underlying service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Gets a mutable reference to the underlying service.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Consumes `self`, returning the underlying service.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for ResponseCompat<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let is_read = request.method() == Method::POST
            && endpoint::is_chat_completions(request.uri().path())
            && self.config.rules.read_bodies();
        let slot = is_read.then(|| {
            let slot = RequestFactsSlot::default();
            request.extensions_mut().insert(slot.clone());
            slot
        });
        ResponseFuture::new(self.inner.call(request), Arc::clone(&self.config), slot)
    }
}
