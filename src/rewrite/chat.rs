//! A chat request as spans: where everything stands that a rule may look at.

use std::{cell::Cell, ops::Range};

use super::{Change, distinct::Distinct};
use crate::{
    json::{Edits, Kind, Member, Span, Str, Value},
    schema::Scratch,
};

pub(super) use super::tool::{Form, Parameters, Tool};
pub(super) use super::words::{Field, MessageField, Role};

/// A message: an element of `messages` that is an object.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) span: Span,
    /// None if it is another one, or missing.
    pub(super) role: Option<Role>,
    /// Where its own begin in [`Spans::message_fields`], up to those of the next
    /// message.
    pub(super) fields: u32,
    /// In [`Spans::parts`]; there are none unless the content is an array.
    pub(super) parts: u32,
    /// In [`Spans::calls`].
    pub(super) calls: u32,
    /// In [`Spans::message_tools`].
    pub(super) tools: u32,
}

// A body of nothing but the smallest messages has as many of these.
const _: () = assert!(size_of::<Message>() <= 28);

/// An element of a content array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) span: Span,
    pub(super) kind: PartKind,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum PartKind {
    Text(Str),
    /// What a model thought, as other APIs put it into the content.
    Thought,
    Other,
    /// A rule has removed it.
    Removed,
}

impl Part {
    pub(super) const fn text(&self) -> Option<Str> {
        match self.kind {
            PartKind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_empty_text(&self) -> bool {
        self.text().is_some_and(Str::is_empty)
    }

    /// Whether nothing of it is left but, at most, an empty text.
    pub(super) fn says_nothing(&self) -> bool {
        matches!(self.kind, PartKind::Removed) || self.is_empty_text()
    }
}

/// An element of `tool_calls`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) span: Span,
    /// Of whatever type; None if there is none.
    pub(super) id: Option<Value>,
}

/// What `response_format` says of the answer's schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonSchema {
    pub(super) span: Span,
    pub(super) name: Option<Member>,
    pub(super) strict: Option<Member>,
    /// The schema, if it is an object.
    pub(super) schema: Option<Schema>,
}

/// A JSON Schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema {
    pub(super) span: Span,
    /// Whether it may need a repair.
    pub(super) doubtful: bool,
}

/// Everything that the walk records, and what the rules make of it. Filled once a
/// request.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) root: Option<Span>,
    pub(super) fields: [Option<Member>; Field::NAMES.len()],
    pub(super) messages: Vec<Message>,
    pub(super) message_fields: Vec<(MessageField, Member)>,
    /// One bit for each field and for each role that occurs in any message.
    pub(super) fields_seen: u32,
    pub(super) roles_seen: u32,
    /// Of parts nothing is noted before all are there.
    pub(super) contents: Contents,
    pub(super) parts: Vec<Part>,
    pub(super) calls: Vec<Call>,
    pub(super) tools: Vec<Tool>,
    /// The tools of all messages that have any.
    pub(super) message_tools: Vec<Tool>,
    /// The `json_schema` in `response_format`, if it is an object, and whether that
    /// is the format's type.
    pub(super) json_schema: Option<JsonSchema>,
    pub(super) format_is_schema: bool,
    /// Keys that stand more than once: a later and an earlier member, sorted by
    /// the later one. The last of them all is the one in the lists above.
    pub(super) duplicates: Vec<(Member, Member)>,
    /// Room for looking at schemas.
    pub(super) scratch: Scratch,
    /// Room for telling ids of calls, and names of tools, apart.
    pub(super) distinct: Distinct,
    pub(super) edits: Edits,
    pub(super) changes: Vec<Change>,
    /// How many more changes there are than are listed.
    pub(super) left_out: usize,
    /// How many bytes the written places of the changes have.
    pub(super) written: usize,
    /// How many schemas were left unrepaired for want of budget.
    pub(super) schemas_left: usize,
}

/// What the contents of all messages are, in general: mostly strings that say
/// something, so that rules need not look at each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contents {
    pub(super) any_array: bool,
    /// Whether any part of an array is no text.
    pub(super) any_part_is_other: bool,
    /// Whether any part may hold what a model thought.
    pub(super) any_part_thinks: bool,
    /// Whether any part is an empty text, or removed.
    pub(super) any_part_is_empty: bool,
    /// Whether some content is absent, null, an empty string or an empty array.
    pub(super) any_is_nothing: bool,
}

impl Contents {
    /// Whether a message may say nothing.
    pub(super) const fn any_may_be_empty(self) -> bool {
        self.any_is_nothing | self.any_part_is_empty
    }

    /// Takes the content of one message into account.
    #[inline(always)]
    pub(super) fn add(&mut self, content: Value, has_parts: bool) {
        let is_array = content.kind == Kind::Array;
        self.any_array |= is_array;
        // Without branches: what contents are follows no pattern.
        self.any_is_nothing |=
            (content.kind == Kind::Null) | (content.span.length() == 2) | (is_array & !has_parts);
    }

    /// Takes the parts of all messages into account.
    pub(super) fn add_parts(&mut self, parts: &[Part]) {
        for part in parts {
            self.any_part_is_other |= matches!(part.kind, PartKind::Thought | PartKind::Other);
            self.any_part_is_empty |= part.says_nothing();
        }
    }
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Spans>>> = const { Cell::new(None) };
}

/// Lists with room for more than this are given back to the allocator: a request
/// with thousands of messages is rare, and must not cost memory ever after.
const KEPT: usize = 1024;

impl Spans {
    /// Lends empty lists to `f`. They are kept for the next request on this
    /// thread, so that a request that needs no change allocates nothing, and one
    /// that does only what goes out.
    pub(super) fn with_scratch<R>(f: impl FnOnce(&mut Self) -> R) -> R {
        let mut spans = SCRATCH.take().unwrap_or_default();
        let result = f(&mut spans);
        spans.clear();
        SCRATCH.set(Some(spans));
        result
    }

    /// What of a list of so many belongs to a message, by where each one's own begins.
    #[inline(always)]
    fn own(&self, index: usize, length: usize, start: impl Fn(&Message) -> u32) -> Range<usize> {
        let first = start(&self.messages[index]) as usize;
        let next = self.messages.get(index + 1);
        first..next.map_or(length, |next| start(next) as usize)
    }

    pub(super) fn fields_of(&self, message: usize) -> Range<usize> {
        self.own(message, self.message_fields.len(), |found| found.fields)
    }

    pub(super) fn parts_of(&self, message: usize) -> Range<usize> {
        self.own(message, self.parts.len(), |found| found.parts)
    }

    pub(super) fn calls_of(&self, message: usize) -> Range<usize> {
        self.own(message, self.calls.len(), |found| found.calls)
    }

    pub(super) fn tools_of(&self, message: usize) -> Range<usize> {
        self.own(message, self.message_tools.len(), |found| found.tools)
    }

    /// Forgets an array of messages: of two the last counts.
    pub(super) fn forget_messages(&mut self) {
        self.messages.clear();
        self.message_fields.clear();
        self.fields_seen = 0;
        self.roles_seen = 0;
        self.contents = Contents::default();
        self.parts.clear();
        self.calls.clear();
        self.message_tools.clear();
    }

    /// Where in the list a message's field stands; the message's first is at
    /// `first`.
    #[cold]
    #[inline(never)]
    pub(super) fn slot(&self, first: usize, field: MessageField) -> Option<usize> {
        let fields = self.message_fields.get(first..)?;
        let slot = fields.iter().position(|(known, _)| *known == field)?;
        Some(first + slot)
    }

    /// Keeps note of an earlier member with the same key: in the list before
    /// whatever is found inside of the later one, to keep it sorted. Where in the
    /// list is for [`member`](Self::member).
    #[inline(always)]
    pub(super) fn duplicate(&mut self, earlier: Option<Member>) -> Option<usize> {
        let earlier = earlier?;
        self.duplicates.push((earlier, earlier));
        Some(self.duplicates.len() - 1)
    }

    /// A member that rules look at, and the later one of a duplicate.
    #[inline(always)]
    pub(super) fn member(&mut self, key: Str, value: Value, duplicate: Option<usize>) -> Member {
        let member = Member {
            key: key.span,
            value,
        };
        if let Some(duplicate) = duplicate {
            self.duplicates[duplicate].0 = member;
        }
        member
    }

    fn clear(&mut self) {
        fn clear<T>(list: &mut Vec<T>) {
            list.clear();
            list.shrink_to(KEPT);
        }
        self.root = None;
        self.fields = [None; Field::NAMES.len()];
        clear(&mut self.messages);
        clear(&mut self.message_fields);
        self.fields_seen = 0;
        self.roles_seen = 0;
        self.contents = Contents::default();
        clear(&mut self.parts);
        clear(&mut self.calls);
        clear(&mut self.tools);
        clear(&mut self.message_tools);
        self.json_schema = None;
        self.format_is_schema = false;
        clear(&mut self.duplicates);
        clear(&mut self.changes);
        self.left_out = 0;
        self.written = 0;
        self.schemas_left = 0;
        self.scratch.shrink_to(KEPT);
        self.distinct.shrink_to(KEPT);
        self.edits.shrink_to(KEPT);
    }
}
