//! The middleware service.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower::Service;

use crate::{
    Report, RequestBody,
    admission::{Admission, admit},
    config::Config,
    endpoint::retarget,
    future::ResponseFuture,
};

/// Middleware that makes OpenAI-style requests acceptable to Moonshot.
///
/// See the [crate docs](crate) for an example.
#[derive(Clone, Debug)]
pub struct MoonshotCompat<S> {
    inner: S,
    config: Arc<Config>,
}

impl<S> MoonshotCompat<S> {
    /// Wraps `inner` with the defaults of
    /// [`MoonshotCompatLayer`](crate::MoonshotCompatLayer).
    pub fn new(inner: S) -> Self {
        Self::with_config(inner, Arc::default())
    }

    pub(crate) const fn with_config(inner: S, config: Arc<Config>) -> Self {
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

impl<S, B, ResBody> Service<Request<B>> for MoonshotCompat<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>> + Clone,
    B: Body<Data = Bytes>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let config = &self.config;
        let skipped = match admit(&request, config.max_body_bytes) {
            Admission::Read => {
                let config = Arc::clone(config);
                // Take the service that was made ready. Its clone may not be ready.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                return ResponseFuture::reading(ready, request, config);
            }
            Admission::Skip(why) => Some(why),
            Admission::PassThrough => None,
        };
        let mut request = request.map(RequestBody::unread);
        retarget(&mut request, &config.region, config.api_key.as_ref());
        let report = skipped.map(|why| Report::skipped_because(why).file(request.extensions_mut()));
        ResponseFuture::calling(self.inner.call(request), report)
    }
}
