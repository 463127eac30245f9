//! What a rule works on: the request as spans, what is known of the model, and
//! the edits so far.
//!
//! Rules don't ask one another: what several of them want to know of the request as
//! it will be sent is a method here.

mod contents;
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
    words::ThinkingField,
};
use crate::{
    json::{Edits, Kind, Member, Scanner, Span, Str, Text, Value, number},
    model::Family,
    overrides::Overrides,
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
    pub(super) overrides: Overrides<'a>,
    /// The rule that is being applied.
    pub(super) rule: Rule,
    /// What the model accepts.
    pub(super) family: &'static Family,
    /// Whether the model will think before it answers. Settled by the rules for
    /// `thinking`, `reasoning_effort` and `tool_choice`; all others come after them.
    pub(super) thinks: bool,
    /// Whether a rule has put another value in the place of `thinking`.
    thinking_is_replaced: bool,
    /// `thinking`, if a rule has removed it.
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

    /// Another model than the one in the body: an alias.
    pub(super) fn set_family(&mut self, id: &str) {
        self.family = Family::of(id);
        self.thinks = self.asked_to_think();
    }

    /// Edits what was left to the end.
    pub(super) fn finish(mut self) {
        if self.removed_thinking.is_some() || self.thinking_removed != 0 {
            self.finish_thinking();
        }
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
        self.spans.message_fields[self.spans.fields_of(index)]
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
        &self.spans.parts[self.spans.parts_of(index)]
    }

    pub(super) fn calls(&self, index: usize) -> &[Call] {
        &self.spans.calls[self.spans.calls_of(index)]
    }

    /// The calls of all messages.
    pub(super) fn all_calls(&self) -> &[Call] {
        &self.spans.calls
    }

    /// The calls of all messages, the text that they are in, and room for telling
    /// their ids apart.
    pub(super) fn calls_and_distinct(&mut self) -> (&[Call], &'a [u8], &mut Distinct) {
        (&self.spans.calls, self.text, &mut self.spans.distinct)
    }

    /// The `json_schema` of a `response_format` of that type, if it is an object.
    pub(super) fn json_schema(&self) -> Option<&JsonSchema> {
        let schema = self.spans.json_schema.as_ref();
        schema.filter(|_| self.spans.format_is_schema)
    }

    /// The schema in `response_format` that Moonshot validates. One that isn't
    /// `strict` may say what it wants (vendor's suite).
    pub(super) fn response_schema(&self) -> Option<Schema> {
        let format = self.json_schema()?;
        let is_free = format
            .strict
            .is_some_and(|strict| strict.value.kind == Kind::False);
        format.schema.filter(|_| !is_free)
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

    /// What a string says, in UTF-8; as it stands, in quotes, if it is no text.
    pub(super) fn text_or_raw(&self, string: Str) -> Cow<'a, [u8]> {
        string.unescaped(self.text)
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

    /// The members of an object, in order, and whether the name of each is one of
    /// these.
    pub(super) fn members(&self, object: Value, names: &[&str]) -> Vec<(Member, bool)> {
        let mut members = Vec::new();
        for_each_member(self.text, object, |key, member| {
            let is_one = names.iter().any(|name| *key == *name.as_bytes());
            members.push((member, is_one));
        });
        members
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

    /// The elements of an array; none if it is something else.
    pub(super) fn elements(&self, array: Value) -> Vec<Value> {
        let mut elements = Vec::new();
        for_each_element(self.text, array, |element| elements.push(element));
        elements
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

    /// Hands out stretches of the text as they are with the edits so far, and the
    /// number of each. The spans are to be sorted.
    pub(super) fn for_each_edited(&self, spans: &[Span], f: impl FnMut(usize, Bytes)) {
        self.spans.edits.for_each_edited(self.text, spans, f);
    }

    pub(super) fn edits(&mut self) -> &mut Edits {
        &mut self.spans.edits
    }

    /// Gives a member of the request another value, or puts it in.
    pub(super) fn set(&mut self, field: Field, value: impl Into<Text>, why: &'static str) {
        match self.field(field) {
            Some(member) => self.spans.edits.replace(member.value.span, value),
            None => self.append_field(field, value),
        }
        self.note(Place::Field(field), why);
    }

    pub(super) fn append_field(&mut self, field: Field, value: impl Into<Text>) {
        let Some(root) = self.spans.root else { return };
        self.spans.edits.append_member(root, field.key(), value);
    }

    /// Removes all members of an object that have this name.
    pub(super) fn remove_members(&mut self, object: Value, name: &str) {
        for_each_member(self.text, object, |key, member| {
            if *key == *name.as_bytes() {
                self.spans.edits.remove(member.span());
            }
        });
    }

    /// Gives the member of an object that has this name another value. Of several
    /// the last one stays.
    pub(super) fn replace_members(&mut self, object: Value, name: &str, value: &'static str) {
        let mut last: Option<Member> = None;
        for_each_member(self.text, object, |key, member| {
            if *key == *name.as_bytes() {
                if let Some(earlier) = last.replace(member) {
                    self.spans.edits.remove(earlier.span());
                }
            }
        });
        if let Some(last) = last {
            self.spans.edits.replace(last.value.span, value);
        }
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
    let inner = object.span.of(text);
    let mut look = || {
        let mut scanner = Scanner::new(inner)?;
        if scanner.open()? {
            loop {
                let key = scanner.key()?;
                let value = moved(scanner.skip()?, start);
                let member = Member {
                    key: key.span.moved(start),
                    value,
                };
                f(&key.unescaped(inner), member);
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

/// As [`for_each_member`], into an array.
fn for_each_element(text: &[u8], array: Value, mut f: impl FnMut(Value)) {
    if array.kind != Kind::Array {
        return;
    }
    let start = array.span.start;
    let mut look = || {
        let mut scanner = Scanner::new(array.span.of(text))?;
        if scanner.open()? {
            loop {
                f(moved(scanner.skip()?, start));
                if !scanner.more(b']')? {
                    break;
                }
            }
        }
        Ok::<_, crate::json::Error>(())
    };
    let looked = look();
    debug_assert!(looked.is_ok());
}

fn moved(value: Value, by: u32) -> Value {
    Value {
        span: value.span.moved(by),
        ..value
    }
}
