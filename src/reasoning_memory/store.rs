//! Where thoughts are kept: the trait, and what it deals with.

use std::{fmt, future::Future};

use bytes::Bytes;
use tower::BoxError;

use crate::json::{Kind, Scanner};

/// A place where thoughts are kept, shared by all clones.
///
/// [`MemoryStore`](super::MemoryStore) keeps them in this process. Implement the trait to
/// share them among several, for example with Redis: [`StoreKey`] is the key in bytes,
/// [`Thought::as_json`] the value.
///
/// An implementation decides how much is kept, and for how long. Whatever it does, the
/// layer never fails a request: an error, or an answer after
/// [the timeout](super::ReasoningMemoryLayer::with_store_timeout), means that nothing was
/// found. A store that times out several times in a row is not asked for a while.
///
/// ```
/// use std::{collections::HashMap, future::{Ready, ready}, sync::{Arc, Mutex}};
/// use tower::BoxError;
/// use tower_moonshot::reasoning_memory::{ReasoningStore, StoreKey, Thought};
///
/// /// Keeps everything forever: for a test, not for a server.
/// #[derive(Clone, Debug, Default)]
/// struct Everything(Arc<Mutex<HashMap<StoreKey, Thought>>>);
///
/// impl ReasoningStore for Everything {
///     type Recall = Ready<Result<Vec<Option<Thought>>, BoxError>>;
///
///     fn recall(&self, keys: Vec<StoreKey>) -> Self::Recall {
///         let thoughts = self.0.lock().unwrap();
///         ready(Ok(keys.iter().map(|key| thoughts.get(key).cloned()).collect()))
///     }
///
///     fn remember(&self, key: StoreKey, thought: Thought) {
///         self.0.lock().unwrap().insert(key, thought);
///     }
/// }
///
/// let store = Everything::default();
/// let key = StoreKey::from_bytes([7; 32]);
/// store.remember(key, Thought::new("The user greets me."));
///
/// let found = store.recall(vec![key]).into_inner().unwrap();
/// assert_eq!(found[0].as_ref().unwrap().to_text(), "The user greets me.");
/// ```
pub trait ReasoningStore {
    /// The future of [`recall`](Self::recall).
    type Recall: Future<Output = Result<Vec<Option<Thought>>, BoxError>>;

    /// Looks up several thoughts at once.
    ///
    /// The result has one element for each key, in the same order, which is `None` if
    /// the store has no thought for it. Missing elements count as `None`. The message of
    /// an error ends up in the [`ReasoningReport`](super::ReasoningReport).
    fn recall(&self, keys: Vec<StoreKey>) -> Self::Recall;

    /// Keeps a thought, and replaces an earlier one with the same key.
    ///
    /// Called while the response is on its way, so it must return at once: a store that
    /// needs the network spawns a task, or hands the thought to one. Nobody learns
    /// whether it succeeds.
    fn remember(&self, key: StoreKey, thought: Thought);
}

/// The key of a thought: a digest of the scope, the model family and the conversation up
/// to the answer that the thought belongs to.
///
/// The same conversation has the same key in every process and version of this crate
/// that can read it, so replicas can share a store. Nothing about the conversation can be
/// learned from a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreKey {
    bytes: [u8; Self::LENGTH],
}

impl StoreKey {
    /// The length of a key in bytes.
    pub const LENGTH: usize = 32;

    /// Creates a key from its bytes, as a store that lists its keys may need to.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self { bytes }
    }

    /// The key as bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.bytes
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell keys apart in a log.
        let start =
            u32::from_be_bytes([self.bytes[0], self.bytes[1], self.bytes[2], self.bytes[3]]);
        write!(f, "StoreKey({start:08x}…)")
    }
}

/// What a model thought before an answer: the text of `reasoning_content`.
///
/// It is kept as it came, as a JSON string, so that nothing is escaped anew when it is
/// restored. Cloning is cheap. Debug output shows only the length.
#[derive(Clone, PartialEq, Eq)]
pub struct Thought {
    json: Bytes,
}

impl Thought {
    /// Creates a thought from its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            json: serde_json::Value::from(text).to_string().into(),
        }
    }

    /// Creates a thought from a JSON string, with its quotes, as [`as_json`](Self::as_json)
    /// returns it.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidThought`] if this is anything else: a store may hold what others
    /// have written.
    pub fn from_json(json: impl Into<Bytes>) -> Result<Self, InvalidThought> {
        let json = json.into();
        let is_string = Scanner::new(&json)
            .and_then(|mut scanner| {
                let value = scanner.skip()?;
                scanner.finish()?;
                Ok(value.kind == Kind::String && value.span.length() as usize == json.len())
            })
            .unwrap_or_default();
        // Half of a surrogate pair is valid JSON, but no text.
        let has_surrogates = || memchr::memmem::find(&json, br"\u").is_some();
        let is_text =
            is_string && (!has_surrogates() || serde_json::from_slice::<String>(&json).is_ok());
        is_text.then_some(Self { json }).ok_or(InvalidThought(()))
    }

    /// Creates a thought from what is known to be a JSON string that is text.
    pub(super) const fn of_json(json: Bytes) -> Self {
        Self { json }
    }

    /// The thought as a JSON string, with its quotes.
    #[must_use]
    pub const fn as_json(&self) -> &Bytes {
        &self.json
    }

    /// The text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::from_slice(&self.json).unwrap_or_default()
    }

    /// The length in bytes as JSON.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it has at least its quotes")]
    pub const fn len(&self) -> usize {
        self.json.len()
    }

    /// Whether there is nothing but white space in it, as in what is sent in the place of
    /// a lost thought.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        is_blank(&self.json)
    }
}

impl fmt::Debug for Thought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thought")
            .field("len", &self.json.len())
            .finish_non_exhaustive()
    }
}

/// Whether a JSON string, with its quotes, says nothing but white space.
pub(super) fn is_blank(json: &[u8]) -> bool {
    let inner = json
        .get(1..json.len().saturating_sub(1))
        .unwrap_or_default();
    match inner.trim_ascii().first() {
        None => true,
        Some(b'\\' | 0x80..) => {
            serde_json::from_slice::<String>(json).is_ok_and(|text| text.trim().is_empty())
        }
        Some(_) => false,
    }
}

/// The error of [`Thought::from_json`]: the value is not one JSON string that is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidThought(());

impl fmt::Display for InvalidThought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a thought is one JSON string, in quotes and without white space around it")
    }
}

impl std::error::Error for InvalidThought {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thought_is_one_json_string() {
        for (json, text) in [
            (r#""Hm.""#, "Hm."),
            (r#""""#, ""),
            (r#""a\n\"b\"""#, "a\n\"b\""),
            (r#""\ud83c\udf15 \u6708""#, "🌕 月"),
        ] {
            let thought = Thought::from_json(json).unwrap();
            assert_eq!(thought.to_text(), text);
            assert_eq!(thought.as_json(), json);
            assert_eq!(Thought::new(text).to_text(), text);
        }
        for json in [
            "",
            "null",
            "{}",
            "Hm.",
            r#""Hm"#,
            r#" "Hm""#,
            r#""Hm" "#,
            r#""a","b""#,
            r#""a"b""#,
            "\"a\nb\"",
            r#""\ud83c""#,
            r#""\ud83c \udf15""#,
            r#"["a"]"#,
        ] {
            assert!(Thought::from_json(json).is_err(), "{json}");
        }
        assert!(Thought::from_json(&b"\"\xff\""[..]).is_err());
    }

    #[test]
    fn white_space_of_any_kind_is_blank() {
        for blank in ["", " ", "\n\t ", "\u{a0}\u{3000}"] {
            assert!(Thought::new(blank).is_blank(), "{blank:?}");
        }
        assert!(Thought::from_json(r#""\u0020\n""#).unwrap().is_blank());
        for text in ["a", " a", "\n.", "月", "\u{3000}月", "\\"] {
            assert!(!Thought::new(text).is_blank(), "{text:?}");
        }
    }

    #[test]
    fn contents_stay_out_of_debug_output() {
        let thought = Thought::new("secret");
        assert_eq!(format!("{thought:?}"), "Thought { len: 8, .. }");
        let key = StoreKey::from_bytes([0xab; 32]);
        assert_eq!(format!("{key:?}"), "StoreKey(abababab…)");
    }
}
