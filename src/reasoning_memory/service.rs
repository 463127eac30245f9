//! The service.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, header::EXPECT};
use http_body::Body;
use tower::Service;

use super::{
    MemoryStore, ReasoningStore, ResponseBody, ResponseFuture,
    config::Config,
    report::{NoMemory, ReasoningReport},
    scope::ReasoningScope,
};
use crate::{
    RequestBody,
    admission::{Admission, admit},
};

/// Middleware that remembers what a model thought and restores it in later requests that
/// lack it.
///
/// See the [module docs](super) for an example.
#[derive(Clone, Debug)]
pub struct ReasoningMemory<S, M = MemoryStore> {
    inner: S,
    store: M,
    config: Arc<Config>,
}

impl<S> ReasoningMemory<S> {
    /// Wraps `inner` with the defaults of
    /// [`ReasoningMemoryLayer`](super::ReasoningMemoryLayer), and a store of its own.
    pub fn new(inner: S) -> Self {
        Self::with_config(inner, MemoryStore::new(), Arc::default())
    }
}

impl<S, M> ReasoningMemory<S, M> {
    pub(super) const fn with_config(inner: S, store: M, config: Arc<Config>) -> Self {
        Self {
            inner,
            store,
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

impl<S, M, B, ResBody> Service<Request<B>> for ReasoningMemory<S, M>
where
    S: Service<Request<RequestBody<B>>, Response = Response<ResBody>> + Clone,
    M: ReasoningStore + Clone,
    B: Body<Data = Bytes>,
    ResBody: Body<Data = Bytes>,
{
    type Response = Response<ResponseBody<ResBody, M>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, M>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let why = match admit(&request, self.config.max_body_bytes) {
            Admission::PassThrough => None,
            Admission::Skip(why) => Some(NoMemory::Body(why)),
            Admission::Read => match ReasoningScope::of(request.extensions(), request.headers()) {
                None => Some(NoMemory::NoScope),
                Some(scope) => {
                    let (mut parts, body) = request.into_parts();
                    // Reading the body tells the client to send it.
                    parts.headers.remove(EXPECT);
                    // Take the service that `poll_ready` made ready, and leave its clone,
                    // which is not.
                    let clone = self.inner.clone();
                    let ready = std::mem::replace(&mut self.inner, clone);
                    let (store, config) = (self.store.clone(), Arc::clone(&self.config));
                    return ResponseFuture::reading(ready, store, config, scope, parts, body);
                }
            },
        };
        let mut request = request.map(RequestBody::unread);
        let report = why.map(ReasoningReport::without_memory);
        if let Some(report) = &report {
            request.extensions_mut().insert(report.clone());
        }
        ResponseFuture::calling(self.inner.call(request), report)
    }
}
