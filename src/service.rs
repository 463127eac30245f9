//! Which requests are read.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{
    HeaderMap, Method, Request, Response,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT},
    request::Parts,
};
use http_body::Body;
use tower::Service;

use crate::{
    ApiKey, CompatBody, MoonshotCompatLayer, Region, Report, endpoint, future::ResponseFuture,
    layer::Config, report::Skipped,
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

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        // Judged before the path becomes Moonshot's.
        let skipped = skip(&parts, &body, self.config.max_body_bytes);
        address(&mut parts, &self.config);
        if let Some(why) = skipped {
            let report = Report::skipped_because(why).file(&mut parts.extensions);
            let request = Request::from_parts(parts, CompatBody::unread(body));
            return ResponseFuture::calling(self.inner.call(request), report);
        }
        // Reading the body tells a waiting client to send it.
        parts.headers.remove(EXPECT);
        // The service that `poll_ready` made ready is the one to be called, later;
        // its clone, which is not ready, stays here.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        ResponseFuture::reading(ready, parts, body, Arc::clone(&self.config))
    }
}

/// Sends the request to its region, with the key that belongs there.
fn address(parts: &mut Parts, config: &Config) {
    let region = parts.extensions.get::<Region>().cloned();
    let region = region.as_ref().unwrap_or(&config.region);
    endpoint::retarget(parts, region);
    let key = match parts.extensions.get::<ApiKey>() {
        // The layer's key belongs to the layer's region.
        None if region.base() == config.region.base() => config.api_key.as_ref(),
        key => key,
    };
    if let Some(key) = key {
        parts.headers.insert(AUTHORIZATION, key.header());
    }
}

/// Why a request's body is not even read: the cheap checks, before any buffering.
pub(crate) fn skip<B: Body>(parts: &Parts, body: &B, limit: usize) -> Option<Skipped> {
    let is_chat = parts.method == Method::POST
        && endpoint::is_chat_completions(parts.uri.path())
        && has_json(&parts.headers);
    if !is_chat {
        Some(Skipped::NotAChatRequest)
    } else if is_compressed(&parts.headers) {
        Some(Skipped::Compressed)
    } else if body.size_hint().lower() > limit as u64 {
        Some(Skipped::TooLarge { limit })
    } else {
        None
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
