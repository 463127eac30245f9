//! The digest of a conversation: a chain over its canonical form.
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
//! Within a scope, a caller could at most find conversations that share the digest of one
//! that it knows, and whoever knows a conversation can look up its thoughts anyway. Across
//! scopes and families, the [key](super::key) protects thoughts.

use highway::HighwayHasher;

use super::{
    ReasoningScope, canonical,
    digest::{self, Digest, Stream, hash},
    unescape::unescape,
    white_space::trimmed,
};

// What is not text begins with a mark and one of these, or of `canonical`.
const MESSAGE: u8 = b'M';
const TEXT: u8 = b'T';
const MEDIA: u8 = b'I';
const URL: u8 = b'U';
const VALUE: u8 = b'V';
const CALL: u8 = b'C';
const JSON: u8 = b'J';
const RAW: u8 = b'A';

/// A conversation that is being written.
pub(super) struct Transcript {
    /// Keyed with the digest up to the last message of the assistant.
    stream: Stream,
    /// Of the scope.
    start: Digest,
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
        let start = digest::of_bytes(scope.digest());
        Self::continuing(Stream::new(start), start)
    }

    fn continuing(stream: Stream, start: Digest) -> Self {
        Self {
            stream,
            start,
            in_text: false,
            held: Vec::new(),
            canonical: canonical::Writer::new(start),
            unescaped: Vec::new(),
        }
    }

    /// Forgets what was written, but not its memory.
    pub(super) fn restart(&mut self) {
        self.stream.restart(self.start);
        self.end_text();
    }

    /// Begins a message.
    pub(super) fn message(&mut self, role: &[u8]) {
        self.end_text();
        self.stream.mark(MESSAGE);
        self.stream.put(role);
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
            self.stream.put(&self.held);
            self.stream.put(start);
        } else {
            self.stream.mark(TEXT);
            self.in_text = true;
        }
        self.stream.put(text);
        self.held.clear();
        self.held.extend_from_slice(end);
    }

    /// Adds a text that is a JSON string, in quotes.
    pub(super) fn quoted_text(&mut self, quoted: &[u8]) {
        let mut unescaped = std::mem::take(&mut self.unescaped);
        self.text(unescape(quoted, &mut unescaped).unwrap_or(quoted));
        self.unescaped = unescaped;
    }

    /// Ends a text: what follows is not a part of it.
    pub(super) fn end_text(&mut self) {
        self.in_text = false;
        self.held.clear();
    }

    /// Adds an image or another medium to the content of a message.
    pub(super) fn media(&mut self, kind: &[u8], url: &[u8]) {
        self.end_text();
        self.stream.mark(MEDIA);
        self.stream.put(kind);
        self.stream.mark(URL);
        self.stream.put(&hash(self.start, [url.trim_ascii()]));
    }

    /// Adds a JSON value to the content of a message, without this member if it is an
    /// object.
    pub(super) fn value(&mut self, json: &[u8], without: &[u8]) {
        self.end_text();
        self.stream.mark(VALUE);
        let canonical = self.canonical.write(json, without);
        self.stream.put(canonical.unwrap_or(json));
    }

    /// Adds a tool call, with its arguments as a text.
    pub(super) fn call(&mut self, name: &[u8], arguments: &[u8]) {
        self.end_text();
        self.stream.mark(CALL);
        self.stream.put(name);
        self.stream.mark(JSON);
        let (_, arguments, _) = trimmed(arguments);
        // A call without arguments comes back with either.
        let arguments = if arguments.is_empty() {
            b"{}"
        } else {
            arguments
        };
        match self.canonical.write(arguments, b"") {
            Some(canonical) => self.stream.put(canonical),
            None => {
                self.stream.mark(RAW);
                self.stream.put(arguments);
            }
        }
    }

    /// Adds a tool call, with its arguments as a JSON string, in quotes, that holds them.
    pub(super) fn quoted_call(&mut self, name: &[u8], arguments: &[u8]) {
        let mut unescaped = std::mem::take(&mut self.unescaped);
        let text = unescape(arguments, &mut unescaped).unwrap_or(arguments);
        self.call(name, text);
        self.unescaped = unescaped;
    }

    /// Ends a message of the assistant.
    pub(super) fn end_answer(&mut self) -> Digest {
        self.end_text();
        self.stream.cut()
    }

    /// The conversation so far, to be continued by answers to it.
    pub(super) fn into_prefix(self) -> Prefix {
        Prefix {
            hasher: self.stream.into_hasher(),
            start: self.start,
        }
    }
}

/// A conversation up to an answer that is still to come.
#[derive(Clone)]
pub(super) struct Prefix {
    hasher: HighwayHasher,
    start: Digest,
}

impl Prefix {
    /// The conversation, to be continued by one answer.
    pub(super) fn to_transcript(&self) -> Transcript {
        let stream = Stream::continuing(self.hasher.clone());
        Transcript::continuing(stream, self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reasoning_memory::ReasoningScope;

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
    fn an_answer_continues_a_conversation_as_its_message_does() {
        for length in [10, 5000, 3 * 5000] {
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
