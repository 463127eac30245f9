//! Rule `tool_calls`: fragments that clients put together to the calls that were
//! meant.
//!
//! OpenAI sends `index` with each fragment, id and name with the first one only, and
//! the name whole. Clients rely on it, each in its own way: OpenAI's Python client
//! concatenates ids and names, its JavaScript client keeps the last ones, others the
//! first.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::ops::Ops;
use crate::{
    json::{Kind, Span, Value},
    sse::{Answer, Call, Choice},
};

/// How many calls are told apart in one stream. Behind that, all fragments pass as
/// they come.
const MAX_CALLS: usize = 1024;

/// The calls of a stream.
#[derive(Debug, Default)]
pub(super) struct ToolCalls {
    calls: Vec<Known>,
    open: Vec<Open>,
    has_too_many: bool,
}

/// A call that began.
#[derive(Debug)]
struct Known {
    choice: u32,
    index: u32,
    /// Hashes of what it is called: nothing is allocated for a call.
    id: Option<u64>,
    name: Option<u64>,
    /// Its arguments have begun, so its name is whole.
    has_arguments: bool,
}

/// A name of which more may come. The text from the event on that it is in is held
/// back until that is known.
#[derive(Debug)]
struct Open {
    choice: u32,
    call: usize,
    /// Where the event begins.
    event: u32,
    /// The name's first piece, and the others behind it, with their quotes.
    name: Span,
    pieces: Vec<Span>,
    /// The current event said more about it.
    is_touched: bool,
}

/// What fragments need to know of the event that they are in.
#[derive(Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) text: &'a [u8],
    /// Where it begins, if it can be held back.
    pub(super) start: Option<u32>,
}

impl ToolCalls {
    /// Looks at the fragments of a chunk. Returns how many repairs it needs.
    pub(super) fn chunk(&mut self, answer: &Answer, event: Event<'_>, ops: &mut Ops) -> u32 {
        let mut repairs = 0;
        for choice in &answer.choices {
            for call in answer.calls_of(choice) {
                repairs += self.fragment(choice, call, event, ops);
            }
            // Anything else than a piece of the name ends it.
            if !self.open.is_empty() {
                repairs += self.close(event.text, ops, |open| {
                    open.choice == choice.index && !std::mem::take(&mut open.is_touched)
                });
            }
        }
        repairs
    }

    /// Where the text begins that is held back.
    pub(super) fn held(&self) -> Option<usize> {
        let first = self.open.iter().map(|open| open.event).min()?;
        Some(first as usize)
    }

    /// Takes names for whole. Returns how many repairs that needs.
    pub(super) fn close_all(&mut self, text: &[u8], ops: &mut Ops) -> u32 {
        if self.open.is_empty() {
            return 0;
        }
        self.close(text, ops, |_| true)
    }

    /// The first `length` bytes of the text were handed on.
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
        ops: &mut Ops,
    ) -> u32 {
        let text = event.text;
        let mut repairs = 0;
        let says = |value: Option<Value>| {
            value
                .and_then(Value::as_str)
                .filter(|said| !said.is_empty())
        };
        let hash = |value: Option<Value>| says(value).map(|said| hash(&said.unescaped(text)));
        let id = hash(fragment.id.map(|id| id.value));
        let name = hash(fragment.name.map(|name| name.value));
        let has_arguments = says(fragment.arguments).is_some();
        if self.has_too_many {
            return 0;
        }
        let index = match fragment.index {
            Some(index) if index.kind != Kind::Null => match fragment.index(text) {
                Some(index) => index,
                // What that may mean, nobody knows.
                None => return 0,
            },
            null => {
                let index = self.guess(choice.index, id, name);
                match null {
                    Some(null) => ops.replace(null.span, index.to_string()),
                    None => ops.append(fragment.object, format!("\"index\":{index}")),
                }
                repairs += 1;
                index
            }
        };
        let known = |call: &Known| call.choice == choice.index && call.index == index;
        let at = match self.calls.iter().rposition(known) {
            Some(at) => at,
            None if self.calls.len() == MAX_CALLS => {
                self.has_too_many = true;
                return repairs + self.close_all(text, ops);
            }
            None => {
                self.calls.push(Known {
                    choice: choice.index,
                    index,
                    id: None,
                    name: None,
                    has_arguments: false,
                });
                // The call before has its name.
                repairs += self.close(text, ops, |open| open.choice == choice.index);
                self.calls.len() - 1
            }
        };
        if let (Some(hash), Some(id)) = (id, fragment.id) {
            if self.calls[at].id.is_some() {
                ops.remove(id.span());
                repairs += 1;
            } else {
                self.calls[at].id = Some(hash);
            }
        }
        if let (Some(hash), Some(name)) = (name, fragment.name) {
            repairs += self.name(at, hash, name.span(), name.value.span, event, ops);
        }
        if has_arguments {
            self.calls[at].has_arguments = true;
            repairs += self.close(text, ops, |open| open.call == at);
        }
        repairs
    }

    /// The index of the call that a fragment without one belongs to.
    fn guess(&self, choice: u32, id: Option<u64>, name: Option<u64>) -> u32 {
        let calls = || self.calls.iter().filter(|call| call.choice == choice);
        if let Some(call) = calls().find(|call| id.is_some() && call.id == id) {
            return call.index;
        }
        match calls().next_back() {
            None => 0,
            // A name behind arguments is that of the next call, unless it is merely
            // repeated: then a call with an id would have one.
            Some(last)
                if last.has_arguments
                    && name.is_some()
                    && (name != last.name || id.is_some() || last.id.is_none()) =>
            {
                let highest = calls().map(|call| call.index).max();
                highest.map_or(0, |index| index.saturating_add(1))
            }
            Some(last) => last.index,
        }
    }

    /// Looks at a name, or a piece of it.
    fn name(
        &mut self,
        at: usize,
        hash: u64,
        member: Span,
        value: Span,
        event: Event<'_>,
        ops: &mut Ops,
    ) -> u32 {
        let call = &mut self.calls[at];
        if let Some(open) = self.open.iter_mut().find(|open| open.call == at) {
            open.is_touched = true;
            // The same once more is no piece.
            if call.name != Some(hash) || !open.pieces.is_empty() {
                open.pieces.push(value);
            }
        } else if call.name.is_none() {
            call.name = Some(hash);
            if let (Some(start), false) = (event.start, call.has_arguments) {
                self.open.push(Open {
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
            // Too late to be a piece: it stays, so that nothing is lost.
            return 0;
        }
        ops.remove(member);
        1
    }

    /// Closes the open names that `is_over` picks: writes those that came in pieces.
    fn close(
        &mut self,
        text: &[u8],
        ops: &mut Ops,
        mut is_over: impl FnMut(&mut Open) -> bool,
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
                ops.replace(open.name, whole);
                repairs += 1;
            }
            false
        });
        repairs
    }
}

fn hash(what: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
