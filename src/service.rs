//! Which requests are read.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body::Body;
use tower::Service;

use crate::{
    CompatBody, MoonshotCompatLayer, Report, endpoint, future::ResponseFuture, layer::Config,
    report::Skipped,
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
    /// Wraps `inner` with the defaults of [`MoonshotCompatLayer::new`].
    pub fn new(inner: S) -> Self {
        tower::Layer::layer(&MoonshotCompatLayer::new(), inner)
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
    S: Service<Request<CompatBody<B>>, Response = Response<ResBody>> + Clone,
    B: Body<Data = Bytes>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    // A request is several cache lines long, so it is moved as rarely as may be: what
    // is changed in it is changed once it is the one that the inner service gets.
    fn call(&mut self, request: Request<B>) -> Self::Future {
        let config = &self.config;
        let skipped = match judge(&request, config.max_body_bytes) {
            Judgement::Read => {
                let config = Arc::clone(config);
                // The service that `poll_ready` made ready is the one to be called,
                // later; its clone, which is not ready, stays here.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                return ResponseFuture::reading(ready, request, config);
            }
            Judgement::Skip(why) => Some(why),
            Judgement::PassThrough => None,
        };
        let mut request = request.map(CompatBody::unread);
        endpoint::address(&mut request, &config.region, config.api_key.as_ref());
        let report = skipped.map(|why| Report::skipped_because(why).file(request.extensions_mut()));
        ResponseFuture::calling(self.inner.call(request), report)
    }
}

/// What becomes of a request's body.
pub(crate) enum Judgement {
    /// It is read, and rewritten.
    Read,
    /// It is not even read, though a chat completion is asked for.
    Skip(Skipped),
    /// The request is for something else. There is nothing to report on it.
    PassThrough,
}

/// The cheap checks, before any buffering.
pub(crate) fn judge<B: Body>(request: &Request<B>, limit: usize) -> Judgement {
    if request.method() != Method::POST || !endpoint::is_chat_completions(request.uri().path()) {
        Judgement::PassThrough
    } else if !has_json(request.headers()) {
        Judgement::Skip(Skipped::NotAChatRequest)
    } else if is_compressed(request.headers()) {
        Judgement::Skip(Skipped::Compressed)
    } else if request.body().size_hint().lower() > limit as u64 {
        Judgement::Skip(Skipped::TooLarge { limit })
    } else {
        Judgement::Read
    }
}

/// `application/json`, however it is written, anything that ends in `+json`, and
/// no content type at all, as hand-written clients send it.
fn has_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let essence = value.as_bytes().split(|&byte| byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    let ends_with = |suffix: &[u8]| {
        essence.len() > suffix.len()
            && essence[essence.len() - suffix.len()..].eq_ignore_ascii_case(suffix)
    };
    essence.eq_ignore_ascii_case(b"application/json") || ends_with(b"+json")
}

pub(crate) fn is_compressed(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
}
