//! That the memory of thoughts takes no more memory than it says, counted by the
//! allocator. Alone in its program, so that nothing else is counted.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use bytes::Bytes;
use tower_moonshot::reasoning_memory::{MemoryStore, ReasoningStore, StoreKey, Thought};

struct Counting;

thread_local! {
    /// Bytes that this thread has allocated, each allocation with the 16 bytes that an
    /// allocator may take for itself.
    static LIVE: Cell<isize> = const { Cell::new(0) };
}

fn add(bytes: isize) {
    LIVE.set(LIVE.get() + bytes);
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
        let store = MemoryStore::new().with_max_bytes(BOUND);
        let rounds = 4 * BOUND / (length + 300);
        let mut most = 0_isize;
        for number in 0..rounds {
            store.remember(key(number as u64), thought.clone());
            most = most.max(LIVE.get() - before);
            assert!(store.bytes() <= BOUND);
        }
        // One thought is on its way in.
        assert!(most <= (BOUND + length + 1000) as isize, "{length}: {most}");
        // And it makes use of what it may take.
        assert!(store.bytes() > BOUND - length - 1000);
        drop(store);
        assert_eq!(LIVE.get(), before);
    }
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
