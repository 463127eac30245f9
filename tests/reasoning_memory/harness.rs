//! A client on one side of the layer and a script on the other.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};
use tower_moonshot::reasoning_memory::{
    MemoryStore, ReasoningMemoryLayer, ReasoningReport, ReasoningStore, StoreKey, Thought,
};

pub(crate) const EVENTS: &str = "text/event-stream";
pub(crate) const JSON: &str = "application/json";

/// Polls a future to its end. No test here waits for anything but other polls, unless it
/// has a runtime.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Keeps thoughts, and notes what it is asked for and given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noting {
    pub(crate) inner: MemoryStore,
    asked: Arc<Mutex<Vec<StoreKey>>>,
    given: Arc<Mutex<Vec<(StoreKey, String)>>>,
}

impl Noting {
    /// The keys that were looked up since the last time.
    pub(crate) fn asked(&self) -> Vec<StoreKey> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// The thoughts that were stored since the last time.
    pub(crate) fn given(&self) -> Vec<(StoreKey, String)> {
        std::mem::take(&mut *self.given.lock().unwrap())
    }
}

impl ReasoningStore for Noting {
    type Recall = std::future::Ready<Result<Vec<Option<Thought>>, BoxError>>;

    fn recall(&self, keys: Vec<StoreKey>) -> Self::Recall {
        self.asked.lock().unwrap().extend(&keys);
        self.inner.recall(keys)
    }

    fn remember(&self, key: StoreKey, thought: Thought) {
        self.given.lock().unwrap().push((key, thought.to_text()));
        self.inner.remember(key, thought);
    }
}

/// A body of these frames, between which it has to be waited for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    frames: VecDeque<Event>,
    has_waited: bool,
}

#[derive(Clone, Debug)]
enum Event {
    Data(Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
}

impl Script {
    pub(crate) fn of<T: AsRef<[u8]>>(frames: impl IntoIterator<Item = T>) -> Self {
        let data = |frame: T| Event::Data(Bytes::copy_from_slice(frame.as_ref()));
        Self {
            frames: frames.into_iter().map(data).collect(),
            has_waited: false,
        }
    }

    pub(crate) fn with_trailers(mut self) -> Self {
        let trailers = HeaderMap::from_iter([(http::header::ETAG, "1".parse().unwrap())]);
        self.frames.push_back(Event::Trailers(trailers));
        self
    }

    pub(crate) fn with_error(mut self, error: &'static str) -> Self {
        self.frames.push_back(Event::Error(error));
        self
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.has_waited = !self.has_waited;
        if self.has_waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.frames.pop_front().map(|event| match event {
            Event::Data(data) => Ok(Frame::data(data)),
            Event::Trailers(trailers) => Ok(Frame::trailers(trailers)),
            Event::Error(error) => Err(error),
        }))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// What reached the inner service, and what the client got.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) sent: Request<Bytes>,
    pub(crate) head: Response<()>,
    pub(crate) frames: Vec<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) error: Option<&'static str>,
}

impl Exchange {
    pub(crate) fn report(&self) -> &ReasoningReport {
        self.head.extensions().get().unwrap()
    }

    /// The `reasoning_content` that each message of the assistant was sent with.
    pub(crate) fn reasoning(&self) -> Vec<Value> {
        let sent: Value = serde_json::from_slice(self.sent.body()).unwrap();
        let messages = sent["messages"].as_array().unwrap().iter();
        messages
            .filter(|message| message["role"] == "assistant")
            .map(|message| message["reasoning_content"].clone())
            .collect()
    }
}

/// Sends a request through the layer, answered by this response.
pub(crate) fn exchange<M>(
    layer: &ReasoningMemoryLayer<M>,
    request: Request<impl Body<Data = Bytes, Error = Infallible>>,
    response: Response<Script>,
) -> Exchange
where
    M: ReasoningStore + Clone,
{
    let sent = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&sent);
    let inner = service_fn(move |request: Request<_>| {
        let (noted, response) = (Arc::clone(&noted), response.clone());
        async move {
            let (parts, body) = http_parts(request);
            let body = BodyExt::collect(body).await.unwrap().to_bytes();
            *noted.lock().unwrap() = Some(Request::from_parts(parts, body));
            Ok::<_, Infallible>(response)
        }
    });
    let mut service = layer.layer(inner);
    let Ok(response) = wait(async { service.ready().await.unwrap().call(request).await });
    let sent = sent.lock().unwrap().take().unwrap();
    drain(sent, response)
}

/// A request whose body can't fail.
fn http_parts<B>(request: Request<B>) -> (http::request::Parts, B) {
    request.into_parts()
}

/// Polls a body to its end.
fn drain<B>(sent: Request<Bytes>, response: Response<B>) -> Exchange
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    let (parts, body) = response.into_parts();
    let mut exchange = Exchange {
        sent,
        head: Response::from_parts(parts, ()),
        frames: Vec::new(),
        trailers: None,
        error: None,
    };
    let mut body = pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match body.as_mut().poll_frame(&mut cx) {
            Poll::Pending => {}
            Poll::Ready(None) => return exchange,
            Poll::Ready(Some(frame)) => match frame.map(Frame::into_data) {
                Ok(Ok(data)) => exchange.frames.push(data),
                Ok(Err(frame)) => exchange.trailers = Some(frame.into_trailers().unwrap()),
                Err(error) => exchange.error = Some(error),
            },
        }
    }
}

/// A request of the caller with the key `sk-test`.
pub(crate) fn chat(body: impl ToString) -> Request<Full<Bytes>> {
    chat_of("sk-test", body)
}

pub(crate) fn chat_of(key: &str, body: impl ToString) -> Request<Full<Bytes>> {
    Request::post("/v1/chat/completions")
        .header("authorization", format!("Bearer {key}"))
        .body(Full::from(body.to_string()))
        .unwrap()
}

pub(crate) fn response(content_type: &str, body: Script) -> Response<Script> {
    Response::builder()
        .header("content-type", content_type)
        .body(body)
        .unwrap()
}

/// A JSON answer of one choice.
pub(crate) fn answer(thought: &str, message: Value) -> Response<Script> {
    let mut message = message;
    message["role"] = json!("assistant");
    message["reasoning_content"] = json!(thought);
    let reason = if message["tool_calls"].is_array() {
        "tool_calls"
    } else {
        "stop"
    };
    let answer = json!({"choices": [{"index": 0, "message": message, "finish_reason": reason}]});
    response(JSON, Script::of([answer.to_string()]))
}

/// A stream of events with these chunks, and `[DONE]`.
pub(crate) fn stream(chunks: &[Value]) -> String {
    let events = chunks.iter().map(|chunk| format!("data: {chunk}\n\n"));
    events.chain(["data: [DONE]\n\n".to_owned()]).collect()
}

/// One chunk of one choice.
pub(crate) fn chunk(index: usize, delta: Value, finish_reason: Option<&str>) -> Value {
    json!({"choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}]})
}

pub(crate) fn layer() -> (ReasoningMemoryLayer<Noting>, Noting) {
    let store = Noting::default();
    (ReasoningMemoryLayer::new().with_store(store.clone()), store)
}

/// A request to K3 with these messages.
pub(crate) fn k3(messages: Value) -> Value {
    json!({"model": "kimi-k3", "messages": messages})
}

/// Lets the layer remember a thought before this answer to these messages.
pub(crate) fn teach<M: ReasoningStore + Clone>(
    layer: &ReasoningMemoryLayer<M>,
    request: &Value,
    thought: &str,
    message: Value,
) {
    let taught = exchange(layer, chat(request), answer(thought, message));
    assert_eq!(taught.report().remembered(), 1, "{}", taught.report());
}
