//! Rule `tool_calls`: repairs fragments of tool calls so that clients assemble them
//! correctly.
//!
//! OpenAI sends `index` with each fragment, and the id and the whole name only with the
//! first. Clients rely on this: OpenAI's Python client concatenates all ids and names, its
//! JavaScript client keeps the last ones, others keep the first.

use super::pending_edits::PendingEdits;
use crate::{
    json::{Kind, Span},
    sse::{Answer, Call, Choice, Fragment, SeenCall, hash},
};

/// How many calls of one stream are tracked. Once there are more, all later fragments are
/// forwarded unchanged.
const MAX_CALLS: usize = 1024;

/// The calls of a stream so far.
#[derive(Debug, Default)]
pub(super) struct ToolCalls {
    calls: Vec<SeenCall>,
    open: Vec<OpenName>,
    has_too_many: bool,
}

/// A name that may be incomplete. The text is held back from its event on until that is
/// clear.
#[derive(Debug)]
struct OpenName {
    choice: u32,
    call: usize,
    /// The offset at which its event begins.
    event: u32,
    /// The first piece of the name, and the later ones, each with its quotes.
    name: Span,
    pieces: Vec<Span>,
    /// The current event has a piece of it.
    is_touched: bool,
}

/// The event that a fragment is in.
#[derive(Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) text: &'a [u8],
    /// The offset at which it begins, if it can be held back.
    pub(super) start: Option<u32>,
}

impl ToolCalls {
    /// Repairs the fragments of a chunk. Returns the number of repairs.
    pub(super) fn chunk(
        &mut self,
        answer: &Answer,
        event: Event<'_>,
        edits: &mut PendingEdits,
    ) -> u32 {
        let mut repairs = 0;
        for choice in &answer.choices {
            for call in answer.calls_of(choice) {
                repairs += self.fragment(choice, call, event, edits);
            }
            // A chunk of the choice without a piece of the name completes it.
            if !self.open.is_empty() {
                repairs += self.close(event.text, edits, |open| {
                    open.choice == choice.index && !std::mem::take(&mut open.is_touched)
                });
            }
        }
        repairs
    }

    /// Returns the offset from which on the text has to be held back.
    pub(super) fn held(&self) -> Option<usize> {
        let first = self.open.iter().map(|open| open.event).min()?;
        Some(first as usize)
    }

    /// Treats all names as complete. Returns the number of repairs.
    pub(super) fn close_all(&mut self, text: &[u8], edits: &mut PendingEdits) -> u32 {
        if self.open.is_empty() {
            return 0;
        }
        self.close(text, edits, |_| true)
    }

    /// Moves offsets after the first `length` bytes of the text were forwarded.
    pub(super) fn advance(&mut self, length: usize) {
        let length = length as u32;
        for open in &mut self.open {
            open.event -= length;
            for span in open.pieces.iter_mut().chain([&mut open.name]) {
                span.start -= length;
                span.end -= length;
            }
        }
    }

    fn fragment(
        &mut self,
        choice: &Choice,
        fragment: &Call,
        event: Event<'_>,
        edits: &mut PendingEdits,
    ) -> u32 {
        if self.has_too_many {
            return 0;
        }
        let text = event.text;
        let mut repairs = 0;
        let said = Fragment::of(fragment, text);
        let index = match fragment.index {
            Some(index) if index.kind != Kind::Null => match fragment.index(text) {
                Some(index) => index,
                // An index that is not a small whole number: the call is unknown.
                None => return 0,
            },
            null => {
                let calls = self.calls.iter();
                let index = said.guess_index(calls.filter(|call| call.choice == choice.index));
                match null {
                    Some(null) => edits.replace(null.span, index.to_string()),
                    None => edits.append(fragment.object, format!("\"index\":{index}")),
                }
                repairs += 1;
                index
            }
        };
        let known = |call: &SeenCall| call.choice == choice.index && call.index == index;
        let at = match self.calls.iter().rposition(known) {
            Some(at) => at,
            None if self.calls.len() == MAX_CALLS => {
                self.has_too_many = true;
                return repairs + self.close_all(text, edits);
            }
            None => {
                self.calls.push(SeenCall::new(choice.index, index));
                // A new call completes the name of the one before it.
                repairs += self.close(text, edits, |open| open.choice == choice.index);
                self.calls.len() - 1
            }
        };
        if let (Some(hash), Some(id)) = (said.id, fragment.id) {
            if self.calls[at].id.is_some() {
                edits.remove(id.span());
                repairs += 1;
            } else {
                self.calls[at].id = Some(hash);
            }
        }
        if let (Some(hash), Some(name)) = (said.name, fragment.name) {
            repairs += self.name(at, hash, name.span(), name.value.span, event, edits);
        }
        if said.has_arguments {
            self.calls[at].has_arguments = true;
            repairs += self.close(text, edits, |open| open.call == at);
        }
        repairs
    }

    /// Repairs a name, or a piece of one. Returns the number of repairs.
    fn name(
        &mut self,
        at: usize,
        hash: u64,
        member: Span,
        value: Span,
        event: Event<'_>,
        edits: &mut PendingEdits,
    ) -> u32 {
        let call = &mut self.calls[at];
        if let Some(open) = self.open.iter_mut().find(|open| open.call == at) {
            open.is_touched = true;
            // A repetition of the first piece is not another piece.
            if call.name != Some(hash) || !open.pieces.is_empty() {
                open.pieces.push(value);
            }
        } else if call.name.is_none() {
            call.name = Some(hash);
            if let (Some(start), false) = (event.start, call.has_arguments) {
                self.open.push(OpenName {
                    choice: call.choice,
                    call: at,
                    event: start,
                    name: value,
                    pieces: Vec::new(),
                    is_touched: true,
                });
            }
            return 0;
        } else if call.name != Some(hash) {
            // Too late for a piece of the name. It is kept, so that nothing is lost.
            return 0;
        }
        edits.remove(member);
        1
    }

    /// Completes the open names that `is_over` selects, and writes those that arrived in
    /// pieces. Returns the number of repairs.
    fn close(
        &mut self,
        text: &[u8],
        edits: &mut PendingEdits,
        mut is_over: impl FnMut(&mut OpenName) -> bool,
    ) -> u32 {
        let mut repairs = 0;
        let calls = &mut self.calls;
        self.open.retain_mut(|open| {
            if !is_over(open) {
                return true;
            }
            if !open.pieces.is_empty() {
                let mut whole = Vec::from(b"\"");
                for piece in [open.name].iter().chain(&open.pieces) {
                    let piece = piece.of(text);
                    whole.extend_from_slice(&piece[1..piece.len() - 1]);
                }
                whole.push(b'"');
                let whole = String::from_utf8_lossy(&whole).into_owned();
                if let Ok(name) = serde_json::from_str::<String>(&whole) {
                    calls[open.call].name = Some(hash(name.as_bytes()));
                }
                edits.replace(open.name, whole);
                repairs += 1;
            }
            false
        });
        repairs
    }
}
