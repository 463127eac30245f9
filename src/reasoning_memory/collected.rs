//! One choice of an answer, put together from its pieces.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Thought, report::Forgotten, transcript::Transcript};
use crate::{
    json::{Str, Value},
    sse::{Call, Choice, Fragment, SeenCall, hash},
};

/// What a tool call takes besides its texts, in bytes.
const CALL_OVERHEAD: usize = std::mem::size_of::<CollectedCall>();

/// How many tool calls of one choice are told apart. Each fragment is looked up among
/// them.
const MAX_CALLS: usize = 256;

/// A choice so far. Texts are kept as they stand in the JSON, escaped, because a piece may
/// end between the halves of a surrogate pair.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) index: u32,
    thought: Raw,
    content: Raw,
    calls: Vec<CollectedCall>,
    end: Option<End>,
}

/// How a choice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With `stop` or `tool_calls`.
    Complete,
    /// For another reason.
    Cut,
    /// It is not to be remembered.
    Forgotten(Forgotten),
}

#[derive(Debug)]
struct CollectedCall {
    seen: SeenCall,
    name: Raw,
    /// The name came in several pieces, and was not hashed as a whole yet.
    has_pieces: bool,
    arguments: Raw,
}

impl Collected {
    pub(super) const fn new(index: u32) -> Self {
        Self {
            index,
            thought: Raw::new(),
            content: Raw::new(),
            calls: Vec::new(),
            end: None,
        }
    }

    /// Adds what one chunk, or a whole answer, has of this choice.
    pub(super) fn add(&mut self, choice: &Choice, calls: &[Call], is_stream: bool, text: &[u8]) {
        if let Some(End::Forgotten(_)) = self.end {
            return;
        }
        self.thought.add(choice.raw_reasoning_content(), text);
        self.content.add(choice.raw_content(), text);
        for call in calls {
            self.add_call(call, is_stream, text);
        }
        if let Some(reason) = choice.finish_reason(text) {
            self.end = Some(match &*reason {
                b"stop" | b"tool_calls" => End::Complete,
                _ => End::Cut,
            });
        }
    }

    /// Adds a fragment of a tool call, or a whole one.
    fn add_call(&mut self, fragment: &Call, is_stream: bool, text: &[u8]) {
        let said = Fragment::of(fragment, text);
        let seen = self.calls.iter().map(|call| &call.seen);
        let index = if is_stream {
            fragment
                .index(text)
                .unwrap_or_else(|| said.guess_index(seen.clone()))
        } else {
            // No other one belongs to it.
            self.calls.len() as u32
        };
        let known = seen.clone().position(|call| call.index == index);
        if known.is_none() && self.calls.len() == MAX_CALLS {
            return self.forget(Forgotten::TooLong);
        }
        let at = known.unwrap_or_else(|| {
            self.calls.push(CollectedCall {
                seen: SeenCall::new(self.index, index),
                name: Raw::new(),
                has_pieces: false,
                arguments: Raw::new(),
            });
            self.calls.len() - 1
        });
        let call = &mut self.calls[at];
        call.seen.id = call.seen.id.or(said.id);
        if !call.seen.has_arguments {
            call.add_name(fragment, said.name, text);
        }
        // Beside and behind arguments some hosts repeat the name.
        if said.has_arguments {
            call.end_name();
        }
        call.arguments
            .add(fragment.arguments.and_then(Value::as_str), text);
    }

    /// Drops what was collected, and all that is still to come. The first reason counts.
    pub(super) fn forget(&mut self, why: Forgotten) {
        if let Some(End::Forgotten(_)) = self.end {
            return;
        }
        *self = Self {
            end: Some(End::Forgotten(why)),
            ..Self::new(self.index)
        };
    }

    pub(super) const fn end(&self) -> Option<End> {
        self.end
    }

    pub(super) fn thought_len(&self) -> usize {
        self.thought.len()
    }

    /// How many bytes it takes.
    pub(super) fn held(&self) -> usize {
        let calls = self
            .calls
            .iter()
            .map(|call| call.name.len() + call.arguments.len() + CALL_OVERHEAD);
        self.thought.len() + self.content.len() + calls.sum::<usize>()
    }

    /// The thought, if there is one.
    pub(super) fn thought(&self) -> Result<Thought, Forgotten> {
        if self.thought.is_empty() {
            return Err(Forgotten::NoThought);
        }
        let thought = Thought::from_json(self.thought.to_json());
        let thought = thought.map_err(|_| Forgotten::Unreadable)?;
        if thought.is_blank() {
            Err(Forgotten::NoThought)
        } else {
            Ok(thought)
        }
    }

    /// Writes the choice as the message that a client will make of it.
    pub(super) fn write(&self, transcript: &mut Transcript) -> Result<(), Forgotten> {
        transcript.message(b"assistant");
        transcript.text(&self.content.text()?);
        transcript.end_text();
        for call in &self.calls {
            transcript.call(&call.name.text()?, &call.arguments.text()?);
        }
        Ok(())
    }
}

impl CollectedCall {
    /// Adds a piece of the name. A repetition of the first piece is not another one.
    fn add_name(&mut self, fragment: &Call, hash: Option<u64>, text: &[u8]) {
        if hash.is_none() || hash == self.seen.name && !self.has_pieces {
            return;
        }
        self.has_pieces = self.seen.name.is_some();
        self.seen.name = self.seen.name.or(hash);
        let piece = fragment.name.and_then(|name| name.value.as_str());
        self.name.add(piece, text);
    }

    /// The arguments have begun, so the name is complete.
    fn end_name(&mut self) {
        self.seen.has_arguments = true;
        if std::mem::take(&mut self.has_pieces) {
            let whole = self.name.text().ok();
            self.seen.name = whole.map(|name| hash(&name));
        }
    }
}

/// A string with its JSON escapes, without its quotes.
#[derive(Debug)]
struct Raw {
    escaped: Vec<u8>,
}

impl Raw {
    const fn new() -> Self {
        Self {
            escaped: Vec::new(),
        }
    }

    fn add(&mut self, piece: Option<Str>, text: &[u8]) {
        if let Some(piece) = piece {
            let quoted = piece.span.of(text);
            self.escaped.extend_from_slice(&quoted[1..quoted.len() - 1]);
        }
    }

    fn len(&self) -> usize {
        self.escaped.len()
    }

    fn is_empty(&self) -> bool {
        self.escaped.is_empty()
    }

    /// With its quotes.
    fn to_json(&self) -> Bytes {
        [b"\"", &self.escaped[..], b"\""].concat().into()
    }

    /// What it says.
    fn text(&self) -> Result<Cow<'_, [u8]>, Forgotten> {
        if memchr::memchr(b'\\', &self.escaped).is_none() {
            return Ok(Cow::Borrowed(&self.escaped));
        }
        let text: String =
            serde_json::from_slice(&self.to_json()).map_err(|_| Forgotten::Unreadable)?;
        Ok(Cow::Owned(text.into_bytes()))
    }
}
