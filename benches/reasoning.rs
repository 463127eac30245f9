//! What the memory of thoughts adds: to a chunk of a stream, and to a request.
//!
//! ```sh
//! cargo bench --bench reasoning
//! ```
//!
//! All candidates take turns in one run; printed are medians of the differences, in
//! nanoseconds. That each thought was restored or remembered, and that all of a body
//! arrived, is verified for every call.

#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code, reason = "only its random words are needed")]
mod bodies;

use std::{
    convert::Infallible,
    fmt::Write,
    future::{Ready, ready},
    hint::black_box,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    time::Instant,
};

use bodies::Rng;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};
use tower_moonshot::{
    MoonshotCompatLayer,
    reasoning_memory::{ReasoningMemoryLayer, ReasoningReport},
};

/// A body of these frames, all of which are there. The last comes first.
#[derive(Clone, Default)]
struct Frames(Vec<Bytes>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop().map(|frame| Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// The number of bytes of a body that is all there.
fn drain<B: Body<Data = Bytes>>(body: B) -> usize {
    let mut body = pin!(body);
    let mut context = Context::from_waker(Waker::noop());
    let mut length = 0;
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        length += frame.data_ref().map_or(0, Bytes::len);
    }
    length
}

/// The inner service: drains the request, and answers with these frames.
#[derive(Clone)]
struct Answer(Frames);

impl<B: Body<Data = Bytes>> Service<Request<B>> for Answer {
    type Response = Response<Frames>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Frames>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        black_box(drain(request.into_body()));
        let mut response = Response::new(self.0.clone());
        let event_stream = http::HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert("content-type", event_stream);
        ready(Ok(response))
    }
}

fn request(text: &Bytes) -> Request<Frames> {
    Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .header("authorization", "Bearer sk-bench")
        .header("content-length", text.len())
        .body(Frames(vec![text.clone()]))
        .unwrap()
}

/// Calls a service, and returns its answer.
fn call<S, B>(service: &mut S, request: Request<Frames>) -> Response<B>
where
    S: Service<Request<Frames>, Response = Response<B>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Ok(response) = service.call(request).now_or_never().unwrap();
    response
}

/// Nanoseconds of one call and its answer, and the last report.
fn time<S, B>(service: &mut S, text: &Bytes, calls: usize) -> (f64, Option<ReasoningReport>)
where
    S: Service<Request<Frames>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes>,
{
    let requests: Vec<_> = (0..calls).map(|_| request(text)).collect();
    let mut report = None;
    let start = Instant::now();
    for request in requests {
        let response = call(service, request);
        report = response.extensions().get::<ReasoningReport>().cloned();
        black_box(drain(response.into_body()));
    }
    (start.elapsed().as_secs_f64() * 1e9 / calls as f64, report)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A stream of this many chunks of 200 bytes each, of which most are thoughts.
fn stream(chunks: usize) -> Frames {
    let mut rng = Rng::new(7);
    let mut frames: Vec<Bytes> = (0..chunks)
        .map(|number| {
            let key = if number < chunks * 3 / 4 {
                "reasoning_content"
            } else {
                "content"
            };
            let words = rng.words(200);
            let mut event = format!(
                "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"model\":\"kimi-k3\",\"choices\":[{{\"index\":0,\"delta\":{{\"{key}\":\"\"}}}}]}}\n\n"
            );
            let room = 200_usize.saturating_sub(event.len());
            let at = event.len() - "\"}}]}\n\n".len();
            event.insert_str(at, &words[..room]);
            assert_eq!(event.len(), 200);
            Bytes::from(event)
        })
        .collect();
    frames.push(Bytes::from_static(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    ));
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    frames.reverse();
    Frames(frames)
}

const SYSTEM: usize = 6000;
const TOOLS: usize = 16;
const TURNS: usize = 30;

/// The start of a request of an agent: what comes before the messages, and the first two.
fn head() -> String {
    let mut rng = Rng::new(1);
    let mut text = String::from("{\"model\":\"kimi-k3\",\"stream\":true,\"tools\":[");
    for number in 0..TOOLS {
        let comma = if number == 0 { "" } else { "," };
        write!(
            text,
            "{comma}{{\"type\":\"function\",\"function\":{{\"name\":\"tool_{number}\",\"description\":\"{}\",\"parameters\":{{\"type\":\"object\",\"properties\":{{\"path\":{{\"type\":\"string\"}}}},\"required\":[\"path\"]}}}}}}",
            rng.words(350)
        )
        .unwrap();
    }
    write!(
        text,
        "],\"messages\":[{{\"role\":\"system\",\"content\":\"{}\"}},{{\"role\":\"user\",\"content\":\"{}\"}}",
        rng.words(SYSTEM),
        rng.words(300)
    )
    .unwrap();
    text
}

/// One turn: a call of a tool, without reasoning, and its answer.
fn turn(number: usize) -> (String, String) {
    let mut rng = Rng::new(100 + number as u64);
    let arguments =
        format!("{{\\\"path\\\":\\\"src/file_{number}.rs\\\",\\\"offset\\\":{number}}}");
    let call = format!(
        ",{{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{{\"id\":\"functions.tool_1:{number}\",\"type\":\"function\",\"function\":{{\"name\":\"tool_1\",\"arguments\":\"{arguments}\"}}}}]}}"
    );
    let answer = format!(
        ",{{\"role\":\"tool\",\"tool_call_id\":\"functions.tool_1:{number}\",\"content\":\"{}\"}}",
        rng.words(1200)
    );
    (call, answer)
}

/// The answer that a turn begins with.
fn answer(number: usize) -> Frames {
    let thought = Rng::new(200 + number as u64).words(600);
    let (call, _) = turn(number);
    let calls = call
        .split_once("\"tool_calls\":")
        .and_then(|(_, calls)| calls.strip_suffix('}'))
        .unwrap();
    let event = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"reasoning_content\":\"{thought}\",\"tool_calls\":{calls}}},\"finish_reason\":\"tool_calls\"}}]}}\n\ndata: [DONE]\n\n"
    );
    Frames(vec![Bytes::from(event)])
}

fn rounds() -> usize {
    // Run as a test, only the verification counts.
    let is_test = std::env::args().any(|argument| argument == "--test");
    if is_test { 1 } else { 301 }
}

fn chunks() {
    const CHUNKS: usize = 2000;
    let body = Bytes::from_static(
        br#"{"model":"kimi-k3","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#,
    );
    let inner = Answer(stream(CHUNKS));
    let mut without = inner.clone();
    let mut with = ReasoningMemoryLayer::new().layer(inner);
    let added = (0..rounds()).map(|_| {
        let (without, _) = time(&mut without, &body, 1);
        let (with, report) = time(&mut with, &body, 1);
        assert_eq!(report.map(|report| report.remembered()), Some(1));
        (with - without) / CHUNKS as f64
    });
    let added = median(added.collect());
    println!(
        "a streamed chunk of 200 bytes, request and end of the stream included: {added:.0} ns\n"
    );
}

fn requests() {
    let mut text = head();
    let teacher = ReasoningMemoryLayer::new();
    for number in 0..TURNS {
        let mut service = teacher.layer(Answer(answer(number)));
        let asked = Bytes::from(format!("{text}]}}"));
        let response = call(&mut service, request(&asked));
        let report = response.extensions().get::<ReasoningReport>().cloned();
        drain(response.into_body());
        assert_eq!(report.map(|report| report.remembered()), Some(1));
        let (call, answer) = turn(number);
        text.push_str(&call);
        text.push_str(&answer);
    }
    text.push_str("]}");
    let text = Bytes::from(text);

    let inner = Answer(Frames::default());
    let compat = MoonshotCompatLayer::new().layer(inner.clone());
    let mut plain = inner;
    let mut only_compat = compat.clone();
    let mut found = teacher.layer(compat.clone());
    let mut missing = ReasoningMemoryLayer::new().layer(compat);
    let mut times: [Vec<f64>; 3] = Default::default();
    for _ in 0..rounds() {
        let calls = 10;
        let (plain, _) = time(&mut plain, &text, calls);
        let (compat, _) = time(&mut only_compat, &text, calls);
        let (found, report) = time(&mut found, &text, calls);
        assert_eq!(report.map(|report| report.restored()), Some(TURNS as u32));
        let (missing, report) = time(&mut missing, &text, calls);
        assert_eq!(report.map(|report| report.missing()), Some(TURNS as u32));
        times[0].push(compat - plain);
        times[1].push(found - compat);
        times[2].push(missing - compat);
    }
    let [compat, found, missing] = times.map(median);
    println!(
        "a request of {} bytes with {TURNS} turns, in nanoseconds:\n",
        text.len()
    );
    println!("| the compat layer alone | memory, all thoughts restored | memory, none found |");
    println!("|---|---|---|");
    println!("| {compat:.0} | +{found:.0} | +{missing:.0} |");
}

fn main() {
    chunks();
    requests();
}
