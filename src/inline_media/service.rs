//! Which requests are read.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header::EXPECT};
use http_body::Body;
use http_body_util::Empty;
use tower::{BoxError, Service};

use super::{
    client::MediaClient,
    future::ResponseFuture,
    layer::{Config, InlineMediaLayer},
};
use crate::{
    CompatBody,
    service::{Judgement, judge},
};

/// Middleware that fetches the images and videos that a chat request names by
/// URL, and puts them in as `data:` URLs.
///
/// See the [module docs](super) for an example.
#[derive(Clone, Debug)]
pub struct InlineMedia<S, C = MediaClient> {
    inner: S,
    client: C,
    config: Arc<Config>,
}

impl<S> InlineMedia<S> {
    /// Wraps `inner` with the defaults of [`InlineMediaLayer::new`].
    pub fn new(inner: S) -> Self {
        tower::Layer::layer(&InlineMediaLayer::new(), inner)
    }
}

impl<S, C> InlineMedia<S, C> {
    pub(super) const fn with_config(inner: S, client: C, config: Arc<Config>) -> Self {
        Self {
            inner,
            client,
            config,
        }
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

impl<S, C, B, D, ResBody> Service<Request<B>> for InlineMedia<S, C>
where
    S: Service<Request<CompatBody<B>>, Response = Response<ResBody>> + Clone,
    B: Body<Data = Bytes>,
    C: Service<Request<Empty<Bytes>>, Response = Response<D>> + Clone,
    C::Error: Into<BoxError>,
    D: Body<Data = Bytes>,
    D::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, C, D>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Judgement::Read = judge(&request, self.config.max_body_bytes) else {
            let request = request.map(CompatBody::unread);
            return ResponseFuture::calling(self.inner.call(request));
        };
        let (mut parts, body) = request.into_parts();
        // Reading the body tells a waiting client to send it.
        parts.headers.remove(EXPECT);
        // The service that `poll_ready` made ready is the one to be called, later;
        // its clone, which is not ready, stays here.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let config = Arc::clone(&self.config);
        ResponseFuture::reading(ready, self.client.clone(), parts, body, config)
    }
}
