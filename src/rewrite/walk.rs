//! The walk over the body: validates all of it, and records what rules look at.

use std::borrow::Cow;

use super::{
    NotAChat,
    chat::{Call, Field, Message, MessageField, Part, Role, Schema, Spans, Tool},
    tool_schema::{Use, look},
};
use crate::json::{Error, Kind, Member, Scanner, Span, Str, Value};

/// Walks `text` into `spans`, which must be empty.
pub(super) fn walk(text: &[u8], spans: &mut Spans) -> Result<(), NotAChat> {
    let scanner = Scanner::new(text).map_err(NotAChat::Invalid)?;
    let mut walk = Walk { scanner, spans };
    walk.request().map_err(NotAChat::Invalid)?;
    let messages = walk.spans.fields[Field::Messages as usize];
    if messages.is_some_and(|messages| messages.value.kind == Kind::Array) {
        Ok(())
    } else {
        Err(NotAChat::OtherJson)
    }
}

struct Walk<'a, 's> {
    scanner: Scanner<'a>,
    spans: &'s mut Spans,
}

impl Walk<'_, '_> {
    fn request(&mut self) -> Result<(), Error> {
        if self.scanner.peek()? != Kind::Object {
            self.scanner.skip()?;
            return self.scanner.finish();
        }
        let root = self.object(|walk, key| {
            let Some(field) = Field::of(&walk.name(key)) else {
                return walk.scanner.skip().map(drop);
            };
            let earlier = walk.spans.fields[field as usize];
            let member = walk.member(key, earlier, |walk| match field {
                Field::Messages => walk.messages(),
                Field::Tools => walk.tools(),
                Field::ResponseFormat => walk.response_format(),
                _ => walk.scanner.skip(),
            })?;
            walk.spans.fields[field as usize] = Some(member);
            Ok(())
        })?;
        self.spans.root = Some(root.span);
        self.scanner.finish()
    }

    fn messages(&mut self) -> Result<Value, Error> {
        // Of two arrays of messages the last counts.
        self.spans.messages.clear();
        self.spans.message_fields.clear();
        self.spans.parts.clear();
        self.spans.calls.clear();
        self.array(|walk| {
            let fields = walk.spans.message_fields.len();
            let parts = walk.spans.parts.len();
            let calls = walk.spans.calls.len();
            let message = walk.object(|walk, key| {
                let Some(field) = MessageField::of(&walk.name(key)) else {
                    return walk.scanner.skip().map(drop);
                };
                let slot = walk.spans.message_fields[fields..]
                    .iter()
                    .position(|(known, _)| *known == field);
                let earlier = slot.map(|slot| walk.spans.message_fields[fields + slot].1);
                let member = walk.member(key, earlier, |walk| match field {
                    MessageField::Content => {
                        walk.spans.parts.truncate(parts);
                        walk.array(Self::part)
                    }
                    MessageField::ToolCalls => {
                        walk.spans.calls.truncate(calls);
                        walk.array(Self::call)
                    }
                    _ => walk.scanner.skip(),
                })?;
                match slot {
                    Some(slot) => walk.spans.message_fields[fields + slot].1 = member,
                    None => walk.spans.message_fields.push((field, member)),
                }
                Ok(())
            })?;
            let role = walk.spans.message_fields[fields..]
                .iter()
                .find(|(field, _)| *field == MessageField::Role)
                .and_then(|(_, role)| role.value.as_str());
            walk.spans.messages.push(Message {
                span: message.span,
                role: role.map_or(Role::Other, |role| Role::of(&walk.name(role))),
                fields: range(fields, walk.spans.message_fields.len()),
                parts: range(parts, walk.spans.parts.len()),
                calls: range(calls, walk.spans.calls.len()),
            });
            Ok(())
        })
    }

    fn part(&mut self) -> Result<(), Error> {
        let mut kind = None;
        let mut text = None;
        let mut refusal = None;
        let part = self.object(|walk, key| {
            let slot = match &*walk.name(key) {
                b"type" => &mut kind,
                b"text" => &mut text,
                b"refusal" => &mut refusal,
                _ => return walk.scanner.skip().map(drop),
            };
            *slot = Some(walk.scanner.skip()?);
            Ok(())
        })?;
        let text = match kind.and_then(Value::as_str).map(|kind| self.name(kind)) {
            Some(kind) if *kind == *b"text" => text.and_then(Value::as_str),
            Some(kind) if *kind == *b"refusal" => refusal.and_then(Value::as_str),
            _ => None,
        };
        self.spans.parts.push(Part {
            span: part.span,
            text,
        });
        Ok(())
    }

    fn call(&mut self) -> Result<(), Error> {
        let mut id = None;
        self.object(|walk, key| {
            let is_id = *walk.name(key) == *b"id";
            let value = walk.scanner.skip()?;
            if is_id {
                id = value.as_str();
            }
            Ok(())
        })?;
        self.spans.calls.push(Call { id });
        Ok(())
    }

    fn tools(&mut self) -> Result<Value, Error> {
        self.spans.tools.clear();
        self.array(|walk| {
            let mut function = None;
            let mut name = None;
            let mut parameters = None;
            let tool = walk.object(|walk, key| {
                if *walk.name(key) != *b"function" {
                    return walk.scanner.skip().map(drop);
                }
                name = None;
                parameters = None;
                let member = walk.member(key, function, |walk| {
                    walk.function(&mut name, &mut parameters)
                })?;
                function = Some(member);
                Ok(())
            })?;
            walk.spans.tools.push(Tool {
                span: tool.span,
                name,
                parameters,
            });
            Ok(())
        })
    }

    fn function(
        &mut self,
        name: &mut Option<Str>,
        parameters: &mut Option<Schema>,
    ) -> Result<Value, Error> {
        let mut earlier = None;
        self.object(|walk, key| {
            match &*walk.name(key) {
                b"name" => *name = walk.scanner.skip()?.as_str(),
                b"parameters" => {
                    let member = walk.member(key, earlier, |walk| {
                        let (value, schema) = walk.schema(Use::Tool)?;
                        *parameters = schema;
                        Ok(value)
                    })?;
                    earlier = Some(member);
                }
                _ => drop(walk.scanner.skip()?),
            }
            Ok(())
        })
    }

    fn response_format(&mut self) -> Result<Value, Error> {
        self.spans.response_schema = None;
        let mut format = None;
        self.object(|walk, key| {
            if *walk.name(key) != *b"json_schema" {
                return walk.scanner.skip().map(drop);
            }
            walk.spans.response_schema = None;
            let member = walk.member(key, format, |walk| {
                let mut earlier = None;
                walk.object(|walk, key| {
                    if *walk.name(key) != *b"schema" {
                        return walk.scanner.skip().map(drop);
                    }
                    let member = walk.member(key, earlier, |walk| {
                        let (value, schema) = walk.schema(Use::Format)?;
                        walk.spans.response_schema = schema;
                        Ok(value)
                    })?;
                    earlier = Some(member);
                    Ok(())
                })
            })?;
            format = Some(member);
            Ok(())
        })
    }

    /// Reads what should be a schema, and looks at it on the way.
    fn schema(&mut self, usage: Use) -> Result<(Value, Option<Schema>), Error> {
        let (value, doubtful) = look(&mut self.scanner, &mut self.spans.scratch, usage)?;
        let span = value.span;
        let schema = (value.kind == Kind::Object).then_some(Schema { span, doubtful });
        Ok((value, schema))
    }

    /// Reads an object, member by member. Anything else is skipped.
    #[inline]
    fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Str) -> Result<(), Error>,
    ) -> Result<Value, Error> {
        let kind = self.scanner.peek()?;
        if kind != Kind::Object {
            return self.scanner.skip();
        }
        let start = self.scanner.pos();
        if self.scanner.open()? {
            loop {
                let key = self.scanner.key()?;
                member(self, key)?;
                if !self.scanner.more(b'}')? {
                    break;
                }
            }
        }
        let span = Span::new(start, self.scanner.pos());
        Ok(Value {
            kind,
            span,
            escaped: false,
        })
    }

    /// Reads an array, element by element. Anything else is skipped.
    #[inline]
    fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<Value, Error> {
        let kind = self.scanner.peek()?;
        if kind != Kind::Array {
            return self.scanner.skip();
        }
        let start = self.scanner.pos();
        if self.scanner.open()? {
            loop {
                element(self)?;
                if !self.scanner.more(b']')? {
                    break;
                }
            }
        }
        let span = Span::new(start, self.scanner.pos());
        Ok(Value {
            kind,
            span,
            escaped: false,
        })
    }

    /// Reads the value of a member that rules look at, and keeps note of an
    /// earlier one with the same key.
    #[inline]
    fn member(
        &mut self,
        key: Str,
        earlier: Option<Member>,
        value: impl FnOnce(&mut Self) -> Result<Value, Error>,
    ) -> Result<Member, Error> {
        // In the list before whatever is found inside, to keep it sorted.
        let duplicate = earlier.map(|earlier| {
            self.spans.duplicates.push((earlier, earlier));
            self.spans.duplicates.len() - 1
        });
        let member = Member {
            key: key.span,
            value: value(self)?,
        };
        if let Some(duplicate) = duplicate {
            self.spans.duplicates[duplicate].0 = member;
        }
        Ok(member)
    }

    #[inline]
    fn name(&self, key: Str) -> Cow<'_, [u8]> {
        key.unescaped(self.scanner.text())
    }
}

fn range(start: usize, end: usize) -> std::ops::Range<u32> {
    let span = Span::new(start, end);
    span.start..span.end
}
