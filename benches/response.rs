//! What the layer for responses adds to a chunk of a stream, beside the same stream
//! without it.
//!
//! ```sh
//! cargo bench --bench response
//! ```
//!
//! Both take turns in one run; printed are the median of the differences and what a
//! chunk costs without, in nanoseconds a chunk of 200 bytes. A chunk is a frame of its
//! own unless the case says otherwise. What arrives is verified before it is timed.

#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_moonshot::{MoonshotCompatLayer, RequestBody, response::ResponseCompatLayer};

const CHUNKS: usize = 500;

/// A chunk of 200 bytes.
fn chunk() -> String {
    let chunk = |text: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-0123456789abcdef\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"kimi-k3\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
        )
    };
    let text = "x".repeat(200 - chunk("").len());
    chunk(&text)
}

const END: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// A stream in frames of this length, all of which are there.
#[derive(Clone)]
struct Frames {
    text: Bytes,
    frame: usize,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.text.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.frame.min(self.text.len());
        Poll::Ready(Some(Ok(Frame::data(self.text.split_to(length)))))
    }
}

/// Answers with a stream.
#[derive(Clone)]
struct Stream(Frames);

impl Service<Request<RequestBody<Full<Bytes>>>> for Stream {
    type Response = Response<Frames>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Frames>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<RequestBody<Full<Bytes>>>) -> Self::Future {
        let response = Response::builder().header(CONTENT_TYPE, "text/event-stream");
        ready(Ok(response.body(self.0.clone()).unwrap()))
    }
}

fn request(model: &str) -> Request<Full<Bytes>> {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hi"}}]}}"#);
    let request = Request::post("/v1/chat/completions");
    request.body(Full::new(Bytes::from(body))).unwrap()
}

/// The body of the answer.
fn answer<S, B>(service: &mut S, request: Request<Full<Bytes>>) -> B
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
{
    let Ok(response) = service.call(request).now_or_never().unwrap();
    response.into_body()
}

/// How much arrives.
fn drain<B: Body<Data = Bytes>>(body: B) -> usize {
    let mut body = std::pin::pin!(body);
    let mut context = Context::from_waker(Waker::noop());
    let mut length = 0;
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        length += black_box(frame).data_ref().map_or(0, Bytes::len);
    }
    length
}

/// Nanoseconds a chunk, of a body that is there.
fn time<B: Body<Data = Bytes>>(body: B, expected: usize) -> f64 {
    let start = Instant::now();
    let length = drain(body);
    let time = start.elapsed();
    assert_eq!(length, expected);
    time.as_secs_f64() * 1e9 / CHUNKS as f64
}

struct Case {
    name: &'static str,
    frame: usize,
    model: &'static str,
    /// How much longer a chunk gets.
    longer: usize,
}

const CASES: [Case; 5] = [
    Case {
        name: "one chunk a frame",
        frame: 200,
        model: "kimi-k3",
        longer: 0,
    },
    Case {
        name: "eight chunks a frame",
        frame: 1600,
        model: "kimi-k3",
        longer: 0,
    },
    Case {
        name: "frames of 1460 B that cut chunks",
        frame: 1460,
        model: "kimi-k3",
        longer: 0,
    },
    Case {
        name: "one chunk a frame, the model's name echoed",
        frame: 200,
        model: "my-kimi-k3",
        longer: 3,
    },
    Case {
        name: "eight chunks a frame, the model's name echoed",
        frame: 1600,
        model: "my-kimi-k3",
        longer: 3,
    },
];

fn main() {
    const ROUNDS: usize = 2001;
    // Run as a test, only the verification counts.
    let rounds = if std::env::args().any(|argument| argument == "--test") {
        1
    } else {
        ROUNDS
    };
    println!("added nanoseconds a chunk, median of {rounds} interleaved rounds\n");
    println!("| stream | added | without the layer |");
    println!("|---|---|---|");
    for case in &CASES {
        let text = Bytes::from(chunk().repeat(CHUNKS) + END);
        let frame = case.frame;
        let length = text.len();
        let stream = Stream(Frames { text, frame });
        let compat = MoonshotCompatLayer::new()
            .with_alias("my-kimi-k3", "kimi-k3")
            .unwrap();
        let mut without = compat.layer(stream);
        let mut with = ResponseCompatLayer::new().layer(without.clone());
        let expected = length + CHUNKS * case.longer;
        let mut timed: Vec<(f64, f64)> = (0..rounds)
            .map(|_| {
                let before = time(answer(&mut without, request(case.model)), length);
                let after = time(answer(&mut with, request(case.model)), expected);
                (after - before, before)
            })
            .collect();
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (added, without) = timed[rounds / 2];
        println!("| {} | {added:.0} | {without:.0} |", case.name);
    }
}
