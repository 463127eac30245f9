//! What the layer adds to a tower call, beside the same call without it.
//!
//! ```sh
//! cargo bench --bench layer
//! ```
//!
//! Both take turns in one run; printed are the median of the differences, in
//! nanoseconds a call, and what the call costs without. Every answer is verified.

#![allow(missing_docs, clippy::unwrap_used)]

mod bodies;

use std::{
    convert::Infallible,
    future::{Ready, ready},
    hint::black_box,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use bodies::KINDS;
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};
use tower_moonshot::MoonshotCompatLayer;

/// A body that arrives in frames of this length, all of which are there.
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

    fn is_end_stream(&self) -> bool {
        self.text.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.text.len() as u64)
    }
}

/// The inner service: drains the body, as a client does.
#[derive(Clone)]
struct Drain;

impl<B> Service<Request<B>> for Drain
where
    B: Body<Data = Bytes>,
{
    type Response = Response<u64>;
    type Error = Infallible;
    type Future = Ready<Result<Response<u64>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut body = std::pin::pin!(request.into_body());
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut length = 0;
        while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
            length += frame.data_ref().map_or(0, Bytes::len) as u64;
        }
        ready(Ok(Response::new(length)))
    }
}

/// Sends one request; gives the length of the body that arrived.
fn call<S>(service: &mut S, request: Request<Frames>) -> u64
where
    S: Service<Request<Frames>, Response = Response<u64>, Error = Infallible>,
{
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Ok(response) = service.call(request).now_or_never().unwrap();
    *black_box(response).body()
}

/// Nanoseconds of one call, for enough of them to be measured.
fn time<S>(service: &mut S, requests: &[Request<Frames>], calls: usize) -> f64
where
    S: Service<Request<Frames>, Response = Response<u64>, Error = Infallible>,
{
    // Requests are made before the clock runs.
    let requests: Vec<_> = requests.iter().cycle().take(calls).cloned().collect();
    let start = Instant::now();
    for request in requests {
        call(service, request);
    }
    start.elapsed().as_secs_f64() * 1e9 / calls as f64
}

fn main() {
    const ROUNDS: usize = 101;
    // Run as a test, only the verification counts.
    let rounds = if std::env::args().any(|argument| argument == "--test") {
        1
    } else {
        ROUNDS
    };
    println!("added nanoseconds a call, median of {rounds} interleaved rounds\n");
    println!("| request | added | without the layer |");
    println!("|---|---|---|");
    for (kind, frame) in [
        (None, usize::MAX),
        (Some(&KINDS[0]), usize::MAX),
        (Some(&KINDS[1]), usize::MAX),
        (Some(&KINDS[2]), usize::MAX),
        (Some(&KINDS[2]), 16 * 1024),
    ] {
        let name = match kind {
            None => "GET, passed through".to_owned(),
            Some(kind) if frame == usize::MAX => format!("{}, {}", kind.name, kind.what),
            Some(kind) => format!("{}, in frames of {frame} bytes", kind.name),
        };
        let requests: Vec<Request<Frames>> = match kind {
            None => vec![
                Request::get("/v1/models")
                    .body(Frames {
                        text: Bytes::new(),
                        frame,
                    })
                    .unwrap(),
            ],
            Some(kind) => kind
                .bodies(false)
                .into_iter()
                .map(|text| {
                    Request::post("/v1/chat/completions")
                        .header("content-type", "application/json")
                        .header("content-length", text.len())
                        .body(Frames { text, frame })
                        .unwrap()
                })
                .collect(),
        };
        let (mut without, mut with) = (Drain, MoonshotCompatLayer::new().layer(Drain));
        for request in &requests {
            let length = request.body().text.len() as u64;
            assert_eq!(call(&mut without, request.clone()), length);
            assert_eq!(call(&mut with, request.clone()), length);
        }
        let calls = if kind.is_some_and(|kind| kind.name == "c") {
            200
        } else {
            2000
        };
        let mut timed: Vec<(f64, f64)> = (0..rounds)
            .map(|_| {
                let without = time(&mut without, &requests, calls);
                (time(&mut with, &requests, calls) - without, without)
            })
            .collect();
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (added, without) = timed[rounds / 2];
        println!("| {name} | {added:.0} | {without:.0} |");
    }
}
