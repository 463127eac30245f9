//! The pass that parses an answer.

use super::{Answer, Call, Choice, MAX_ITEMS, whole};
use crate::json::{Backend, Error, Kind, Member, Pass, Scanner, Span, Value};

/// Parses a text into an [`Answer`]. Returns whether it is an object.
pub(super) struct Parse<'r> {
    pub(super) answer: &'r mut Answer,
    /// The offset of the JSON in the text that spans refer to.
    pub(super) base: u32,
}

impl Pass for Parse<'_> {
    type Output = Result<bool, Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Result<bool, Error> {
        Walk {
            scanner,
            answer: self.answer,
            base: self.base,
        }
        .root()
    }
}

struct Walk<'a, 'r, B> {
    scanner: Scanner<'a, B>,
    answer: &'r mut Answer,
    base: u32,
}

/// Parses an object member by member, and any other value as a whole. `$key` is the
/// unescaped key, and `$member` has to parse the value.
///
/// A macro instead of a function with a closure, because only code that is inlined into
/// `Parse::run` is compiled for the instructions of the back end.
macro_rules! object {
    ($walk:ident, |$key:ident, $span:ident| $member:expr) => {{
        let kind = $walk.scanner.peek()?;
        let start = $walk.scanner.pos();
        if kind != Kind::Object {
            $walk.scanner.skip_peeked(kind)?;
        } else if $walk.scanner.open()? {
            loop {
                let key = $walk.scanner.key()?;
                let $span = key.span;
                let $key = key.unescaped($walk.scanner.text());
                $member;
                if !$walk.scanner.more(b'}')? {
                    break;
                }
            }
        }
        $walk.value(kind, start)
    }};
}

/// Parses an array element by element, and any other value as a whole.
macro_rules! array {
    ($walk:ident, $element:expr) => {{
        let kind = $walk.scanner.peek()?;
        let start = $walk.scanner.pos();
        if kind != Kind::Array {
            $walk.scanner.skip_peeked(kind)?;
        } else if $walk.scanner.open()? {
            loop {
                $element;
                if !$walk.scanner.more(b']')? {
                    break;
                }
            }
        }
        $walk.value(kind, start)
    }};
}

impl<B: Backend> Walk<'_, '_, B> {
    #[inline(always)]
    fn root(&mut self) -> Result<bool, Error> {
        let object = object!(self, |key, span| match &*key {
            b"choices" => self.choices()?,
            b"model" => self.answer.model = Some(self.skip()?),
            b"usage" => self.answer.usage = Some(self.member(span)?),
            b"error" => {
                let error = self.skip()?;
                self.answer.error = (error.kind != Kind::Null).then_some(error);
            }
            _ => drop(self.scanner.skip()?),
        });
        self.scanner.finish()?;
        self.answer.object = object.span;
        Ok(object.kind == Kind::Object)
    }

    #[inline(always)]
    fn choices(&mut self) -> Result<(), Error> {
        // If the key appears twice, the last one wins.
        self.answer.choices.clear();
        self.answer.calls.clear();
        let array = array!(self, self.choice()?);
        let is_array = array.kind == Kind::Array;
        self.answer.choices_array = is_array.then_some(array);
        Ok(())
    }

    #[inline(always)]
    fn choice(&mut self) -> Result<(), Error> {
        let calls = self.answer.calls.len();
        let mut choice = Choice {
            index: self.answer.choices.len() as u32,
            usage: None,
            content: None,
            reasoning_content: None,
            finish_reason: None,
            calls: calls..calls,
        };
        let element = object!(self, |key, _span| match &*key {
            b"index" => {
                let index = self.scanner.skip()?;
                if let Some(index) = whole(index, self.scanner.text()) {
                    choice.index = index;
                }
            }
            b"delta" | b"message" => self.delta(&mut choice)?,
            b"finish_reason" => choice.finish_reason = Some(self.skip()?),
            b"usage" => choice.usage = Some(self.skip()?),
            _ => drop(self.scanner.skip()?),
        });
        if element.kind == Kind::Object && self.answer.choices.len() <= MAX_ITEMS {
            self.answer.choices.push(choice);
        }
        Ok(())
    }

    #[inline(always)]
    fn delta(&mut self, choice: &mut Choice) -> Result<(), Error> {
        object!(self, |key, _span| match &*key {
            b"content" => choice.content = Some(self.skip()?),
            b"reasoning_content" => choice.reasoning_content = Some(self.skip()?),
            b"tool_calls" => {
                self.answer.calls.truncate(choice.calls.start);
                array!(self, self.call()?);
                choice.calls.end = self.answer.calls.len();
            }
            _ => drop(self.scanner.skip()?),
        });
        Ok(())
    }

    #[inline(always)]
    fn call(&mut self) -> Result<(), Error> {
        let mut call = Call::default();
        let element = object!(self, |key, span| match &*key {
            b"index" => call.index = Some(self.skip()?),
            b"id" => call.id = Some(self.member(span)?),
            b"function" => {
                object!(self, |key, span| match &*key {
                    b"name" => call.name = Some(self.member(span)?),
                    b"arguments" => call.arguments = Some(self.skip()?),
                    _ => drop(self.scanner.skip()?),
                });
            }
            _ => drop(self.scanner.skip()?),
        });
        if element.kind == Kind::Object && self.answer.calls.len() <= MAX_ITEMS {
            call.object = element.span;
            self.answer.calls.push(call);
        }
        Ok(())
    }

    #[inline(always)]
    fn skip(&mut self) -> Result<Value, Error> {
        let value = self.scanner.skip()?;
        Ok(Value {
            span: self.shifted(value.span),
            ..value
        })
    }

    #[inline(always)]
    fn member(&mut self, key: Span) -> Result<Member, Error> {
        Ok(Member {
            key: self.shifted(key),
            value: self.skip()?,
        })
    }

    /// The value that was parsed from `start` on.
    #[inline(always)]
    fn value(&self, kind: Kind, start: usize) -> Value {
        Value {
            kind,
            span: self.shifted(Span::new(start, self.scanner.pos())),
            escaped: false,
        }
    }

    #[inline(always)]
    const fn shifted(&self, span: Span) -> Span {
        Span {
            start: span.start + self.base,
            end: span.end + self.base,
        }
    }
}
