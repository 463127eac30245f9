//! What the repair of answers takes from the allocator: counted, never timed.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use http_body_util::{Empty, Full};
use tower::{Layer, ServiceExt, service_fn};
use tower_moonshot::{
    MoonshotCompatLayer,
    response::{ResponseBody, ResponseCompat, ResponseCompatLayer},
};

/// Counts what this thread asks for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(allocated: usize, freed: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + usize::from(allocated > 0));
    LIVE.set(LIVE.get() + allocated as isize - freed as isize);
    PEAK.set(PEAK.get().max(LIVE.get()));
}

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The same text over and over, in frames that are slices of it.
#[derive(Clone)]
struct Endless {
    /// Long enough that a frame lies in it wherever it begins.
    text: Bytes,
    period: usize,
    frame: usize,
    at: usize,
    left: usize,
}

impl Endless {
    fn new(text: &str, frame: usize, length: usize) -> Self {
        Self {
            text: Bytes::from(text.repeat(2 + frame / text.len())),
            period: text.len(),
            frame,
            at: 0,
            left: length / text.len() * text.len(),
        }
    }
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = self.frame.min(self.left);
        let frame = self.text.slice(self.at..self.at + length);
        self.at = (self.at + length) % self.period;
        self.left -= length;
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }
}

/// The body of an answer, repaired, for a client that asked for an alias or not.
fn repaired(
    layer: &ResponseCompatLayer,
    kind: &str,
    body: Endless,
    is_alias: bool,
) -> ResponseBody<Endless> {
    let response = Response::builder().header(CONTENT_TYPE, kind).body(body);
    let response = Cell::new(Some(response.unwrap()));
    let inner = service_fn(|_| std::future::ready(Ok::<_, Infallible>(response.take().unwrap())));
    let compat = MoonshotCompatLayer::new()
        .with_alias("mine", "kimi-k3")
        .unwrap();
    let name = if is_alias { "mine" } else { "kimi-k3" };
    let request = format!(r#"{{"model":"{name}","messages":[{{"role":"user","content":"Hi"}}]}}"#);
    let request = Request::post("/v1/chat/completions").body(Full::new(Bytes::from(request)));
    let service = layer.layer(compat.layer(inner));
    let response = service.oneshot(request.unwrap()).now_or_never().unwrap();
    response.unwrap().into_body()
}

/// Drains a body, frame by frame; how many bytes there were.
fn drain(body: ResponseBody<Endless>) -> usize {
    let mut body = std::pin::pin!(body);
    let mut cx = Context::from_waker(Waker::noop());
    let mut length = 0;
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut cx) {
        length += frame.data_ref().map_or(0, Bytes::len);
    }
    length
}

const LENGTH: usize = 100_000_000;

fn chunk() -> String {
    let text = "x".repeat(60);
    let chunk = format!(
        "data: {{\"id\":\"chatcmpl-0000000000000000\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"kimi-k3\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n"
    );
    assert!((200..250).contains(&chunk.len()));
    chunk
}

#[test]
fn a_chunk_that_is_not_edited_allocates_nothing() {
    let text = chunk();
    // In frames of one chunk, and of several.
    for frame in [text.len(), 5 * text.len()] {
        let body = Endless::new(&text, frame, 1000 * frame);
        let mut body = std::pin::pin!(repaired(
            &ResponseCompatLayer::new(),
            "text/event-stream",
            body,
            false
        ));
        let mut cx = Context::from_waker(Waker::noop());
        let mut counts = Vec::new();
        for _ in 0..1000 {
            let before = ALLOCATIONS.get();
            let Poll::Ready(Some(Ok(passed))) = body.as_mut().poll_frame(&mut cx) else {
                panic!("no frame");
            };
            counts.push(ALLOCATIONS.get() - before);
            assert_eq!(passed.data_ref().unwrap().len(), frame);
        }
        // The first chunk makes room for what is noted of the others.
        assert!(counts[0] <= 4, "{counts:?}");
        assert!(counts[1..].iter().all(|&count| count == 0), "{counts:?}");
    }
}

#[test]
fn a_chunk_that_is_edited_or_cut_takes_few_allocations() {
    let text = chunk();
    for (frame, is_alias, most) in [
        (text.len(), true, 1),
        (text.len() - 7, false, 1),
        (text.len() - 7, true, 3),
    ] {
        let body = Endless::new(&text, frame, 1000 * text.len());
        let body = repaired(
            &ResponseCompatLayer::new(),
            "text/event-stream",
            body,
            is_alias,
        );
        let before = ALLOCATIONS.get();
        drain(body);
        let counts = ALLOCATIONS.get() - before;
        assert!(counts <= most * 1050, "{frame} {is_alias}: {counts}");
    }
}

#[test]
fn a_stream_of_100_mb_takes_little_memory() {
    let text = chunk();
    let several = 40 * text.len() - 11;
    for (frame, is_alias, length) in [
        (several, false, LENGTH),
        (several, true, LENGTH),
        (text.len(), false, LENGTH / 20),
        (1000, true, LENGTH / 20),
    ] {
        let body = Endless::new(&text, frame, length);
        let expected = body.left;
        let body = repaired(
            &ResponseCompatLayer::new(),
            "text/event-stream",
            body,
            is_alias,
        );
        LIVE.set(0);
        PEAK.set(0);
        let length = drain(body);
        if is_alias {
            // "mine" is shorter than "kimi-k3"; the error at the end has some bytes.
            assert!(length < expected - 3 * (expected / text.len()) + 1000);
        } else {
            assert!((expected..expected + 1000).contains(&length));
        }
        assert!(
            PEAK.get() <= 128 * 1024,
            "frames of {frame}: {}",
            PEAK.get()
        );
    }
}

#[test]
fn what_never_ends_takes_the_limit_at_most() {
    let limit = 1_000_000;
    let layer = ResponseCompatLayer::new().with_max_answer_bytes(limit);
    let name =
        r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"n"}}]}}]}"#;
    // An event, lines of one event, a JSON answer, a name, and calls without end.
    for (kind, text) in [
        ("text/event-stream", "data: xxxxxxxxxx".to_owned()),
        ("text/event-stream", "data: xxxxxxxxx\n".to_owned()),
        ("application/json", "[[[[[[[[[[[[[[[[[[[[".to_owned()),
        ("text/event-stream", format!("{name}\n\n")),
        (
            "text/event-stream",
            format!("{name}\n\n").replace("\"n\"", "\"nn\",\"arguments\":\"x\""),
        ),
    ] {
        for frame in [16 * 1024, 1000] {
            let body = Endless::new(&text, frame, LENGTH / 20);
            let expected = body.left;
            LIVE.set(0);
            PEAK.set(0);
            let length = drain(repaired(&layer, kind, body, false));
            assert!(length + expected / 2 >= expected, "{length} of {expected}");
            // A buffer that grows is twice as long, and for a moment there are two.
            assert!(
                PEAK.get() <= 5 * limit as isize,
                "{kind} {text}: {}",
                PEAK.get()
            );
        }
    }
}

#[test]
fn what_is_not_read_allocates_for_its_report_alone() {
    let inner = service_fn(|_: Request<Empty<Bytes>>| {
        std::future::ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let service = ResponseCompat::new(inner);
    let request = || Request::get("/v1/models").body(Empty::new()).unwrap();
    let _ = service.clone().oneshot(request()).now_or_never();
    let request = request();
    let before = ALLOCATIONS.get();
    let response = service.oneshot(request).now_or_never().unwrap().unwrap();
    // The counts, the extensions and their table.
    assert!(
        ALLOCATIONS.get() - before <= 4,
        "{}",
        ALLOCATIONS.get() - before
    );
    drop(response);
}
