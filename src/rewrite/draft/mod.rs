//! What a rule works on: the request as spans, the model's family, and the edits so far.
//!
//! Rules don't call each other. What several of them ask about the rewritten request is
//! a method here.

mod contents;
mod members;
mod thinking;
mod tools;

use std::borrow::Cow;

use bytes::Bytes;

pub(super) use self::tools::ToolList;
use super::{
    Change, Rule, Settings,
    change::Place,
    chat::{Call, Contents, Field, JsonSchema, Message, MessageField, Part, Role, Schema, Spans},
    distinct::Distinct,
    keys::ThinkingField,
};
use crate::{
    json::{Edits, Kind, Member, Span, Str, Text, Value, number},
    model::Family,
    overrides::Overrides,
};

/// The most changes that are listed. Further ones are counted.
const MAX_CHANGES: usize = 1_000;

/// The most bytes in the places of changes that are stored as text.
const MAX_WRITTEN: usize = 64 * 1024;

/// A request that is being rewritten.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    text: &'a Bytes,
    spans: &'a mut Spans,
    pub(super) settings: &'a Settings,
    pub(super) overrides: Overrides<'a>,
    /// The rule that is being applied.
    pub(super) rule: Rule,
    /// What the model accepts.
    pub(super) family: &'static Family,
    /// Whether the model will think before it answers. Final after the rules
    /// `thinking`, `reasoning_effort` and `tool_choice`.
    pub(super) thinks: bool,
    /// Whether a rule has replaced the value of `thinking`.
    thinking_is_replaced: bool,
    /// `thinking` as it was sent, if a rule has removed it.
    removed_thinking: Option<Member>,
    /// The members of `thinking` that rules have removed, one bit for each.
    thinking_removed: u32,
    contents: Contents,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        text: &'a Bytes,
        spans: &'a mut Spans,
        settings: &'a Settings,
        overrides: Overrides<'a>,
    ) -> Self {
        let mut contents = spans.contents;
        if contents.any_array {
            contents.add_parts(&spans.parts);
        }
        let mut draft = Self {
            contents,
            text,
            spans,
            settings,
            overrides,
            rule: Rule::Model,
            family: Family::unknown(),
            thinks: false,
            thinking_is_replaced: false,
            removed_thinking: None,
            thinking_removed: 0,
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

    /// Sets the model that the request is sent to, if it is not the one in the body.
    pub(super) fn set_family(&mut self, id: &str) {
        self.family = Family::of(id);
        self.thinks = self.asked_to_think();
    }

    /// Makes the edits that were left to the end.
    pub(super) fn finish(mut self) {
        if self.removed_thinking.is_some() || self.thinking_removed != 0 {
            self.finish_thinking();
        }
    }

    // === the request ===

    /// A member of the request, unless a rule has removed it.
    pub(super) fn field(&self, field: Field) -> Option<Member> {
        self.spans.fields[field as usize]
    }

    /// As [`field`](Self::field), but null counts as absent.
    pub(super) fn given(&self, field: Field) -> Option<Member> {
        self.field(field)
            .filter(|member| member.value.kind != Kind::Null)
    }

    pub(super) fn message_count(&self) -> usize {
        self.spans.messages.len()
    }

    /// Whether any message has this field.
    pub(super) const fn any_message_has(&self, field: MessageField) -> bool {
        self.spans.fields_seen & field.bit() != 0
    }

    /// Whether any message has this role.
    pub(super) const fn any_message_is(&self, role: Role) -> bool {
        self.spans.roles_seen & role.bit() != 0
    }

    pub(super) fn message(&self, index: usize) -> &Message {
        &self.spans.messages[index]
    }

    pub(super) fn message_field(&self, index: usize, field: MessageField) -> Option<Member> {
        self.spans.message_fields[self.spans.fields_of(index)]
            .iter()
            .find(|(known, _)| *known == field)
            .map(|&(_, member)| member)
    }

    pub(super) fn role(&self, index: usize) -> Option<Role> {
        self.message(index).role
    }

    /// Whether the message has at least one tool call.
    pub(super) fn calls_tools(&self, index: usize) -> bool {
        !self.calls(index).is_empty()
    }

    /// Whether the message is a prefill, which the model continues.
    pub(super) fn is_partial(&self, index: usize) -> bool {
        self.message_field(index, MessageField::Partial)
            .is_some_and(|partial| partial.value.kind == Kind::True)
    }

    /// The parts of a message's content, if that is an array.
    pub(super) fn parts(&self, index: usize) -> &[Part] {
        &self.spans.parts[self.spans.parts_of(index)]
    }

    pub(super) fn calls(&self, index: usize) -> &[Call] {
        &self.spans.calls[self.spans.calls_of(index)]
    }

    /// The calls of all messages.
    pub(super) fn all_calls(&self) -> &[Call] {
        &self.spans.calls
    }

    /// The calls of all messages, the body, and the table for comparing their ids.
    pub(super) fn calls_and_distinct(&mut self) -> (&[Call], &'a [u8], &mut Distinct) {
        (&self.spans.calls, self.text, &mut self.spans.distinct)
    }

    /// The `json_schema` of a `response_format` with this type, if it is an object.
    pub(super) fn json_schema(&self) -> Option<&JsonSchema> {
        let schema = self.spans.json_schema.as_ref();
        schema.filter(|_| self.spans.format_is_schema)
    }

    /// The schema in `response_format`, if Moonshot validates it: it does not if `strict`
    /// is false (vendor's suite).
    pub(super) fn response_schema(&self) -> Option<Schema> {
        let format = self.json_schema()?;
        let is_free = format
            .strict
            .is_some_and(|strict| strict.value.kind == Kind::False);
        format.schema.filter(|_| !is_free)
    }

    // === values ===

    /// A slice of the body, without a copy.
    pub(super) fn slice(&self, span: Span) -> Text {
        Text::from(self.text.slice(span.range()))
    }

    /// The bytes of the body at `span`.
    pub(super) fn raw(&self, span: Span) -> &'a [u8] {
        span.of(self.text)
    }

    /// The unescaped text of a string. `None` if the value is not a string, or its escapes
    /// are not valid Unicode.
    #[inline]
    pub(super) fn string(&self, value: Value) -> Option<Cow<'a, [u8]>> {
        self.text(value.as_str()?)
    }

    /// The unescaped text of a string. `None` if its escapes are not valid Unicode.
    #[inline]
    pub(super) fn text(&self, string: Str) -> Option<Cow<'a, [u8]>> {
        match string.unescaped(self.text) {
            Cow::Borrowed(_) if string.escaped => None,
            text => Some(text),
        }
    }

    /// The unescaped text of a string. If its escapes are not valid Unicode, the quoted
    /// string as it was sent.
    pub(super) fn text_or_raw(&self, string: Str) -> Cow<'a, [u8]> {
        string.unescaped(self.text)
    }

    /// Whether a value is a string with this text.
    pub(super) fn is_string(&self, value: Value, text: &str) -> bool {
        value
            .as_str()
            .is_some_and(|string| string.says(text.as_bytes(), self.text))
    }

    /// The value of a number. `None` if the value is not a number.
    pub(super) fn number(&self, value: Value) -> Option<f64> {
        (value.kind == Kind::Number).then(|| number(self.raw(value.span)))?
    }

    // === edits ===

    /// Reports a change by the rule that is being applied. If there are too many changes,
    /// it is only counted.
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

    /// As [`note`](Self::note), at a place that is given as a pointer.
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

    /// Counts a schema that is left unrepaired because the budget is spent.
    pub(super) const fn leave_schema(&mut self) {
        self.spans.schemas_left += 1;
    }

    /// Calls `f` with the index of each span and its text after the edits so far. The
    /// spans must be sorted.
    pub(super) fn for_each_edited(&self, spans: &[Span], f: impl FnMut(usize, Bytes)) {
        self.spans.edits.for_each_edited(self.text, spans, f);
    }

    pub(super) fn edits(&mut self) -> &mut Edits {
        &mut self.spans.edits
    }

    /// Replaces a member of the request, or inserts it.
    pub(super) fn set(&mut self, field: Field, value: impl Into<Text>, why: &'static str) {
        match self.field(field) {
            Some(member) => self.spans.edits.replace(member.value.span, value),
            None => self.append_field(field, value),
        }
        self.note(Place::Field(field), why);
    }

    /// Appends a member to the request, without reporting a change.
    pub(super) fn append_field(&mut self, field: Field, value: impl Into<Text>) {
        let Some(root) = self.spans.root else { return };
        self.spans.edits.append_member(root, field.key(), value);
    }

    /// Removes a member of the request.
    pub(super) fn remove(&mut self, field: Field, why: &'static str) {
        if let Some(member) = self.spans.fields[field as usize].take() {
            self.spans.edits.remove(member.span());
            self.note(Place::Field(field), why);
        }
    }
}
