//! The key of a thought: a chain of digests over the canonical conversation.
//!
//! A conversation is written as one stream of bytes, which says the same for all the ways
//! in which clients spell it. The stream is cut behind each message of the assistant, and
//! each piece is hashed with the digest before as its key:
//!
//! ```text
//! scope ─→ digest(scope, user … assistant) ─→ digest(…, tool … assistant) ─→ …
//! ```
//!
//! So the digest behind a message stands for all that was said up to it, and all of them
//! together cost one pass.
//!
//! Two hashes share the work. Conversations are hashed with HighwayHash, a pseudorandom
//! function with a key of 256 bits, at up to ten times the speed of SHA-256. The key of a
//! thought is the SHA-256 of scope, family and that digest, so nobody finds a conversation
//! whose key is one of another scope or family. Within a scope, a caller could at most
//! find conversations that share the key of one that it knows, and whoever knows a
//! conversation can look up its thoughts anyway.
//!
//! Text is UTF-8, in which the byte [`MARK`] never occurs: it begins everything that is
//! not text, so that no text can pass for something else.

use highway::{HighwayHash, HighwayHasher, Key};
use sha2::{Digest as _, Sha256};

use super::{ReasoningScope, StoreKey, canonical, unescape::unescape, white_space::trimmed};

/// What the SHA-256 of a key begins with. It names the form of the stream: one that is
/// changed needs another name, or else replicas of two versions would mix up theirs.
const CONTEXT: &[u8] = b"tower-moonshot conversation, v1: ";

/// Begins what is not text. Behind it comes one of these, or of `canonical`.
pub(super) const MARK: u8 = 0xff;
const MESSAGE: u8 = b'M';
const TEXT: u8 = b'T';
const MEDIA: u8 = b'I';
const URL: u8 = b'U';
const VALUE: u8 = b'V';
const CALL: u8 = b'C';
const JSON: u8 = b'J';
const RAW: u8 = b'A';

/// How many bytes are gathered before they are hashed: small pieces are hashed together.
const GATHERED: usize = 4096;

/// Longer pieces are hashed where they are.
const LONG: usize = 512;

/// The digest of a conversation up to one message.
pub(super) type Digest = [u64; 4];

/// The digest of some bytes, with a key.
pub(super) fn hash<'a>(key: Key, pieces: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut hasher = HighwayHasher::new(key);
    for piece in pieces {
        hasher.append(piece);
    }
    bytes(&hasher.finalize256())
}

fn bytes(digest: &Digest) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(digest) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// Separates scopes and families.
#[derive(Clone)]
pub(super) struct Namespace {
    hasher: Sha256,
}

impl Namespace {
    pub(super) fn new(scope: &ReasoningScope, family: &str) -> Self {
        // The family is between two parts of a fixed length.
        let hasher = Sha256::new()
            .chain_update(CONTEXT)
            .chain_update(scope.digest())
            .chain_update(family);
        Self { hasher }
    }

    pub(super) fn key(&self, digest: &Digest) -> StoreKey {
        let hasher = self.hasher.clone().chain_update(bytes(digest));
        StoreKey::from_bytes(hasher.finalize().into())
    }
}

/// A conversation that is being written.
pub(super) struct Transcript {
    /// Keyed with the digest up to the last message of the assistant.
    hasher: HighwayHasher,
    /// Keyed with the scope.
    start: Key,
    /// What was written and is not hashed yet.
    gathered: Vec<u8>,
    /// Whether the last thing written is text, which may go on.
    in_text: bool,
    /// White space behind that text, which counts if the text goes on.
    held: Vec<u8>,
    canonical: canonical::Writer,
    /// Kept for its memory.
    unescaped: Vec<u8>,
}

impl Transcript {
    pub(super) fn new(scope: &ReasoningScope) -> Self {
        let mut start = Key([0; 4]);
        for (word, bytes) in start.0.iter_mut().zip(scope.digest().chunks_exact(8)) {
            *word = bytes
                .iter()
                .rev()
                .fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
        Self {
            hasher: HighwayHasher::new(start),
            start,
            gathered: Vec::with_capacity(GATHERED),
            in_text: false,
            held: Vec::new(),
            canonical: canonical::Writer::default(),
            unescaped: Vec::new(),
        }
    }

    /// Forgets what was written, but not its memory.
    pub(super) fn restart(&mut self) {
        self.hasher = HighwayHasher::new(self.start);
        self.gathered.clear();
        self.end_text();
    }

    /// Begins a message.
    pub(super) fn message(&mut self, role: &[u8]) {
        self.end_text();
        self.mark(MESSAGE);
        self.put(role);
    }

    /// Adds a text to the content of a message, or a piece of one: pieces with nothing
    /// between them are one text.
    pub(super) fn text(&mut self, piece: &[u8]) {
        let (start, text, end) = trimmed(piece);
        if text.is_empty() {
            if self.in_text {
                self.held.extend_from_slice(piece);
            }
            return;
        }
        if self.in_text {
            let held = std::mem::take(&mut self.held);
            self.put(&held);
            self.put(start);
        } else {
            self.mark(TEXT);
            self.in_text = true;
        }
        self.put(text);
        self.held.clear();
        self.held.extend_from_slice(end);
    }

    /// Ends a text: what follows is not a part of it.
    pub(super) fn end_text(&mut self) {
        self.in_text = false;
        self.held.clear();
    }

    /// Adds an image or another medium to the content of a message.
    pub(super) fn media(&mut self, kind: &[u8], url: &[u8]) {
        self.end_text();
        self.mark(MEDIA);
        self.put(kind);
        self.mark(URL);
        let digest = hash(self.start, [url.trim_ascii()]);
        self.put(&digest);
    }

    /// Adds a JSON value to the content of a message, without this member if it is an
    /// object.
    pub(super) fn value(&mut self, json: &[u8], without: &[u8]) {
        self.end_text();
        self.mark(VALUE);
        if !self.canonical(json, without) {
            self.put(json);
        }
    }

    /// Adds a tool call, with its arguments as a text.
    pub(super) fn call(&mut self, name: &[u8], arguments: &[u8]) {
        self.end_text();
        self.mark(CALL);
        self.put(name);
        let (_, arguments, _) = trimmed(arguments);
        // A call without arguments comes back with either.
        let arguments = if arguments.is_empty() {
            b"{}"
        } else {
            arguments
        };
        self.mark(JSON);
        if !self.canonical(arguments, b"") {
            self.mark(RAW);
            self.put(arguments);
        }
    }

    /// Adds a tool call, with its arguments as a JSON string, in quotes, that holds them.
    pub(super) fn call_with(&mut self, name: &[u8], arguments: &[u8]) {
        let mut unescaped = std::mem::take(&mut self.unescaped);
        match unescape(arguments, &mut unescaped) {
            Some(arguments) => self.call(name, arguments),
            None => self.call(name, arguments),
        }
        self.unescaped = unescaped;
    }

    /// Writes a JSON text in the form that all its spellings have in common. Returns
    /// false, and writes nothing, if it is not JSON.
    fn canonical(&mut self, json: &[u8], without: &[u8]) -> bool {
        let mut writer = std::mem::take(&mut self.canonical);
        let written = writer.write(json, without, self.start);
        let is_json = written.is_some();
        for piece in written.into_iter().flatten() {
            self.put(piece);
        }
        self.canonical = writer;
        is_json
    }

    /// Ends a message of the assistant.
    pub(super) fn end_answer(&mut self) -> Digest {
        self.end_text();
        self.hash_gathered();
        let digest = self.hasher.clone().finalize256();
        self.hasher = HighwayHasher::new(Key(digest));
        digest
    }

    /// The conversation so far, to be continued by answers to it.
    pub(super) fn into_prefix(mut self) -> Prefix {
        self.end_text();
        self.hash_gathered();
        Prefix {
            hasher: self.hasher,
            start: self.start,
        }
    }

    fn hash_gathered(&mut self) {
        self.hasher.append(&self.gathered);
        self.gathered.clear();
    }

    fn mark(&mut self, what: u8) {
        self.put(&[MARK, what]);
    }

    fn put(&mut self, bytes: &[u8]) {
        if bytes.len() >= LONG {
            self.hash_gathered();
            self.hasher.append(bytes);
            return;
        }
        if self.gathered.len() + bytes.len() > GATHERED {
            self.hash_gathered();
        }
        self.gathered.extend_from_slice(bytes);
    }
}

/// A conversation up to an answer that is still to come.
#[derive(Clone)]
pub(super) struct Prefix {
    hasher: HighwayHasher,
    start: Key,
}

impl Prefix {
    /// The conversation, to be continued by one answer.
    pub(super) fn to_transcript(&self) -> Transcript {
        Transcript {
            hasher: self.hasher.clone(),
            start: self.start,
            gathered: Vec::new(),
            in_text: false,
            held: Vec::new(),
            canonical: canonical::Writer::default(),
            unescaped: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript() -> Transcript {
        Transcript::new(&ReasoningScope::new("tests"))
    }

    fn digest(write: impl FnOnce(&mut Transcript)) -> Digest {
        let mut transcript = transcript();
        transcript.message(b"user");
        write(&mut transcript);
        transcript.end_answer()
    }

    #[test]
    fn pieces_of_a_text_are_one_text() {
        let whole = digest(|t| t.text(b"one two"));
        for pieces in [
            &["one", " two"][..],
            &["one ", "two"],
            &["one", " ", "two"],
            &["", " one", "", " two \n", " "],
            &["\u{3000}one", " t", "wo\u{a0}"],
        ] {
            let cut = digest(|t| pieces.iter().for_each(|piece| t.text(piece.as_bytes())));
            assert_eq!(cut, whole, "{pieces:?}");
        }
        for other in ["onetwo", "one  two", "one", "one two."] {
            assert_ne!(digest(|t| t.text(other.as_bytes())), whole, "{other}");
        }
        let two = digest(|t| {
            t.text(b"one ");
            t.media(b"image_url", b"data:,");
            t.text(b"two");
        });
        assert_ne!(two, whole);
    }

    #[test]
    fn a_long_text_has_the_same_digest_however_it_is_gathered() {
        let text = "The moon is made of cheese, they say. ".repeat(2000);
        let whole = digest(|t| t.text(text.as_bytes()));
        for step in [
            1,
            LONG - 1,
            LONG,
            1000,
            GATHERED - 3,
            GATHERED,
            GATHERED + 1,
        ] {
            let cut = digest(|t| text.as_bytes().chunks(step).for_each(|piece| t.text(piece)));
            assert_eq!(cut, whole, "{step}");
        }
    }

    #[test]
    fn an_answer_continues_a_conversation_as_its_message_does() {
        for length in [10, GATHERED, 3 * GATHERED] {
            let question = "q".repeat(length);
            let mut whole = transcript();
            let mut asked = transcript();
            for transcript in [&mut whole, &mut asked] {
                transcript.message(b"assistant");
                transcript.text(b"Before.");
                transcript.end_answer();
                transcript.message(b"user");
                transcript.text(question.as_bytes());
            }
            let prefix = asked.into_prefix();
            let mut first = None;
            for transcript in [whole, prefix.to_transcript(), prefix.to_transcript()] {
                let mut transcript = transcript;
                transcript.message(b"assistant");
                transcript.text(b"Answer");
                transcript.call(b"f", b"{}");
                let digest = transcript.end_answer();
                assert_eq!(*first.get_or_insert(digest), digest, "{length}");
            }
        }
    }

    #[test]
    fn scopes_and_families_are_apart() {
        let (a, b) = (ReasoningScope::new("a"), ReasoningScope::new("b"));
        let digest = digest(|t| t.text(b"one"));
        let keys = [(a, "k3"), (a, "k2.7"), (b, "k3"), (b, "k2.7")]
            .map(|(scope, family)| Namespace::new(&scope, family).key(&digest));
        for (number, key) in keys.iter().enumerate() {
            assert!(!keys[number + 1..].contains(key));
        }
    }

    #[test]
    fn no_text_passes_for_a_message() {
        let two = digest(|t| {
            t.text(b"a");
            t.message(b"user");
            t.text(b"b");
        });
        for text in ["a\u{ff}Muser\u{ff}Tb", "aMuserTb", "ab"] {
            assert_ne!(digest(|t| t.text(text.as_bytes())), two, "{text}");
        }
    }
}
