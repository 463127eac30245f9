//! That the memory of thoughts takes no more memory than it says, counted by the
//! allocator. Alone in its program, so that nothing else is counted.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tower::{BoxError, Layer, ServiceExt, service_fn};
use tower_moonshot::reasoning_memory::{
    MemoryStore, ReasoningMemoryLayer, ReasoningReport, ReasoningStore, StoreKey, Thought,
};

struct Counting;

thread_local! {
    /// Bytes that this thread has allocated, each allocation with the 16 bytes that an
    /// allocator may take for itself.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// The most that it had at once.
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn add(bytes: isize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + usize::from(bytes > 0));
    let live = LIVE.get() + bytes;
    LIVE.set(live);
    PEAK.set(PEAK.get().max(live));
}

fn size(layout: Layout) -> isize {
    layout.size() as isize + 16
}

// SAFETY: every call is handed to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(size(layout));
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        add(-size(layout));
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn key(number: u64) -> StoreKey {
    // As scattered as digests are.
    let mut bytes = [0; StoreKey::LENGTH];
    let mut state = number;
    for bytes in bytes.chunks_exact_mut(8) {
        state = (state ^ (state >> 27)).wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
        bytes.copy_from_slice(&state.to_le_bytes());
    }
    StoreKey::from_bytes(bytes)
}

#[test]
fn thoughts_of_any_length_stay_under_the_bound() {
    const BOUND: usize = 4 * 1024 * 1024;
    for length in [0, 10, 1000, 100_000] {
        let thought = Thought::new(&"x".repeat(length));
        let before = LIVE.get();
        PEAK.set(before);
        let store = MemoryStore::new().with_max_bytes(BOUND);
        let rounds = 4 * BOUND / (length + 300);
        for number in 0..rounds {
            store.remember(key(number as u64), thought.clone());
            assert!(store.bytes() <= BOUND);
        }
        let most = PEAK.get() - before;
        // One thought is on its way in.
        assert!(most <= (BOUND + length + 1000) as isize, "{length}: {most}");
        // And it makes use of what it may take.
        assert!(store.bytes() > BOUND - length - 1000);
        drop(store);
        assert_eq!(LIVE.get(), before);
    }
}

/// As an attacker sends them who wants the entries, not the thoughts, to take the memory.
#[test]
fn a_million_small_thoughts_stay_under_the_default_bound() {
    const BOUND: usize = 64 * 1024 * 1024;
    let before = LIVE.get();
    PEAK.set(before);
    let thought = Thought::new("x");
    let store = MemoryStore::new();
    for number in 0..1_000_000 {
        store.remember(key(number), thought.clone());
        if number % 10_000 == 0 {
            assert!(store.bytes() <= BOUND);
        }
    }
    let most = PEAK.get() - before;
    assert!(most <= BOUND as isize, "{most}");
    // The latest are there, and many others.
    let latest = store.recall(vec![key(999_999)]).into_inner().unwrap();
    assert_eq!(latest, [Some(thought)]);
    drop(latest);
    assert!((200_000..300_000).contains(&store.len()), "{}", store.len());
    drop(store);
    assert_eq!(LIVE.get(), before);
}

#[test]
fn a_thought_keeps_no_buffer_alive_that_it_came_in() {
    let before = LIVE.get();
    let store = MemoryStore::new();
    for number in 0..100 {
        let mut frame = b"\"Hm.\"".to_vec();
        frame.resize(100_000, b' ');
        let json = Bytes::from(frame).slice(..5);
        store.remember(key(number), Thought::from_json(json).unwrap());
    }
    assert!(LIVE.get() - before < 100_000);
    assert_eq!(store.len(), 100);
}

/// Returns the allocations for a stream with so many chunks of reasoning.
fn allocations(chunks: usize) -> usize {
    let chunk = Bytes::from_static(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"Hm. \"}}]}\n\n",
    );
    let end = Bytes::from_static(
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    );
    let mut frames = vec![chunk; chunks];
    frames.push(end);
    frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
    let frames: Vec<_> = frames
        .into_iter()
        .map(Frame::data)
        .map(Ok::<_, BoxError>)
        .collect();
    let body = Arc::new(Mutex::new(Some(StreamBody::new(stream::iter(frames)))));
    let inner = service_fn(move |_| {
        let mut response = Response::new(body.lock().unwrap().take().unwrap());
        let events = "text/event-stream".parse().unwrap();
        response.headers_mut().insert(CONTENT_TYPE, events);
        async { Ok::<_, BoxError>(response) }
    });
    let request = Request::post("/v1/chat/completions")
        .header("authorization", "Bearer sk-test")
        .body(Full::from(r#"{"model":"kimi-k3","messages":[]}"#))
        .unwrap();
    let before = ALLOCATIONS.get();
    let service = ReasoningMemoryLayer::new().layer(inner);
    let response = service.oneshot(request).now_or_never().unwrap().unwrap();
    let (head, mut body) = response.into_parts();
    while let Some(frame) = body.frame().now_or_never().unwrap() {
        drop(frame.unwrap());
    }
    let report = head.extensions.get::<ReasoningReport>().unwrap();
    assert_eq!(report.remembered(), 1);
    ALLOCATIONS.get() - before
}

#[test]
fn a_chunk_allocates_nothing_but_room_for_its_thought() {
    let (few, many) = (allocations(100), allocations(10_000));
    // What is collected doubles its room when that is full.
    assert!(many <= few + 8, "{few} and {many}");
}
