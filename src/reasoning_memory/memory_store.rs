//! Thoughts kept in this process.

use std::{
    fmt,
    future::{Ready, ready},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use lru::LruCache;
use tower::BoxError;

use super::{ReasoningStore, StoreKey, Thought};

/// What a thought takes besides its text, in bytes: its key, its entry, its place in the
/// table, and what the allocator rounds up. A test measures that it is enough.
const OVERHEAD: usize = 256;

/// Keeps thoughts in the memory of this process.
///
/// Bounded in bytes and in time. Beyond its bytes, the thoughts that were unused for
/// longest are dropped; so are those that nobody stored or recalled for as long as its
/// time, so a conversation keeps its thoughts while it lasts. Clones share the thoughts.
/// Nothing is written anywhere, and nothing outlives the process.
///
/// ```
/// use std::time::Duration;
/// use tower_moonshot::reasoning_memory::{MemoryStore, ReasoningMemoryLayer};
///
/// let store = MemoryStore::new()
///     .with_max_bytes(16 * 1024 * 1024)
///     .with_time_to_idle(Duration::from_secs(600));
/// let layer = ReasoningMemoryLayer::new().with_store(store.clone());
///
/// // For metrics.
/// assert_eq!((store.len(), store.bytes()), (0, 0));
/// # let _ = layer;
/// ```
#[derive(Clone)]
#[must_use]
pub struct MemoryStore {
    max_bytes: usize,
    time_to_idle: Duration,
    kept: Arc<Mutex<Kept>>,
}

/// What is kept. The entry that was unused for longest is the last one, and so the first
/// whose time is over.
struct Kept {
    entries: LruCache<StoreKey, Entry>,
    /// Of all entries, with their overhead.
    bytes: usize,
}

struct Entry {
    thought: Thought,
    used: Instant,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.thought.len() + OVERHEAD
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// Creates an empty store that keeps up to 64 MiB, each thought until it was unused
    /// for an hour.
    pub fn new() -> Self {
        Self {
            max_bytes: 64 * 1024 * 1024,
            time_to_idle: Duration::from_secs(3600),
            kept: Arc::new(Mutex::new(Kept {
                entries: LruCache::unbounded(),
                bytes: 0,
            })),
        }
    }

    /// Sets the upper bound in bytes on all thoughts together, including their keys and
    /// 256 bytes each for their entries. The default is 64 MiB.
    pub fn with_max_bytes(mut self, limit: usize) -> Self {
        self.max_bytes = limit;
        self
    }

    /// Sets how long a thought is kept after it was stored or last recalled. The default
    /// is one hour.
    pub fn with_time_to_idle(mut self, limit: Duration) -> Self {
        self.time_to_idle = limit;
        self
    }

    /// The number of thoughts that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock_fresh().entries.len()
    }

    /// Whether no thought is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes are kept, as [`with_max_bytes`](Self::with_max_bytes) counts them.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lock_fresh().bytes
    }

    /// Drops every thought.
    pub fn clear(&self) {
        let mut kept = self.lock();
        // A table keeps its memory when it is cleared.
        kept.entries = LruCache::unbounded();
        kept.bytes = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing that is done under the lock can panic halfway.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks what is kept, without what is too old.
    fn lock_fresh(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.lock();
        kept.drop_unused_since(self.time_to_idle);
        kept
    }
}

impl Kept {
    fn drop_unused_since(&mut self, limit: Duration) {
        while let Some((_, entry)) = self.entries.peek_lru() {
            if entry.used.elapsed() < limit {
                break;
            }
            self.drop_last();
        }
    }

    fn drop_last(&mut self) {
        if let Some((_, entry)) = self.entries.pop_lru() {
            self.bytes -= entry.bytes();
        }
    }

    fn insert(&mut self, key: StoreKey, entry: Entry, max_bytes: usize) {
        if entry.bytes() > max_bytes {
            // It would displace all others, and then itself.
            return;
        }
        self.bytes += entry.bytes();
        if let Some((_, earlier)) = self.entries.push(key, entry) {
            self.bytes -= earlier.bytes();
        }
        while self.bytes > max_bytes {
            self.drop_last();
        }
    }
}

impl ReasoningStore for MemoryStore {
    type Recall = Ready<Result<Vec<Option<Thought>>, BoxError>>;

    fn recall(&self, keys: Vec<StoreKey>) -> Self::Recall {
        let mut kept = self.lock_fresh();
        let now = Instant::now();
        let thoughts = keys.iter().map(|key| {
            let entry = kept.entries.get_mut(key)?;
            entry.used = now;
            Some(entry.thought.clone())
        });
        ready(Ok(thoughts.collect()))
    }

    fn remember(&self, key: StoreKey, thought: Thought) {
        // A slice would keep all of its buffer alive, whose length is not counted.
        let json = Bytes::from(Box::<[u8]>::from(&thought.as_json()[..]));
        let entry = Entry {
            thought: Thought::of_json(json),
            used: Instant::now(),
        };
        self.lock_fresh().insert(key, entry, self.max_bytes);
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the thoughts: they end up in logs.
        f.debug_struct("MemoryStore")
            .field("len", &self.len())
            .field("bytes", &self.bytes())
            .field("max_bytes", &self.max_bytes)
            .field("time_to_idle", &self.time_to_idle)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> StoreKey {
        let mut bytes = [0; StoreKey::LENGTH];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        StoreKey::from_bytes(bytes)
    }

    fn recall(store: &MemoryStore, number: usize) -> Option<String> {
        let found = store.recall(vec![key(number)]).into_inner().unwrap();
        found[0].as_ref().map(Thought::to_text)
    }

    #[test]
    fn the_longest_unused_are_dropped_beyond_the_bound() {
        // A thought of one letter has its quotes too.
        let store = MemoryStore::new().with_max_bytes(3 * (OVERHEAD + 3));
        for (number, text) in ["a", "b", "c"].into_iter().enumerate() {
            store.remember(key(number), Thought::new(text));
        }
        assert_eq!(recall(&store, 0).as_deref(), Some("a"));
        store.remember(key(3), Thought::new("d"));
        assert_eq!(recall(&store, 1), None);
        for (number, text) in [(0, "a"), (2, "c"), (3, "d")] {
            assert_eq!(recall(&store, number).as_deref(), Some(text));
        }
        assert_eq!((store.len(), store.bytes()), (3, 3 * (OVERHEAD + 3)));
    }

    #[test]
    fn a_thought_that_is_replaced_is_counted_once() {
        let store = MemoryStore::new();
        store.remember(key(0), Thought::new("a long thought"));
        store.remember(key(0), Thought::new("b"));
        assert_eq!((store.len(), store.bytes()), (1, OVERHEAD + 3));
        assert_eq!(recall(&store, 0).as_deref(), Some("b"));
        store.clear();
        assert_eq!((store.is_empty(), store.bytes()), (true, 0));
        assert_eq!(recall(&store, 0), None);
    }

    #[test]
    fn a_thought_longer_than_the_bound_is_not_kept() {
        let store = MemoryStore::new().with_max_bytes(OVERHEAD + 10);
        store.remember(key(0), Thought::new("a"));
        store.remember(key(1), Thought::new("far too long for it"));
        assert_eq!(recall(&store, 1), None);
        // And it displaces nothing.
        assert_eq!(recall(&store, 0).as_deref(), Some("a"));
    }

    #[test]
    fn what_is_unused_for_too_long_is_gone() {
        let store = MemoryStore::new().with_time_to_idle(Duration::ZERO);
        store.remember(key(0), Thought::new("a"));
        assert_eq!(recall(&store, 0), None);
        assert_eq!((store.len(), store.bytes()), (0, 0));
    }

    #[test]
    fn recalling_makes_a_thought_last() {
        let store = MemoryStore::new();
        let hour = Duration::from_secs(3600);
        store.remember(key(0), Thought::new("a"));
        store.remember(key(1), Thought::new("b"));
        // As if both had been stored before most of an hour.
        let Some(before) = Instant::now().checked_sub(hour - Duration::from_secs(60)) else {
            return;
        };
        for (_, entry) in store.lock().entries.iter_mut() {
            entry.used = before;
        }
        assert_eq!(recall(&store, 0).as_deref(), Some("a"));
        assert!(store.lock().entries.peek(&key(0)).unwrap().used > before);
        // A minute later.
        store
            .lock()
            .drop_unused_since(hour - Duration::from_secs(60));
        assert_eq!(recall(&store, 1), None);
        assert_eq!(recall(&store, 0).as_deref(), Some("a"));
    }

    #[test]
    fn its_thoughts_stay_out_of_debug_output() {
        let store = MemoryStore::new();
        store.remember(key(0), Thought::new("secret"));
        assert!(!format!("{store:?}").contains("secret"));
    }
}
