//! Validates the whole body, and records the spans that rules look at.

use super::{
    NotAChat,
    chat::{Call, JsonSchema, Message, Part, PartKind, Schema, Spans},
    keys::{
        CallField, Field, FormatField, FormatType, JsonSchemaField, MessageField, PartField,
        PartType, Role,
    },
};
use crate::{
    json::{self, Backend, Error, Kind, Member, Pass, Scanner, Span, Str, Value, push},
    schema::{Use, prescan},
};

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

/// The walk, as a pass over the text.
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

/// Reads an object, key by key. Skips any other value.
///
/// A macro, because a closure might not be inlined into `Request::run`: only what is
/// part of that is compiled for the instruction set of the backend.
macro_rules! object {
    ($walk:ident, $keys:ident, |$key:ident, $word:ident| $member:expr) => {{
        let kind = $walk.scanner.peek()?;
        if kind == Kind::Object {
            let start = $walk.scanner.pos();
            if $walk.scanner.open()? {
                loop {
                    let ($word, $key) = $keys::read_key(&mut $walk.scanner)?;
                    $member;
                    if !$walk.scanner.more(b'}')? {
                        break;
                    }
                }
            }
            $walk.value(Kind::Object, start)
        } else {
            $walk.scanner.skip_peeked(kind)?
        }
    }};
}

/// Reads an array, element by element. Skips any other value.
macro_rules! array {
    ($walk:ident, $element:expr) => {{
        let kind = $walk.scanner.peek()?;
        if kind == Kind::Array {
            let start = $walk.scanner.pos();
            if $walk.scanner.open()? {
                loop {
                    $element;
                    if !$walk.scanner.more(b']')? {
                        break;
                    }
                }
            }
            $walk.value(Kind::Array, start)
        } else {
            $walk.scanner.skip_peeked(kind)?
        }
    }};
}

/// Reads a value that is usually one of a few words. Returns the word, if it is one, and
/// the value.
macro_rules! word {
    ($walk:ident, $words:ident) => {{
        $walk.scanner.next();
        match $words::take(&mut $walk.scanner) {
            Some((word, Str { span, escaped })) => {
                let kind = Kind::String;
                let value = Value {
                    kind,
                    span,
                    escaped,
                };
                (Some(word), value)
            }
            None => {
                let value = $walk.scanner.skip()?;
                let word = match value.as_str() {
                    Some(word) => $words::of(word, $walk.scanner.text()),
                    None => None,
                };
                (word, value)
            }
        }
    }};
}

mod tools;

use self::tools::{List, Tools};

impl<B: Backend> Walk<'_, '_, B> {
    #[inline(always)]
    fn request(&mut self) -> Result<(), Error> {
        let root = object!(self, Field, |key, field| {
            match field {
                Some(field) => self.field(field, key)?,
                None => drop(self.scanner.skip()?),
            }
        });
        self.spans.root = Some(root.span);
        self.scanner.finish()
    }

    #[inline(always)]
    fn field(&mut self, field: Field, key: Str) -> Result<(), Error> {
        let earlier = self.spans.fields[field as usize];
        let duplicate = self.spans.duplicate(earlier);
        let value = match field {
            Field::Messages => self.messages()?,
            Field::Tools => {
                self.spans.tools.clear();
                self.scanner.call(Tools::new(self.spans, List::Request))?
            }
            Field::ResponseFormat => self.response_format()?,
            _ => self.scanner.skip()?,
        };
        let member = self.spans.member(key, value, duplicate);
        self.spans.fields[field as usize] = Some(member);
        Ok(())
    }

    #[inline(always)]
    fn messages(&mut self) -> Result<Value, Error> {
        // If `messages` appears twice, the last one wins.
        self.spans.forget_messages();
        Ok(array!(self, self.message()?))
    }

    #[inline(always)]
    fn message(&mut self) -> Result<(), Error> {
        let fields = self.spans.message_fields.len();
        let parts = self.spans.parts.len();
        let calls = self.spans.calls.len();
        let tools = self.spans.message_tools.len();
        let mut role = None;
        let mut seen = 0;
        let message = object!(self, MessageField, |key, field| {
            match field {
                None => drop(self.scanner.skip()?),
                Some(field) => {
                    // A key that appears twice is rare. Only then its slot is searched.
                    let slot = if seen & field.bit() == 0 {
                        None
                    } else {
                        self.spans.slot(fields, field)
                    };
                    seen |= field.bit();
                    let earlier = slot.map(|slot| self.spans.message_fields[slot].1);
                    let duplicate = self.spans.duplicate(earlier);
                    let value = match field {
                        MessageField::Role => {
                            let value;
                            (role, value) = word!(self, Role);
                            value
                        }
                        MessageField::Content => {
                            self.spans.parts.truncate(parts);
                            let content = array!(self, self.part()?);
                            let has_parts = self.spans.parts.len() > parts;
                            self.spans.contents.add(content, has_parts);
                            content
                        }
                        MessageField::ToolCalls => {
                            self.spans.calls.truncate(calls);
                            array!(self, self.call()?)
                        }
                        MessageField::Tools => {
                            self.spans.message_tools.truncate(tools);
                            self.scanner.call(Tools::new(self.spans, List::Message))?
                        }
                        _ => self.scanner.skip()?,
                    };
                    let member = self.spans.member(key, value, duplicate);
                    match slot {
                        None => push(&mut self.spans.message_fields, (field, member)),
                        Some(slot) => self.spans.message_fields[slot].1 = member,
                    }
                }
            }
        });
        self.spans.fields_seen |= seen;
        self.spans.contents.any_is_nothing |= seen & MessageField::Content.bit() == 0;
        if let Some(role) = role {
            self.spans.roles_seen |= role.bit();
        }
        // The scanner rejects texts of 4 GiB and more, so these fit 32 bits.
        let [fields, parts, calls, tools] = [fields, parts, calls, tools].map(|at| at as u32);
        push(
            &mut self.spans.messages,
            Message {
                span: message.span,
                role,
                fields,
                parts,
                calls,
                tools,
            },
        );
        Ok(())
    }

    #[inline(always)]
    fn part(&mut self) -> Result<(), Error> {
        let mut kind = None;
        let mut text = None;
        let mut refusal = None;
        let part = object!(self, PartField, |_key, field| {
            match field {
                Some(PartField::Type) => kind = word!(self, PartType).0,
                Some(PartField::Text) => text = self.scanner.skip()?.as_str(),
                Some(PartField::Refusal) => refusal = self.scanner.skip()?.as_str(),
                Some(PartField::ReasoningContent) => {
                    self.spans.contents.any_part_thinks = true;
                    self.scanner.skip()?;
                }
                None => drop(self.scanner.skip()?),
            }
        });
        let text = match kind {
            Some(PartType::Text) => text,
            Some(PartType::Refusal) => refusal,
            _ => None,
        };
        let kind = match (text, kind) {
            (Some(text), _) => PartKind::Text(text),
            (None, Some(PartType::Thinking | PartType::Reasoning)) => {
                self.spans.contents.any_part_thinks = true;
                PartKind::Thought
            }
            (None, _) => PartKind::Other,
        };
        self.spans.parts.push(Part {
            span: part.span,
            kind,
        });
        Ok(())
    }

    #[inline(always)]
    fn call(&mut self) -> Result<(), Error> {
        let mut id: Option<Member> = None;
        let call = object!(self, CallField, |key, field| {
            match field {
                Some(CallField::Id) => {
                    let duplicate = self.spans.duplicate(id);
                    let value = self.scanner.skip()?;
                    id = Some(self.spans.member(key, value, duplicate));
                }
                None => drop(self.scanner.skip()?),
            }
        });
        self.spans.calls.push(Call {
            span: call.span,
            id: id.map(|id| id.value),
        });
        Ok(())
    }

    #[inline(always)]
    fn response_format(&mut self) -> Result<Value, Error> {
        self.spans.json_schema = None;
        self.spans.format_is_schema = false;
        let mut earlier = None;
        Ok(object!(self, FormatField, |key, field| {
            match field {
                Some(FormatField::Type) => {
                    let kind = word!(self, FormatType).0;
                    self.spans.format_is_schema = kind == Some(FormatType::JsonSchema);
                }
                Some(FormatField::JsonSchema) => {
                    let duplicate = self.spans.duplicate(earlier);
                    let value = self.json_schema()?;
                    earlier = Some(self.spans.member(key, value, duplicate));
                }
                None => drop(self.scanner.skip()?),
            }
        }))
    }

    #[inline(always)]
    fn json_schema(&mut self) -> Result<Value, Error> {
        let mut name = None;
        let mut strict = None;
        let mut schema = None;
        let mut earlier = None;
        let value = object!(self, JsonSchemaField, |key, field| {
            match field {
                Some(JsonSchemaField::Schema) => {
                    let duplicate = self.spans.duplicate(earlier);
                    let value;
                    (value, schema) = self.schema(Use::Format)?;
                    earlier = Some(self.spans.member(key, value, duplicate));
                }
                Some(JsonSchemaField::Name) => {
                    let duplicate = self.spans.duplicate(name);
                    let value = self.scanner.skip()?;
                    name = Some(self.spans.member(key, value, duplicate));
                }
                Some(JsonSchemaField::Strict) => {
                    let duplicate = self.spans.duplicate(strict);
                    let value = self.scanner.skip()?;
                    strict = Some(self.spans.member(key, value, duplicate));
                }
                None => drop(self.scanner.skip()?),
            }
        });
        self.spans.json_schema = (value.kind == Kind::Object).then_some(JsonSchema {
            span: value.span,
            name,
            strict,
            schema,
        });
        Ok(value)
    }

    /// Reads a schema, and checks on the way whether it may need a repair.
    #[inline(always)]
    fn schema(&mut self, usage: Use) -> Result<(Value, Option<Schema>), Error> {
        let (value, doubtful) = prescan(&mut self.scanner, &mut self.spans.scratch, usage)?;
        let span = value.span;
        let schema = (value.kind == Kind::Object).then_some(Schema { span, doubtful });
        Ok((value, schema))
    }

    /// The container that began at `start` and ends here.
    #[inline(always)]
    fn value(&self, kind: Kind, start: usize) -> Value {
        Value {
            kind,
            span: Span::new(start, self.scanner.pos()),
            escaped: false,
        }
    }
}
