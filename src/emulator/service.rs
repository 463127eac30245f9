//! The service and its builder methods.

use std::{
    convert::Infallible,
    error::Error,
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body::Body;
use serde_json::{Value, json};
use tower::Service;

use super::{
    body::EmulatorBody,
    check::check,
    config::{Config, Key},
    error::ApiError,
    failure::Failure,
    future::ResponseFuture,
    quirk::Quirk,
    reply::{CREATED, Reply},
    stream,
    thoughts::Thoughts,
};

/// The longest body that is read.
pub(super) const MAX_BODY: usize = 100 * 1024 * 1024;

/// An offline Moonshot.
///
/// Clones share the count of requests, on which the ids of answers and
/// [`fail_first`](Self::fail_first) depend.
///
/// See the [module docs](super) for an example, and for what is accepted.
#[derive(Clone, Debug, Default)]
pub struct Emulator {
    config: Arc<Config>,
    requests: Arc<AtomicUsize>,
    accepted: Arc<AtomicUsize>,
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
        self.config_mut().keys.push(Key(key.into()));
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
        self.config_mut().models = Some(models.into_iter().map(Into::into).collect());
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
        self.config_mut().unknown_models = true;
        self
    }

    /// Fails this many chat requests. Requests to all clones count, unless they
    /// are refused anyway. Failures of a second call follow those of the first.
    ///
    /// Default: no request fails.
    #[must_use]
    pub fn fail_first(mut self, requests: usize, failure: Failure) -> Self {
        self.config_mut().failures.push((requests, failure));
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
        self.config_mut().quirks.0.push(quirk);
        self
    }

    /// Gives every thought a text of its own, and notes which ones requests bring back,
    /// see [`returned_thoughts`](Self::returned_thoughts).
    ///
    /// Default: all thoughts are the same.
    #[must_use]
    pub fn with_unique_thoughts(mut self) -> Self {
        self.config_mut().thoughts = Thoughts::unique();
        self
    }

    /// The `reasoning_content` of the requests that were accepted so far: for each
    /// request, that of every message of the assistant. Empty without
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
        self.config.thoughts.returned()
    }

    fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }

    /// Answers a chat request from its body.
    pub(super) fn chat(&self, body: &[u8]) -> Response<EmulatorBody> {
        let result = self.try_chat(body);
        self.sign(result.unwrap_or_else(ApiError::into_response))
    }

    /// Answers a chat request whose body could not be read. A broken connection can't
    /// carry the answer, but a test in the same process receives it.
    pub(super) fn unreadable(&self, error: &dyn Display) -> Response<EmulatorBody> {
        self.refuse(ApiError::invalid(format!(
            "Invalid request: the request body could not be read: {error}"
        )))
    }

    pub(super) fn refuse(&self, error: ApiError) -> Response<EmulatorBody> {
        self.sign(error.into_response())
    }

    fn try_chat(&self, bytes: &[u8]) -> Result<Response<EmulatorBody>, ApiError> {
        let body: Value = serde_json::from_slice(bytes).map_err(|error| {
            ApiError::invalid(format!(
                "Invalid request: the request body is not valid JSON: {error}"
            ))
        })?;
        let request = check(&body, &self.config)?;
        let number = self.accepted.fetch_add(1, Ordering::Relaxed);
        self.config.thoughts.note(request.body);
        let reply = Reply::to(&request, &self.config.thoughts, number, bytes.len());
        let body = match (self.config.failure(number), request.stream) {
            (None, false) => {
                let (status, text) = self.config.quirks.json(reply.to_json());
                let mut response = Response::new(EmulatorBody::frames([Bytes::from(text)]));
                *response.status_mut() = status;
                return Ok(response);
            }
            (None, true) => stream::body(&reply, request.include_usage, &self.config.quirks),
            (Some(failure @ Failure::MidStream), true) => {
                stream::broken_body(&reply, &failure.to_error())
            }
            (Some(failure), _) => return Err(failure.to_error()),
        };
        let mut response = Response::new(body);
        let event_stream = HeaderValue::from_static("text/event-stream");
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, event_stream);
        Ok(response)
    }

    fn models(&self) -> Value {
        let models: Vec<Value> = self.config.models().into_iter().map(model).collect();
        json!({"object": "list", "data": models})
    }

    /// Adds the headers that all answers have. The last four identify the account,
    /// so a proxy may want to remove them.
    fn sign(&self, mut response: Response<EmulatorBody>) -> Response<EmulatorBody> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let headers = response.headers_mut();
        if let Ok(id) = HeaderValue::try_from(format!("{number:032x}")) {
            headers.insert("msh-request-id", id.clone());
            headers.insert("x-msh-trace-id", id);
        }
        for (name, value) in [
            ("msh-uid", "emulated-user"),
            ("msh-org-id", "emulated-org"),
            ("msh-project-id", "emulated-project"),
            ("msh-gid", "emulated-group"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
            .entry(header::CONTENT_TYPE)
            .or_insert(HeaderValue::from_static("application/json; charset=utf-8"));
        response
    }

    /// Routes a request, and answers whatever doesn't depend on the body.
    fn route(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Route, ApiError> {
        if path.ends_with("/v1/chat/completions") {
            if method != Method::POST {
                return Err(ApiError::no_method("POST"));
            }
            self.config.check_key(headers)?;
            let length = headers.get(header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
            if length.is_some_and(|length| length > MAX_BODY as u64) {
                return Err(ApiError::too_large());
            }
            return Ok(Route::Chat);
        }

        let wanted = match path.rsplit_once("/v1/models") {
            Some((_, "")) => None,
            Some((_, rest)) if rest.starts_with('/') => Some(&rest[1..]),
            _ => return Err(ApiError::no_route(path)),
        };
        if method != Method::GET {
            return Err(ApiError::no_method("GET"));
        }
        self.config.check_key(headers)?;
        match wanted {
            None => Ok(Route::Models(self.models())),
            Some(id) if self.config.sells(id) => Ok(Route::Models(model(id))),
            Some(id) => Err(ApiError::no_model(id)),
        }
    }
}

/// How a request is answered.
#[derive(Debug)]
enum Route {
    Chat,
    Models(Value),
}

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": "moonshot"})
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
        match self.route(request.method(), request.uri().path(), request.headers()) {
            Ok(Route::Chat) => ResponseFuture::reading(self.clone(), request.into_body()),
            Ok(Route::Models(models)) => {
                ResponseFuture::ready(self.sign(Response::new(EmulatorBody::json(&models))))
            }
            Err(error) => ResponseFuture::ready(self.refuse(error)),
        }
    }
}
