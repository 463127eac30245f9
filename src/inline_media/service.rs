//! The middleware service.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header::EXPECT};
use http_body::Body;
use http_body_util::Empty;
use tower::{BoxError, Service};

use super::{client::MediaClient, config::Config, future::ResponseFuture};
use crate::{
    RequestBody,
    admission::{Admission, admit},
};

/// Middleware that fetches the images and videos of chat requests and inlines them as
/// `data:` URLs.
///
/// See the [module docs](super) for an example.
#[derive(Clone, Debug)]
pub struct InlineMedia<S, C = MediaClient> {
    inner: S,
    client: C,
    config: Arc<Config>,
}

impl<S> InlineMedia<S> {
    /// Wraps `inner` with the defaults of [`InlineMediaLayer`](super::InlineMediaLayer).
    pub fn new(inner: S) -> Self {
        Self::with_config(inner, MediaClient::new(), Arc::default())
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
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>> + Clone,
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
        let Admission::Read = admit(&request, self.config.max_body_bytes) else {
            let request = request.map(RequestBody::unread);
            return ResponseFuture::calling(self.inner.call(request));
        };
        let (mut parts, body) = request.into_parts();
        // The body is read here, so the caller no longer waits for `100 Continue`.
        parts.headers.remove(EXPECT);
        // Take the service that was made ready. Its clone may not be ready.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let config = Arc::clone(&self.config);
        ResponseFuture::reading(ready, self.client.clone(), parts, body, config)
    }
}
