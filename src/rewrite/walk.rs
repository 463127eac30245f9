//! The walk over the body: validates all of it, and records what rules look at.

use std::borrow::Cow;

use super::{
    NotAChat,
    chat::{Call, Field, Message, MessageField, Part, Role, Spans, Tool},
};
use crate::json::{self, Backend, Error, Kind, Member, Pass, Scanner, Span, Str, Value};

/// Walks `text` into `spans`, which must be empty.
pub(super) fn walk(text: &[u8], spans: &mut Spans) -> Result<(), NotAChat> {
    json::scan(text, Request { spans }).map_err(NotAChat::Invalid)?;
    let messages = spans.fields[Field::Messages as usize];
    if messages.is_some_and(|messages| messages.value.kind == Kind::Array) {
        Ok(())
    } else {
        Err(NotAChat::OtherJson)
    }
}

/// The walk as a pass over the text.
struct Request<'s> {
    spans: &'s mut Spans,
}

impl Pass for Request<'_> {
    type Output = Result<(), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Result<(), Error> {
        let spans = self.spans;
        Walk { scanner, spans }.request()
    }
}

struct Walk<'a, 's, B> {
    scanner: Scanner<'a, B>,
    spans: &'s mut Spans,
}

impl<B: Backend> Walk<'_, '_, B> {
    #[inline(always)]
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
            if *walk.name(key) != *b"id" {
                return walk.scanner.skip().map(drop);
            }
            id = Some(walk.member(key, id, |walk| walk.scanner.skip())?);
            Ok(())
        })?;
        let id = id.and_then(|id: Member| id.value.as_str());
        self.spans.calls.push(Call { id });
        Ok(())
    }

    fn tools(&mut self) -> Result<Value, Error> {
        self.spans.tools.clear();
        self.array(|walk| {
            let mut name = None;
            let tool = walk.object(|walk, key| {
                if *walk.name(key) != *b"function" {
                    return walk.scanner.skip().map(drop);
                }
                name = None;
                walk.object(|walk, key| {
                    let is_name = *walk.name(key) == *b"name";
                    let value = walk.scanner.skip()?;
                    if is_name {
                        name = value.as_str();
                    }
                    Ok(())
                })
                .map(drop)
            })?;
            walk.spans.tools.push(Tool {
                span: tool.span,
                name,
            });
            Ok(())
        })
    }

    /// Reads an object, member by member. Anything else is skipped.
    #[inline(always)]
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
    #[inline(always)]
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
    #[inline(always)]
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

    #[inline(always)]
    fn name(&self, key: Str) -> Cow<'_, [u8]> {
        key.unescaped(self.scanner.text())
    }
}

fn range(start: usize, end: usize) -> std::ops::Range<u32> {
    let span = Span::new(start, end);
    span.start..span.end
}
