//! Answers that a test writes frame by frame, and what a client gets of them.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_moonshot::{
    MoonshotCompatLayer,
    response::{ResponseCompatLayer, ResponseReport},
};

pub(crate) const EVENTS: &str = "text/event-stream";
pub(crate) const JSON: &str = "application/json";

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

    pub(crate) fn with_trailers(mut self, trailers: &[(&'static str, &'static str)]) -> Self {
        self.frames.push_back(Event::Trailers(headers(trailers)));
        self
    }

    pub(crate) fn with_error(mut self, error: &'static str) -> Self {
        self.frames.push_back(Event::Error(error));
        self
    }
}

pub(crate) fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let fields = fields
        .iter()
        .map(|&(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    fields.collect()
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        self.has_waited = !self.has_waited;
        if self.has_waited && !self.frames.is_empty() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.frames.pop_front().map(|event| match event {
            Event::Data(data) => Ok(Frame::data(data)),
            Event::Trailers(trailers) => Ok(Frame::trailers(trailers)),
            Event::Error(error) => Err(error),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// What a client gets.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) head: Response<()>,
    pub(crate) frames: Vec<Bytes>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) error: Option<&'static str>,
}

impl Got {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.frames.concat()
    }

    pub(crate) fn report(&self) -> String {
        let report = self.head.extensions().get::<ResponseReport>();
        report.unwrap().to_string()
    }
}

/// Polls a body to its end, and checks on the way that what it says of itself is so.
pub(crate) fn drain<B>(response: Response<B>) -> Got
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    let (parts, body) = response.into_parts();
    let mut got = Got {
        head: Response::from_parts(parts, ()),
        frames: Vec::new(),
        trailers: None,
        error: None,
    };
    let mut body = std::pin::pin!(body);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    let (mut hints, mut length) = (Vec::new(), 0);
    loop {
        hints.push((body.size_hint(), length));
        let is_end = body.is_end_stream();
        let frame = match body.as_mut().poll_frame(&mut cx) {
            Poll::Pending => continue,
            Poll::Ready(None) => break,
            Poll::Ready(Some(frame)) => frame,
        };
        assert!(!is_end, "more comes behind the end");
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => {
                length += data.len() as u64;
                got.frames.push(data);
            }
            Ok(Err(frame)) => got.trailers = Some(frame.into_trailers().unwrap()),
            Err(error) => {
                got.error = Some(error);
                break;
            }
        }
    }
    for (hint, before) in hints {
        if got.error.is_none() {
            assert!(hint.lower() <= length - before, "{hint:?}");
            assert!(hint.upper().is_none_or(|upper| upper >= length - before));
        }
    }
    if got.error.is_none() {
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().lower(), 0);
    }
    assert!(matches!(body.poll_frame(&mut cx), Poll::Ready(None)));
    got
}

/// Sends a request through both layers; the answer is this one.
pub(crate) fn answered(
    layer: &ResponseCompatLayer,
    compat: &MoonshotCompatLayer,
    request: Request<Full<Bytes>>,
    response: Response<Script>,
) -> Got {
    let inner = service_fn(move |_| std::future::ready(Ok::<_, Infallible>(response.clone())));
    let mut service = layer.layer(compat.layer(inner));
    let future = service
        .ready()
        .now_or_never()
        .unwrap()
        .unwrap()
        .call(request);
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    loop {
        if let Poll::Ready(Ok(response)) = std::future::Future::poll(future.as_mut(), &mut cx) {
            return drain(response);
        }
    }
}

pub(crate) fn chat(body: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
    Request::post("/v1/chat/completions").body(body).unwrap()
}

pub(crate) const ASKED: &str = r#"{"model":"kimi-k3","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}"#;

/// What becomes of a body, for a client that asked for its usage.
pub(crate) fn repaired_by(
    layer: &ResponseCompatLayer,
    content_type: &'static str,
    body: Script,
) -> Got {
    let mut response = Response::new(body);
    *response.headers_mut() = headers(&[(CONTENT_TYPE.as_str(), content_type)]);
    answered(layer, &MoonshotCompatLayer::new(), chat(ASKED), response)
}

/// What becomes of a stream that arrives in one frame.
pub(crate) fn stream(text: &str) -> String {
    repaired_by(&ResponseCompatLayer::new(), EVENTS, Script::of([text])).text()
}

/// What becomes of a JSON answer.
pub(crate) fn json(text: &str) -> String {
    repaired_by(&ResponseCompatLayer::new(), JSON, Script::of([text])).text()
}

/// All of a body, for those that can't fail.
pub(crate) async fn collect<B>(body: B) -> Bytes
where
    B: Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    body.collect().await.unwrap().to_bytes()
}

/// This many cases, unless the environment says otherwise. Failing cases become named
/// tests rather than files of seeds.
pub(crate) fn cases(number: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases: match std::env::var("PROPTEST_CASES") {
            Ok(cases) => cases.parse().unwrap(),
            Err(_) => number,
        },
        failure_persistence: None,
        ..Default::default()
    }
}
