//! What a rewrite takes from the allocator: counted, never timed.

#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

#[path = "../benches/bodies/mod.rs"]
#[allow(dead_code)]
mod bodies;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    convert::Infallible,
    fmt::Write,
    future::{Future, ready},
    task::{Context, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};
use tower_moonshot::{CompatBody, MoonshotCompatLayer, inline_media::InlineMediaLayer};

/// Counts what this thread asks for.
struct Counting;

/// Of one thread, since it was set to the default.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    allocations: usize,
    /// All that was ever asked for.
    bytes: usize,
    /// What is not given back yet, and the most that this ever was. What was
    /// there before can be given back too.
    live: isize,
    peak: isize,
}

thread_local! {
    static COUNTS: Cell<Counts> = const {
        Cell::new(Counts { allocations: 0, bytes: 0, live: 0, peak: 0 })
    };
}

fn count(allocated: usize, freed: usize) {
    let mut counts = COUNTS.get();
    counts.allocations += usize::from(allocated > 0);
    counts.bytes += allocated;
    counts.live += allocated as isize - freed as isize;
    counts.peak = counts.peak.max(counts.live);
    COUNTS.set(counts);
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

/// A rewrite as hyper drains it: every piece is dropped before the next is made.
fn rewrite(layer: &MoonshotCompatLayer, body: &Bytes) -> Counts {
    COUNTS.set(Counts::default());
    let (rope, report) = layer.rewrite(body.clone());
    let length = rope.len();
    let drained: usize = rope.map(|piece| piece.len()).sum();
    assert_eq!(drained, length);
    drop(report);
    COUNTS.get()
}

/// As a server does it, not for the first time on this thread.
fn rewrite_again(body: &Bytes) -> Counts {
    let layer = MoonshotCompatLayer::new();
    rewrite(&layer, body);
    rewrite(&layer, body)
}

#[test]
fn nothing_to_change_allocates_nothing() {
    for kind in &bodies::KINDS {
        for body in kind.bodies(false) {
            let counts = rewrite_again(&body);
            assert_eq!(counts.allocations, 0, "{}", kind.what);
        }
    }
}

#[test]
fn an_edit_takes_three_allocations_and_64_kib_at_most_whatever_the_body() {
    for kind in &bodies::KINDS {
        for body in kind.bodies(true) {
            let counts = rewrite_again(&body);
            assert!(
                (1..=3).contains(&counts.allocations),
                "{}: {counts:?}",
                kind.what
            );
            assert!(counts.peak <= 64 * 1024, "{}: {counts:?}", kind.what);
        }
    }
}

/// A request with a temperature that the model refuses, and that many of
/// something else.
fn request(messages: impl Iterator<Item = String>, tools: usize) -> Bytes {
    let mut body = String::from(r#"{"model":"kimi-k3","temperature":0.5,"messages":["#);
    for (index, message) in messages.enumerate() {
        body.push_str(if index > 0 { "," } else { "" });
        body.push_str(&message);
    }
    body.push_str(r#"],"tools":["#);
    for index in 0..tools {
        body.push_str(if index > 0 { "," } else { "" });
        write!(
            body,
            r#"{{"type":"function","function":{{"name":"tool_{index}","parameters":{{"type":"object"}}}}}}"#
        )
        .unwrap();
    }
    Bytes::from(body + "]}")
}

fn message(role: &str, content: &str) -> String {
    format!(r#"{{"role":"{role}","content":{content}}}"#)
}

/// Fails unless ten times as many take about ten times as much. Both are more
/// than what there is room for from one request to the next.
fn is_linear(what: &str, body: impl Fn(usize) -> Bytes) {
    let [few, many] = [5_000, 50_000].map(|count| rewrite_again(&body(count)));
    assert!(
        many.bytes <= 20 * few.bytes.max(10_000)
            && many.allocations <= 12 * few.allocations.max(10),
        "{what}: {few:?}, then {many:?}"
    );
}

#[test]
fn many_of_anything_cost_what_many_cost() {
    is_linear("messages", |count| {
        request((0..count).map(|_| message("user", "\"Hi\"")), 1)
    });
    is_linear("edited messages", |count| {
        request((0..count).map(|_| message("developer", "\"Hi\"")), 1)
    });
    is_linear("parts", |count| {
        let parts = vec![r#"{"type":"text","text":"Hi"}"#; 2 * count].join(",");
        request(std::iter::once(message("user", &format!("[{parts}]"))), 1)
    });
    is_linear("tools", |count| {
        request(std::iter::once(message("user", "\"Hi\"")), count)
    });
    is_linear("edited ids", |count| {
        let call =
            |index| format!(r#"{{"role":"tool","tool_call_id":"call:{index}","content":"1"}}"#);
        request((0..count).map(call), 1)
    });
    is_linear("keys that stand twice", |count| {
        let twice = r#"{"role":"developer","role":"developer","content":"Hi"}"#;
        request((0..count).map(|_| twice.to_owned()), 1)
    });
}

/// A request that names no image by URL costs this layer nothing.
#[test]
fn a_body_that_needs_nothing_fetched_allocates_nothing() {
    let inner = tower::service_fn(|request: Request<CompatBody<Full<Bytes>>>| {
        ready(Ok::<_, Infallible>(Response::new(request.into_body())))
    });
    let service = InlineMediaLayer::new().layer(inner);
    let picture = format!("data:image/png;base64,{}", "A".repeat(100_000));
    for url in ["ms://abc", &picture] {
        let body = format!(
            r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{url}"}}}},{{"type":"text","text":"https://example.com/a.png\n\u00e9"}}]}}]}}"#
        );
        let request = Request::post("/v1/chat/completions")
            .body(Full::new(Bytes::from(body)))
            .unwrap();
        let mut service = service.clone();
        COUNTS.set(Counts::default());
        let mut future = std::pin::pin!(service.call(request));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_ready());
        assert_eq!(COUNTS.get().allocations, 0);
    }
}
