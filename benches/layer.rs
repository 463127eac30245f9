//! The time that the layer adds to a tower call.
//!
//! ```sh
//! cargo bench --bench layer
//! cargo bench --bench layer -- --test    # only verifies
//! ```
//!
//! Calls with and without the layer alternate in one run. The output is the median of the
//! differences and the cost without the layer, in nanoseconds per call. No body needs a
//! change. Every call verifies that the body was read or passed through as expected, and
//! that all of it arrived.

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

use bodies::{KINDS, Kind};
use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, Service};
use tower_moonshot::{MoonshotCompatLayer, Report};

/// A body in frames of this length, all of which are available at once.
#[derive(Clone)]
struct Frames {
    text: Bytes,
    frame: usize,
    /// Whether the size hint is exact, as with `Content-Length`, or unknown, as with chunked
    /// encoding.
    is_announced: bool,
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
        self.is_announced && self.text.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_announced {
            SizeHint::with_exact(self.text.len() as u64)
        } else {
            SizeHint::default()
        }
    }
}

/// The inner service, which reads the whole body as a client does.
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

/// Sends one request. The response body is the number of bytes that arrived.
fn call<S>(service: &mut S, request: Request<Frames>) -> Response<u64>
where
    S: Service<Request<Frames>, Response = Response<u64>, Error = Infallible>,
{
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(&mut context).is_ready());
    let Ok(response) = service.call(request).now_or_never().unwrap();
    black_box(response)
}

/// Returns the nanoseconds per call, over enough calls to measure.
fn time<S>(service: &mut S, requests: &[Request<Frames>], calls: usize) -> f64
where
    S: Service<Request<Frames>, Response = Response<u64>, Error = Infallible>,
{
    // Requests are created before the time is taken.
    let requests: Vec<_> = requests.iter().cycle().take(calls).cloned().collect();
    let sent: u64 = requests
        .iter()
        .map(|request| request.body().text.len() as u64)
        .sum();
    let mut arrived = 0;
    let start = Instant::now();
    for request in requests {
        arrived += call(service, request).body();
    }
    let time = start.elapsed();
    assert_eq!(arrived, sent);
    time.as_secs_f64() * 1e9 / calls as f64
}

/// A request that is timed.
struct Case {
    /// `None` for a `GET` without a body.
    kind: Option<&'static Kind>,
    frame: usize,
    is_announced: bool,
}

impl Case {
    const ALL: [Self; 11] = [
        Self {
            kind: None,
            frame: usize::MAX,
            is_announced: true,
        },
        Self::chat(0, usize::MAX, true),
        Self::chat(1, usize::MAX, true),
        Self::chat(1, usize::MAX, false),
        Self::chat(1, 16 * 1024, true),
        Self::chat(1, 512, true),
        Self::chat(1, 512, false),
        Self::chat(2, usize::MAX, true),
        Self::chat(2, usize::MAX, false),
        Self::chat(2, 16 * 1024, true),
        Self::chat(2, 16 * 1024, false),
    ];

    const fn chat(kind: usize, frame: usize, is_announced: bool) -> Self {
        Self {
            kind: Some(&KINDS[kind]),
            frame,
            is_announced,
        }
    }

    fn name(&self) -> String {
        let Some(kind) = self.kind else {
            return "GET, passed through".to_owned();
        };
        let frames = match self.frame {
            usize::MAX => "in one frame".to_owned(),
            frame => format!("in frames of {frame} B"),
        };
        let length = if self.is_announced {
            "announced"
        } else {
            "unannounced"
        };
        format!("{}, {}, {frames}, {length}", kind.name, kind.what)
    }

    fn requests(&self) -> Vec<Request<Frames>> {
        let frames = |text| Frames {
            text,
            frame: self.frame,
            is_announced: self.is_announced,
        };
        let Some(kind) = self.kind else {
            let request = Request::get("/v1/models").body(frames(Bytes::new()));
            return vec![request.unwrap()];
        };
        let request = |text: Bytes| {
            let mut request =
                Request::post("/v1/chat/completions").header("content-type", "application/json");
            if self.is_announced {
                request = request.header("content-length", text.len());
            }
            request.body(frames(text)).unwrap()
        };
        kind.bodies(false).into_iter().map(request).collect()
    }

    /// Checks that the layer treats the request as this case expects.
    fn verify(&self, response: &Response<u64>, length: u64) {
        assert_eq!(*response.body(), length, "{}", self.name());
        let report = response.extensions().get::<Report>();
        assert_eq!(report.is_some(), self.kind.is_some(), "{}", self.name());
        if let Some(report) = report {
            assert_eq!(report.skipped(), None, "{}", self.name());
            assert!(report.changes().is_empty(), "{}", self.name());
        }
    }
}

fn main() {
    const ROUNDS: usize = 1001;
    // A test run only verifies.
    let rounds = if std::env::args().any(|argument| argument == "--test") {
        1
    } else {
        ROUNDS
    };
    println!("added nanoseconds a call, median of {rounds} interleaved rounds\n");
    println!("| request | added | without the layer |");
    println!("|---|---|---|");
    for case in &Case::ALL {
        let requests = case.requests();
        let (mut without, mut with) = (Drain, MoonshotCompatLayer::new().layer(Drain));
        for request in &requests {
            let length = request.body().text.len() as u64;
            assert_eq!(*call(&mut without, request.clone()).body(), length);
            case.verify(&call(&mut with, request.clone()), length);
        }
        // A round is shorter than a time slice, so that most rounds are undisturbed
        // on a machine that has other things to do.
        let calls = match case.kind {
            Some(kind) if kind.name == "c" => 20,
            Some(_) => 200,
            None => 2000,
        };
        let mut timed: Vec<(f64, f64)> = (0..rounds)
            .map(|_| {
                let without = time(&mut without, &requests, calls);
                (time(&mut with, &requests, calls) - without, without)
            })
            .collect();
        timed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (added, without) = timed[rounds / 2];
        println!("| {} | {added:.0} | {without:.0} |", case.name());
    }
}
