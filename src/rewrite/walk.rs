//! The walk over the body: validates all of it, and records what rules look at.

use super::{
    NotAChat,
    chat::{Call, Field, Message, MessageField, Part, PartField, Role, Schema, Spans, Tool},
    tool_schema::{Use, look},
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

/// Reads an object, key by key. Anything else is skipped.
///
/// A macro and no function with a closure: only what becomes part of
/// `Request::run` is compiled for the instructions of the back end.
macro_rules! object {
    ($walk:ident, |$key:ident| $member:expr) => {
        if $walk.scanner.peek()? == Kind::Object {
            let start = $walk.scanner.pos();
            let mut more = $walk.scanner.open()?;
            while more {
                let $key = $walk.scanner.key()?;
                $member;
                more = $walk.scanner.more(b'}')?;
            }
            $walk.value(Kind::Object, start)
        } else {
            $walk.scanner.skip()?
        }
    };
}

/// Reads an array, element by element. Anything else is skipped.
macro_rules! array {
    ($walk:ident, $element:expr) => {
        if $walk.scanner.peek()? == Kind::Array {
            let start = $walk.scanner.pos();
            let mut more = $walk.scanner.open()?;
            while more {
                $element;
                more = $walk.scanner.more(b']')?;
            }
            $walk.value(Kind::Array, start)
        } else {
            $walk.scanner.skip()?
        }
    };
}

impl<B: Backend> Walk<'_, '_, B> {
    #[inline(always)]
    fn request(&mut self) -> Result<(), Error> {
        let root = object!(self, |key| self.field(key)?);
        self.spans.root = Some(root.span);
        self.scanner.finish()
    }

    #[inline(always)]
    fn field(&mut self, key: Str) -> Result<(), Error> {
        let Some(field) = Field::of(key, self.scanner.text()) else {
            return self.scanner.skip().map(drop);
        };
        let earlier = self.spans.fields[field as usize];
        let duplicate = self.duplicate(earlier);
        let value = match field {
            Field::Messages => self.messages()?,
            Field::Tools => self.tools()?,
            Field::ResponseFormat => self.response_format()?,
            _ => self.scanner.skip()?,
        };
        self.spans.fields[field as usize] = Some(self.member(key, value, duplicate));
        Ok(())
    }

    #[inline(always)]
    fn messages(&mut self) -> Result<Value, Error> {
        // Of two arrays of messages the last counts.
        self.spans.messages.clear();
        self.spans.message_fields.clear();
        self.spans.fields_seen = 0;
        self.spans.roles_seen = 0;
        self.spans.parts.clear();
        self.spans.calls.clear();
        Ok(array!(self, self.message()?))
    }

    #[inline(always)]
    fn message(&mut self) -> Result<(), Error> {
        let fields = self.spans.message_fields.len();
        let parts = self.spans.parts.len();
        let calls = self.spans.calls.len();
        let mut role = Role::Other;
        let message = object!(self, |key| {
            match MessageField::of(key, self.scanner.text()) {
                None => drop(self.scanner.skip()?),
                Some(field) => {
                    self.spans.fields_seen |= 1 << field as u16;
                    let slot = self.spans.message_fields[fields..]
                        .iter()
                        .position(|(known, _)| *known == field);
                    let earlier = slot.map(|slot| self.spans.message_fields[fields + slot].1);
                    let duplicate = self.duplicate(earlier);
                    let value = match field {
                        MessageField::Content => {
                            self.spans.parts.truncate(parts);
                            array!(self, self.part()?)
                        }
                        MessageField::ToolCalls => {
                            self.spans.calls.truncate(calls);
                            array!(self, self.call()?)
                        }
                        _ => self.scanner.skip()?,
                    };
                    if field == MessageField::Role {
                        role = value.as_str().map_or(Role::Other, |role| {
                            Role::of(&role.unescaped(self.scanner.text()))
                        });
                    }
                    let member = self.member(key, value, duplicate);
                    match slot {
                        Some(slot) => self.spans.message_fields[fields + slot].1 = member,
                        None => self.spans.message_fields.push((field, member)),
                    }
                }
            }
        });
        self.spans.roles_seen |= 1 << role as u8;
        self.spans.messages.push(Message {
            span: message.span,
            role,
            fields: range(fields, self.spans.message_fields.len()),
            parts: range(parts, self.spans.parts.len()),
            calls: range(calls, self.spans.calls.len()),
        });
        Ok(())
    }

    #[inline(always)]
    fn part(&mut self) -> Result<(), Error> {
        let mut kind = None;
        let mut text = None;
        let mut refusal = None;
        let part = object!(self, |key| {
            let key = PartField::of(key, self.scanner.text());
            let value = self.scanner.skip()?;
            match key {
                Some(PartField::Type) => kind = Some(value),
                Some(PartField::Text) => text = Some(value),
                Some(PartField::Refusal) => refusal = Some(value),
                None => {}
            }
        });
        // The key of what a part says is also its type.
        let kind = kind.and_then(Value::as_str);
        let text = match kind.and_then(|kind| PartField::of(kind, self.scanner.text())) {
            Some(PartField::Text) => text,
            Some(PartField::Refusal) => refusal,
            _ => None,
        };
        self.spans.parts.push(Part {
            span: part.span,
            text: text.and_then(Value::as_str),
        });
        Ok(())
    }

    #[inline(always)]
    fn call(&mut self) -> Result<(), Error> {
        let mut id: Option<Member> = None;
        object!(self, |key| {
            let is_id = key.says(b"id", self.scanner.text());
            let duplicate = self.duplicate(id.filter(|_| is_id));
            let value = self.scanner.skip()?;
            if is_id {
                id = Some(self.member(key, value, duplicate));
            }
        });
        let id = id.and_then(|id| id.value.as_str());
        self.spans.calls.push(Call { id });
        Ok(())
    }

    #[inline(always)]
    fn tools(&mut self) -> Result<Value, Error> {
        self.spans.tools.clear();
        Ok(array!(self, self.tool()?))
    }

    #[inline(always)]
    fn tool(&mut self) -> Result<(), Error> {
        let mut function = None;
        let mut name = None;
        let mut parameters = None;
        let tool = object!(self, |key| {
            if key.says(b"function", self.scanner.text()) {
                let duplicate = self.duplicate(function);
                let value = self.function(&mut name, &mut parameters)?;
                function = Some(self.member(key, value, duplicate));
            } else {
                self.scanner.skip()?;
            }
        });
        self.spans.tools.push(Tool {
            span: tool.span,
            name,
            parameters,
        });
        Ok(())
    }

    /// Reads a tool's function, for its name and its parameters.
    #[inline(always)]
    fn function(
        &mut self,
        name: &mut Option<Str>,
        parameters: &mut Option<Schema>,
    ) -> Result<Value, Error> {
        *name = None;
        *parameters = None;
        let mut earlier = None;
        Ok(object!(self, |key| {
            if key.says(b"name", self.scanner.text()) {
                *name = self.scanner.skip()?.as_str();
            } else if key.says(b"parameters", self.scanner.text()) {
                let duplicate = self.duplicate(earlier);
                let (value, schema) = self.schema(Use::Tool)?;
                *parameters = schema;
                earlier = Some(self.member(key, value, duplicate));
            } else {
                self.scanner.skip()?;
            }
        }))
    }

    #[inline(always)]
    fn response_format(&mut self) -> Result<Value, Error> {
        self.spans.response_schema = None;
        let mut earlier = None;
        Ok(object!(self, |key| {
            if key.says(b"json_schema", self.scanner.text()) {
                let duplicate = self.duplicate(earlier);
                let value = self.json_schema()?;
                earlier = Some(self.member(key, value, duplicate));
            } else {
                self.scanner.skip()?;
            }
        }))
    }

    #[inline(always)]
    fn json_schema(&mut self) -> Result<Value, Error> {
        self.spans.response_schema = None;
        let mut earlier = None;
        Ok(object!(self, |key| {
            if key.says(b"schema", self.scanner.text()) {
                let duplicate = self.duplicate(earlier);
                let (value, schema) = self.schema(Use::Format)?;
                self.spans.response_schema = schema;
                earlier = Some(self.member(key, value, duplicate));
            } else {
                self.scanner.skip()?;
            }
        }))
    }

    /// Reads what should be a schema, and looks at it on the way.
    #[inline(always)]
    fn schema(&mut self, usage: Use) -> Result<(Value, Option<Schema>), Error> {
        let (value, doubtful) = look(&mut self.scanner, &mut self.spans.scratch, usage)?;
        let span = value.span;
        let schema = (value.kind == Kind::Object).then_some(Schema { span, doubtful });
        Ok((value, schema))
    }

    /// The container that began at `start` and has just been closed.
    #[inline(always)]
    fn value(&self, kind: Kind, start: usize) -> Value {
        Value {
            kind,
            span: Span::new(start, self.scanner.pos()),
            escaped: false,
        }
    }

    /// Keeps note of an earlier member with the same key: in the list before
    /// whatever is found inside of the later one, to keep it sorted. Where in the
    /// list is for [`member`](Self::member).
    #[inline(always)]
    fn duplicate(&mut self, earlier: Option<Member>) -> Option<usize> {
        let earlier = earlier?;
        self.spans.duplicates.push((earlier, earlier));
        Some(self.spans.duplicates.len() - 1)
    }

    /// A member that rules look at, and the later one of a duplicate.
    #[inline(always)]
    fn member(&mut self, key: Str, value: Value, duplicate: Option<usize>) -> Member {
        let member = Member {
            key: key.span,
            value,
        };
        if let Some(duplicate) = duplicate {
            self.spans.duplicates[duplicate].0 = member;
        }
        member
    }
}

fn range(start: usize, end: usize) -> std::ops::Range<u32> {
    let span = Span::new(start, end);
    span.start..span.end
}
