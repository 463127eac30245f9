//! What a rule works on: the request as spans, what is known of the model, and
//! the edits so far.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

use super::{
    Change, Rule, Settings,
    change::Place,
    chat::{Call, Contents, Field, Message, MessageField, Part, Role, Schema, Spans, Tool},
};
use crate::{
    json::{Edits, Kind, Member, Scanner, Span, Str, Text, Value, number},
    model::{Family, Thinking},
};

/// The most changes of a request that are listed; the others are counted.
const MAX_CHANGES: usize = 1_000;

/// The most bytes that the written places of changes may have.
const MAX_WRITTEN: usize = 64 * 1024;

/// A request that is being rewritten.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    text: &'a Bytes,
    spans: &'a mut Spans,
    pub(super) settings: &'a Settings,
    /// The rule that is being applied.
    pub(super) rule: Rule,
    /// What the model accepts.
    pub(super) family: &'static Family,
    /// Whether the model will think before it answers.
    pub(super) thinks: bool,
    pub(super) contents: Contents,
}

impl<'a> Draft<'a> {
    pub(super) fn new(text: &'a Bytes, spans: &'a mut Spans, settings: &'a Settings) -> Self {
        let mut contents = spans.contents;
        if contents.any_array {
            contents.add_parts(&spans.parts);
        }
        let mut draft = Self {
            contents,
            text,
            spans,
            settings,
            rule: Rule::Model,
            family: Family::unknown(),
            thinks: false,
        };
        if let Some(id) = draft
            .field(Field::Model)
            .and_then(|id| draft.string(id.value))
        {
            draft.family = Family::of(&id);
        }
        draft.thinks = draft.asked_to_think();
        draft
    }

    /// Another model than the one in the body: an alias.
    pub(super) fn set_family(&mut self, id: &str) {
        self.family = Family::of(id);
        self.thinks = self.asked_to_think();
    }

    fn asked_to_think(&self) -> bool {
        match self.family.thinking {
            Thinking::Always => true,
            Thinking::Never => false,
            Thinking::Switchable => !self.thinking_type_is("disabled"),
        }
    }

    /// Whether `thinking` is an object with this `type`.
    pub(super) fn thinking_type_is(&self, kind: &str) -> bool {
        self.thinking_member("type")
            .is_some_and(|found| self.is_string(found.value, kind))
    }

    pub(super) fn thinking_member(&self, name: &str) -> Option<Member> {
        self.member(self.field(Field::Thinking)?.value, name)
    }

    // === what is there ===

    /// A member of the request that is still there.
    pub(super) fn field(&self, field: Field) -> Option<Member> {
        self.spans.fields[field as usize]
    }

    /// As [`field`](Self::field), but null counts as not there.
    pub(super) fn given(&self, field: Field) -> Option<Member> {
        self.field(field)
            .filter(|member| member.value.kind != Kind::Null)
    }

    pub(super) fn message_count(&self) -> usize {
        self.spans.messages.len()
    }

    /// Whether any message has this field: if not, a rule has nothing to look for.
    pub(super) const fn any_message_has(&self, field: MessageField) -> bool {
        self.spans.fields_seen & field.bit() != 0
    }

    /// Whether any message is of this role.
    pub(super) const fn any_message_is(&self, role: Role) -> bool {
        self.spans.roles_seen & role.bit() != 0
    }

    pub(super) fn message(&self, index: usize) -> &Message {
        &self.spans.messages[index]
    }

    pub(super) fn message_field(&self, index: usize, field: MessageField) -> Option<Member> {
        let message = self.message(index);
        self.spans.message_fields[message.fields.start as usize..message.fields.end as usize]
            .iter()
            .find(|(known, _)| *known == field)
            .map(|&(_, member)| member)
    }

    pub(super) fn role(&self, index: usize) -> Option<Role> {
        self.message(index).role
    }

    /// Whether the message has tool calls, at least one.
    pub(super) fn calls_tools(&self, index: usize) -> bool {
        !self.calls(index).is_empty()
    }

    /// Whether the message is one that the model is to go on with.
    pub(super) fn is_partial(&self, index: usize) -> bool {
        self.message_field(index, MessageField::Partial)
            .is_some_and(|partial| partial.value.kind == Kind::True)
    }

    /// The parts of a message's content, if that is an array.
    pub(super) fn parts(&self, index: usize) -> &[Part] {
        let parts = &self.message(index).parts;
        &self.spans.parts[parts.start as usize..parts.end as usize]
    }

    /// The parts of a message's content, and the edits beside.
    pub(super) fn parts_and_edits(&mut self, index: usize) -> (&[Part], &mut Edits) {
        let parts = self.spans.messages[index].parts.clone();
        let parts = &self.spans.parts[parts.start as usize..parts.end as usize];
        (parts, &mut self.spans.edits)
    }

    pub(super) fn calls(&self, index: usize) -> &[Call] {
        let calls = &self.message(index).calls;
        &self.spans.calls[calls.start as usize..calls.end as usize]
    }

    /// The calls of all messages.
    pub(super) fn all_calls(&self) -> &[Call] {
        &self.spans.calls
    }

    /// The members of all messages that are this field.
    pub(super) fn all_message_fields(&self, field: MessageField) -> impl Iterator<Item = Member> {
        let fields = self.spans.message_fields.iter();
        fields
            .filter(move |(known, _)| *known == field)
            .map(|&(_, member)| member)
    }

    pub(super) fn tools(&self) -> &[Tool] {
        &self.spans.tools
    }

    pub(super) fn response_schema(&self) -> Option<Schema> {
        self.spans.response_schema
    }

    // === values ===

    /// What stands there, without a copy.
    pub(super) fn slice(&self, span: Span) -> Text {
        Text::from(self.text.slice(span.range()))
    }

    pub(super) fn raw(&self, span: Span) -> &'a [u8] {
        span.of(self.text)
    }

    /// What a string says, in UTF-8; nothing if it is no string, or no text.
    #[inline]
    pub(super) fn string(&self, value: Value) -> Option<Cow<'a, [u8]>> {
        self.text(value.as_str()?)
    }

    /// What a string says, in UTF-8; nothing if it is no text.
    #[inline]
    pub(super) fn text(&self, string: Str) -> Option<Cow<'a, [u8]>> {
        match string.unescaped(self.text) {
            Cow::Borrowed(_) if string.escaped => None,
            text => Some(text),
        }
    }

    pub(super) fn is_string(&self, value: Value, text: &str) -> bool {
        value
            .as_str()
            .is_some_and(|string| string.says(text.as_bytes(), self.text))
    }

    /// What a number is worth, as a double; nothing if it is no number.
    pub(super) fn number(&self, value: Value) -> Option<f64> {
        (value.kind == Kind::Number).then(|| number(self.raw(value.span)))?
    }

    /// The member of an object with this name; of several the last, which is the
    /// one that counts.
    pub(super) fn member(&self, object: Value, name: &str) -> Option<Member> {
        let mut found = None;
        for_each_member(self.text, object, |key, member| {
            if *key == *name.as_bytes() {
                found = Some(member);
            }
        });
        found
    }

    /// Whether an object has nothing but members with this name.
    pub(super) fn has_only(&self, object: Value, name: &str) -> bool {
        let mut only = true;
        for_each_member(self.text, object, |key, _| only &= *key == *name.as_bytes());
        only
    }

    // === edits ===

    /// Keeps note of a change by the rule that is being applied, or of their number
    /// if there are too many.
    #[inline]
    pub(super) fn note(&mut self, place: Place, why: &'static str) {
        if self.spans.changes.len() < MAX_CHANGES {
            self.spans.changes.push(Change {
                rule: self.rule,
                place,
                why,
            });
        } else {
            self.spans.left_out += 1;
        }
    }

    /// As [`note`](Self::note), at a place that has to be written out.
    pub(super) fn note_at(&mut self, why: &'static str, pointer: impl FnOnce() -> String) {
        if self.spans.written < MAX_WRITTEN {
            let pointer = pointer();
            self.spans.written += pointer.len();
            self.note(Place::written(pointer), why);
        } else {
            self.spans.left_out += 1;
        }
    }

    /// Counts changes that are not listed.
    pub(super) const fn leave_out(&mut self, changes: usize) {
        self.spans.left_out += changes;
    }

    /// Counts a schema that stays unrepaired because the budget is spent.
    pub(super) const fn leave_schema(&mut self) {
        self.spans.schemas_left += 1;
    }

    pub(super) fn edits(&mut self) -> &mut Edits {
        &mut self.spans.edits
    }

    /// Gives a member of the request another value, or puts it in.
    pub(super) fn set(&mut self, field: Field, value: &'static str, why: &'static str) {
        match self.field(field) {
            Some(member) => self.spans.edits.replace(member.value.span, value),
            None => self.append_field(field, value),
        }
        self.note(Place::Field(field), why);
    }

    fn append_field(&mut self, field: Field, value: &'static str) {
        let Some(root) = self.spans.root else { return };
        self.spans.edits.append_member(root, field.key(), value);
    }

    /// Removes neighbouring tools. Nothing in them is looked at by the rules behind.
    pub(super) fn remove_tools(&mut self, indices: Range<usize>, why: &'static str) {
        let tools = &mut self.spans.tools[indices.clone()];
        if let (Some(first), Some(last)) = (tools.first(), tools.last()) {
            self.spans.edits.remove(Span {
                start: first.span.start,
                end: last.span.end,
            });
        }
        for tool in tools {
            tool.parameters = None;
        }
        for index in indices {
            self.note(Place::tool(index), why);
        }
    }

    /// Removes all members of an object that have this name.
    pub(super) fn remove_members(&mut self, object: Value, name: &str) {
        for_each_member(self.text, object, |key, member| {
            if *key == *name.as_bytes() {
                self.spans.edits.remove(member.span());
            }
        });
    }

    /// Removes a member of the request.
    pub(super) fn remove(&mut self, field: Field, why: &'static str) {
        if let Some(member) = self.spans.fields[field as usize].take() {
            self.spans.edits.remove(member.span());
            self.note(Place::Field(field), why);
        }
    }
}

/// A second look into an object that the walk skipped. Rules that need one look
/// into small and rare ones.
fn for_each_member(text: &[u8], object: Value, mut f: impl FnMut(&[u8], Member)) {
    if object.kind != Kind::Object {
        return;
    }
    let start = object.span.start;
    let moved = |span: Span| Span {
        start: span.start + start,
        end: span.end + start,
    };
    let inner = object.span.of(text);
    let mut look = || {
        let mut scanner = Scanner::new(inner)?;
        if scanner.open()? {
            loop {
                let key = scanner.key()?;
                let value = scanner.skip()?;
                let value = Value {
                    span: moved(value.span),
                    ..value
                };
                f(
                    &key.unescaped(inner),
                    Member {
                        key: moved(key.span),
                        value,
                    },
                );
                if !scanner.more(b'}')? {
                    break;
                }
            }
        }
        Ok::<_, crate::json::Error>(())
    };
    // The walk has validated it.
    let looked = look();
    debug_assert!(looked.is_ok());
}
