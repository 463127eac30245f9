//! The service and its builder methods.

use std::{
    convert::Infallible,
    error::Error,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower::Service;

use super::{
    api::{Api, Route},
    body::EmulatorBody,
    config::Key,
    failure::Failure,
    finding::Finding,
    future::ResponseFuture,
    quirk::Quirk,
    thoughts::Thoughts,
};

/// An offline Moonshot.
///
/// Clones share the count of requests, on which the ids of answers and
/// [`fail_first`](Self::fail_first) depend.
///
/// See the [module docs](super) for an example, and for what is accepted.
#[derive(Clone, Debug, Default)]
pub struct Emulator {
    api: Api,
}

impl Emulator {
    /// Creates an emulator that accepts any key and all models of the known
    /// families.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Requires a key: requests need `Authorization: Bearer <key>` with this key or
    /// with that of another call.
    ///
    /// Default: any key is accepted, and none is needed.
    #[must_use]
    pub fn with_api_key(mut self, key: impl Into<String>) -> Self {
        self.api.config_mut().keys.push(Key(key.into()));
        self
    }

    /// Lists and accepts only these models.
    ///
    /// Default: ids of every family are listed, retired ones included, and every id
    /// of a known family is accepted.
    #[must_use]
    pub fn with_models<I>(mut self, models: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.api.config_mut().models = Some(models.into_iter().map(Into::into).collect());
        self
    }

    /// Accepts all other models too. Those of no known family are treated like
    /// Moonshot's oldest ones.
    ///
    /// Ids that begin with `moonshot/` or `moonshotai/` are still refused: routers
    /// use such prefixes, Moonshot does not accept them.
    ///
    /// Default: unknown models are answered with 404.
    #[must_use]
    pub fn accept_unknown_models(mut self) -> Self {
        self.api.config_mut().unknown_models = true;
        self
    }

    /// Fails this many chat requests. Requests to all clones count, unless they
    /// are refused anyway. Failures of a second call follow those of the first.
    ///
    /// Default: no request fails.
    #[must_use]
    pub fn fail_first(mut self, requests: usize, failure: Failure) -> Self {
        self.api.config_mut().failures.push((requests, failure));
        self
    }

    /// Gives every answer a fault. Those of several calls are combined.
    ///
    /// Default: answers are as documented.
    ///
    /// ```
    /// use http::Request;
    /// use http_body_util::BodyExt;
    /// use tower::ServiceExt;
    /// use tower_moonshot::emulator::{Emulator, Quirk};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let moonshot = Emulator::new().with_quirk(Quirk::BreaksOff);
    /// let request = Request::post("/v1/chat/completions")
    ///     .body(r#"{"model":"kimi-k3","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#.to_owned())
    ///     .unwrap();
    /// let response = moonshot.oneshot(request).await.unwrap();
    /// let stream = response.into_body().collect().await.unwrap().to_bytes();
    /// assert!(stream.starts_with(b"data: {"));
    /// assert!(!stream.ends_with(b"[DONE]\n\n"));
    /// # }
    /// ```
    #[must_use]
    pub fn with_quirk(mut self, quirk: Quirk) -> Self {
        self.api.config_mut().quirks.0.push(quirk);
        self
    }

    /// Gives every thought a unique text, and records which thoughts requests bring back.
    /// See [`returned_thoughts`](Self::returned_thoughts).
    ///
    /// Default: all thoughts are the same.
    #[must_use]
    pub fn with_unique_thoughts(mut self) -> Self {
        self.api.config_mut().thoughts = Thoughts::unique();
        self
    }

    /// Returns every reason for which this emulator refuses the body of a chat request, in
    /// the order of its checks. The first is the reason of its answer.
    ///
    /// See [`explain`](super::explain), which does the same with default settings.
    #[must_use]
    pub fn explain(&self, body: &[u8]) -> Vec<Finding> {
        self.api.explain(body)
    }

    /// Returns the `reasoning_content` of the requests that were accepted so far: for each
    /// request, that of every assistant message. Empty without
    /// [`with_unique_thoughts`](Self::with_unique_thoughts).
    ///
    /// ```
    /// use http::Request;
    /// use tower::ServiceExt;
    /// use tower_moonshot::emulator::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let moonshot = Emulator::new().with_unique_thoughts();
    /// let request = Request::post("/v1/chat/completions")
    ///     .body(r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"},
    ///         {"role":"assistant","content":"Hello","reasoning_content":"A greeting."},
    ///         {"role":"user","content":"Bye"}]}"#.to_owned())
    ///     .unwrap();
    /// let response = moonshot.clone().oneshot(request).await.unwrap();
    /// assert_eq!(response.status(), 200);
    /// assert_eq!(moonshot.returned_thoughts(), [[Some("A greeting.".to_owned())]]);
    /// # }
    /// ```
    #[must_use]
    pub fn returned_thoughts(&self) -> Vec<Vec<Option<String>>> {
        self.api.returned_thoughts()
    }
}

impl<B> Service<Request<B>> for Emulator
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<EmulatorBody>;
    type Error = Infallible;
    type Future = ResponseFuture<B>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let api = &self.api;
        match api.route(request.method(), request.uri().path(), request.headers()) {
            Ok(Route::Chat) => ResponseFuture::reading(api.clone(), request.into_body()),
            Ok(Route::Models(models)) => {
                ResponseFuture::ready(api.sign(Response::new(EmulatorBody::json(&models))))
            }
            Err(error) => ResponseFuture::ready(api.refuse(error)),
        }
    }
}
