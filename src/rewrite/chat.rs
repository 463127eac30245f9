//! A chat request as spans: the positions of everything that a rule may look at.

use std::{cell::Cell, ops::Range};

use super::{Change, distinct::Distinct};
use crate::{
    json::{Edits, Kind, Member, Span, Str, Value},
    schema::Scratch,
};

pub(super) use super::keys::{Field, MessageField, Role};
pub(super) use super::tool::{Form, Parameters, Schema, Tool};

/// A message: an element of `messages` that is an object.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) span: Span,
    /// `None` if it is another role or missing.
    pub(super) role: Option<Role>,
    /// The index of its first field in [`Spans::message_fields`]. Its last is before the
    /// next message's first.
    pub(super) fields: u32,
    /// As `fields`, in [`Spans::parts`]. Only an array has parts.
    pub(super) parts: u32,
    /// As `fields`, in [`Spans::calls`].
    pub(super) calls: u32,
    /// As `fields`, in [`Spans::message_tools`].
    pub(super) tools: u32,
}

// A body may consist of minimal messages, so this bounds the memory per byte of body.
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
    /// The thoughts of a model, which other APIs put into the content.
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

    /// Whether it is removed or an empty text.
    pub(super) fn says_nothing(&self) -> bool {
        matches!(self.kind, PartKind::Removed) || self.is_empty_text()
    }
}

/// An element of `tool_calls`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) span: Span,
    /// Of any type. `None` if it is absent.
    pub(super) id: Option<Value>,
}

/// The `json_schema` of a `response_format`.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonSchema {
    pub(super) span: Span,
    pub(super) name: Option<Member>,
    pub(super) strict: Option<Member>,
    /// The schema, if it is an object.
    pub(super) schema: Option<Schema>,
}

/// Everything that the walk records and that the rules decide, for one request.
#[derive(Debug, Default)]
pub(super) struct Spans {
    pub(super) root: Option<Span>,
    pub(super) fields: [Option<Member>; Field::NAMES.len()],
    pub(super) messages: Vec<Message>,
    pub(super) message_fields: Vec<(MessageField, Member)>,
    /// The fields and roles that occur in any message, one bit for each.
    pub(super) fields_seen: u32,
    pub(super) roles_seen: u32,
    /// Does not cover the parts, which are added after the walk.
    pub(super) contents: Contents,
    pub(super) parts: Vec<Part>,
    pub(super) calls: Vec<Call>,
    pub(super) tools: Vec<Tool>,
    /// The tools of all messages that have any.
    pub(super) message_tools: Vec<Tool>,
    /// The `json_schema` in `response_format`, if it is an object.
    pub(super) json_schema: Option<JsonSchema>,
    /// Whether the type of `response_format` is `json_schema`.
    pub(super) format_is_schema: bool,
    /// Members with the same key: a later and an earlier one, sorted by the later one.
    /// The lists above hold the last member with a key.
    pub(super) duplicates: Vec<(Member, Member)>,
    /// Memory for the prescan of schemas.
    pub(super) scratch: Scratch,
    /// Memory for the search for repeated ids of calls and names of tools.
    pub(super) distinct: Distinct,
    pub(super) edits: Edits,
    pub(super) changes: Vec<Change>,
    /// The number of changes that are not listed.
    pub(super) left_out: usize,
    /// The bytes in the places of changes that are stored as text.
    pub(super) written: usize,
    /// The number of schemas left unrepaired because the budget was spent.
    pub(super) schemas_left: usize,
}

/// A summary of the contents of all messages. Most are non-empty strings, which rules
/// then need not look at one by one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contents {
    pub(super) any_array: bool,
    /// Whether any part of an array is not text.
    pub(super) any_part_is_other: bool,
    /// Whether any part may hold thoughts of a model.
    pub(super) any_part_thinks: bool,
    /// Whether any part is an empty text or removed.
    pub(super) any_part_is_empty: bool,
    /// Whether any content is absent, null, an empty string or an empty array.
    pub(super) any_is_nothing: bool,
}

impl Contents {
    /// Whether any message may have no content.
    pub(super) const fn any_may_be_empty(self) -> bool {
        self.any_is_nothing | self.any_part_is_empty
    }

    /// Takes the content of one message into account.
    #[inline(always)]
    pub(super) fn add(&mut self, content: Value, has_parts: bool) {
        let is_array = content.kind == Kind::Array;
        self.any_array |= is_array;
        // Without branches, because their outcomes would follow no pattern.
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

/// Lists shrink to this capacity after a request, so that a rare request with
/// thousands of messages does not hold memory for good.
const KEPT: usize = 1024;

impl Spans {
    /// Lends empty lists to `f`. They are kept for the next request on this thread, so
    /// that a request without changes allocates nothing.
    pub(super) fn with_scratch<R>(f: impl FnOnce(&mut Self) -> R) -> R {
        let mut spans = SCRATCH.take().unwrap_or_default();
        let result = f(&mut spans);
        spans.clear();
        SCRATCH.set(Some(spans));
        result
    }

    /// The range of a message in a list of this length. `start` returns where the
    /// elements of a message begin.
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

    /// Forgets an array of messages, because a later one with the same key wins.
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

    /// The index of a field in the list. The message's first field is at `first`.
    #[cold]
    #[inline(never)]
    pub(super) fn slot(&self, first: usize, field: MessageField) -> Option<usize> {
        let fields = self.message_fields.get(first..)?;
        let slot = fields.iter().position(|(known, _)| *known == field)?;
        Some(first + slot)
    }

    /// Records an earlier member with the same key, and returns its index for
    /// [`member`](Self::member). Called before the later value is read, so that the list
    /// stays sorted.
    #[inline(always)]
    pub(super) fn duplicate(&mut self, earlier: Option<Member>) -> Option<usize> {
        let earlier = earlier?;
        self.duplicates.push((earlier, earlier));
        Some(self.duplicates.len() - 1)
    }

    /// Creates a member, and records it as the later one of a duplicate.
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
