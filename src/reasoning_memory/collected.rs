//! One choice of an answer, put together from its pieces.

use std::borrow::Cow;

use bytes::Bytes;

use super::{Thought, report::Forgotten, transcript::Transcript};
use crate::{
    json::{Str, Value},
    sse::{Call, Choice},
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
    index: Option<u32>,
    id: Option<Box<[u8]>>,
    name: Raw,
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
    pub(super) fn add(&mut self, choice: &Choice, calls: &[Call], text: &[u8]) {
        if let Some(End::Forgotten(_)) = self.end {
            return;
        }
        self.thought.add(choice.raw_reasoning_content(), text);
        self.content.add(choice.raw_content(), text);
        for call in calls {
            self.add_call(call, text);
        }
        if let Some(reason) = choice.finish_reason(text) {
            self.end = Some(match &*reason {
                b"stop" | b"tool_calls" => End::Complete,
                _ => End::Cut,
            });
        }
    }

    /// Adds a fragment of a tool call: to the call with its index, or if it has none, to
    /// the last one, unless it begins another.
    fn add_call(&mut self, fragment: &Call, text: &[u8]) {
        let index = fragment.index(text);
        let name = fragment.name.and_then(|name| name.value.as_str());
        let id = fragment.id(text).filter(|id| !id.is_empty());
        let known = match index {
            Some(_) => self.calls.iter().position(|call| call.index == index),
            None => {
                let last = self.calls.last();
                let continues = last.is_some_and(|last| {
                    name.is_none() || last.arguments.is_empty() && (id.is_none() || last.is(&id))
                });
                continues.then(|| self.calls.len() - 1)
            }
        };
        if known.is_none() && self.calls.len() == MAX_CALLS {
            return self.forget(Forgotten::TooLong);
        }
        let at = known.unwrap_or_else(|| {
            self.calls.push(CollectedCall {
                index,
                id: id.as_deref().map(Box::from),
                name: Raw::new(),
                arguments: Raw::new(),
            });
            self.calls.len() - 1
        });
        let call = &mut self.calls[at];
        if call.arguments.is_empty() {
            // Some hosts repeat the name beside the arguments.
            call.name.add(name, text);
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
        let calls = self.calls.iter().map(|call| {
            let id = call.id.as_ref().map_or(0, |id| id.len());
            call.name.len() + call.arguments.len() + id + CALL_OVERHEAD
        });
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
    fn is(&self, id: &Option<Cow<'_, [u8]>>) -> bool {
        self.id.as_deref() == id.as_deref()
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
