//! The JSON of an answer: one chunk of a stream, or all of it.

use std::{borrow::Cow, ops::Range};

use crate::json::{self, Backend, Error, Kind, Member, Pass, Scanner, Span, Str, Value};

/// How many choices, and how many tool calls, are read in one chunk or answer.
/// One with more is not read at all: what is noted of each takes more memory than
/// its shortest spelling.
const MAX_ITEMS: usize = 1024;

/// Texts up to this length are read without a look at what the machine can do.
const SHORT: usize = 1024;

/// What matters in one chunk of a stream, or in one JSON answer, as spans of its
/// text. Kept from one chunk to the next for its memory.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// All of it.
    pub(crate) object: Span,
    pub(crate) model: Option<Value>,
    /// Unless it is null.
    pub(crate) error: Option<Value>,
    /// With null too.
    pub(crate) usage: Option<Member>,
    /// The array, where there is one.
    pub(crate) choices_array: Option<Value>,
    pub(crate) choices: Vec<Choice>,
    calls: Vec<Call>,
}

/// One of the choices.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Its `index`, or else its place in the array.
    pub(crate) index: u32,
    pub(crate) usage: Option<Value>,
    content: Option<Value>,
    reasoning_content: Option<Value>,
    finish_reason: Option<Value>,
    /// Of all that is noted of calls.
    calls: Range<usize>,
}

/// A tool call, or in a stream a fragment of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    pub(crate) object: Span,
    pub(crate) index: Option<Value>,
    pub(crate) id: Option<Member>,
    /// `function.name`.
    pub(crate) name: Option<Member>,
    /// `function.arguments`.
    pub(crate) arguments: Option<Value>,
}

impl Answer {
    /// Reads the JSON in `at` of `text`; spans are those of `text`. Returns whether
    /// it is a JSON object, valid to its end. If not, what is noted means nothing.
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8], at: Range<usize>) -> bool {
        self.object = Span::new(0, 0);
        self.model = None;
        self.error = None;
        self.usage = None;
        self.choices_array = None;
        self.choices.clear();
        self.calls.clear();
        if u32::try_from(text.len()).is_err() {
            return false;
        }
        let base = at.start as u32;
        let text = &text[at];
        let pass = Read { answer: self, base };
        let is_object = if text.len() <= SHORT {
            Scanner::new(text).and_then(|scanner| pass.run(scanner))
        } else {
            json::scan(text, pass)
        };
        matches!(is_object, Ok(true))
            && self.choices.len() <= MAX_ITEMS
            && self.calls.len() <= MAX_ITEMS
    }

    /// The tool calls of one of these choices.
    pub(crate) fn calls_of(&self, choice: &Choice) -> &[Call] {
        self.calls.get(choice.calls.clone()).unwrap_or_default()
    }
}

impl Choice {
    /// `content` of `delta` or `message`, if it is a string.
    #[cfg(test)]
    pub(crate) fn content<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.content, text)
    }

    /// `reasoning_content` of `delta` or `message`, if it is a string.
    #[cfg(test)]
    pub(crate) fn reasoning_content<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.reasoning_content, text)
    }

    /// `content` as it stands in the text, if it is a string.
    pub(crate) fn raw_content(&self) -> Option<Str> {
        self.content?.as_str()
    }

    /// `reasoning_content` as it stands in the text, if it is a string.
    pub(crate) fn raw_reasoning_content(&self) -> Option<Str> {
        self.reasoning_content?.as_str()
    }

    /// `finish_reason`, if it is a string.
    pub(crate) fn finish_reason<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.finish_reason, text)
    }

    /// Whether `finish_reason` is a string.
    pub(crate) fn is_finished(&self) -> bool {
        self.finish_reason
            .is_some_and(|reason| reason.kind == Kind::String)
    }
}

impl Call {
    /// `index`, if it is a whole number.
    pub(crate) fn index(&self, text: &[u8]) -> Option<u32> {
        self.index.and_then(|index| whole(index, text))
    }

    /// `id`, if it is a string.
    pub(crate) fn id<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.id.map(|id| id.value), text)
    }

    /// `function.name`, if it is a string; in a stream perhaps a piece of it.
    #[cfg(test)]
    pub(crate) fn name<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.name.map(|name| name.value), text)
    }

    /// `function.arguments`, if it is a string; in a stream a piece of it.
    #[cfg(test)]
    pub(crate) fn arguments<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.arguments, text)
    }
}

/// What a value says, if it is a string.
fn string(value: Option<Value>, text: &[u8]) -> Option<Cow<'_, [u8]>> {
    Some(value?.as_str()?.unescaped(text))
}

fn whole(value: Value, text: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(value.span.of(text)).ok()?;
    (value.kind == Kind::Number).then(|| digits.parse().ok())?
}

/// The pass over the text.
struct Read<'r> {
    answer: &'r mut Answer,
    /// Where in its own text the JSON begins.
    base: u32,
}

impl Pass for Read<'_> {
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

/// Reads an object, key by key, and anything else as one value. `$key` is what the
/// key says; `$member` has to read the value behind it.
///
/// A macro and no function with a closure: only what becomes part of `Read::run` is
/// compiled for the instructions of the back end.
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

/// Reads an array, element by element, and anything else as one value.
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
        // Of a key that appears twice, the last one counts.
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

    /// The container that was read from `start` on.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Answer> {
        let mut answer = Answer::default();
        answer
            .read(text.as_bytes(), 0..text.len())
            .then_some(answer)
    }

    #[test]
    fn a_chunk_and_a_whole_answer_have_the_same_fields() {
        for part in ["delta", "message"] {
            let json = format!(
                r#"{{"id":"1", "model":"kimi-k3" ,"usage":{{"a":1}},"choices":[
                    {{"index":3,"{part}":{{"role":"assistant","content":"Hi\n","reasoning_content":"Hm",
                     "tool_calls":[{{"index":2,"id":"f:0","type":"function","function":{{"name":"f","arguments":"{{}}"}}}},{{}}]}},
                     "finish_reason":"stop","usage":{{"b":2}}}},
                    {{"{part}":null,"finish_reason":null}}]}}"#
            );
            // Spans are those of the whole text.
            let text = format!("data: {json}\n\n");
            let mut answer = Answer::default();
            assert!(answer.read(text.as_bytes(), 6..6 + json.len()));
            let text = text.as_bytes();
            assert_eq!(answer.object.of(text), json.as_bytes());
            assert_eq!(answer.model.unwrap().span.of(text), b"\"kimi-k3\"");
            assert_eq!(answer.usage.unwrap().span().of(text), br#""usage":{"a":1}"#);
            assert_eq!(answer.choices_array.unwrap().span.of(text)[0], b'[');
            assert_eq!(answer.choices.len(), 2);
            let choice = &answer.choices[0];
            assert_eq!(choice.index, 3);
            assert_eq!(choice.content(text).as_deref(), Some(&b"Hi\n"[..]));
            assert_eq!(choice.reasoning_content(text).as_deref(), Some(&b"Hm"[..]));
            assert_eq!(choice.finish_reason(text).as_deref(), Some(&b"stop"[..]));
            assert!(choice.is_finished());
            assert_eq!(choice.usage.unwrap().span.of(text), br#"{"b":2}"#);
            let calls = answer.calls_of(choice);
            assert_eq!(calls.len(), 2);
            assert_eq!(calls[0].index(text), Some(2));
            assert_eq!(calls[0].id(text).as_deref(), Some(&b"f:0"[..]));
            assert_eq!(calls[0].name(text).as_deref(), Some(&b"f"[..]));
            assert_eq!(calls[0].arguments(text).as_deref(), Some(&b"{}"[..]));
            assert_eq!(calls[1].object.of(text), b"{}");
            assert_eq!(calls[1].index(text), None);
            let other = &answer.choices[1];
            // Without an index, the place counts.
            assert_eq!((other.index, other.is_finished()), (1, false));
            assert_eq!(other.content(text), None);
            assert!(answer.calls_of(other).is_empty());
        }
    }

    #[test]
    fn of_a_key_that_appears_twice_the_last_counts() {
        let text = r#"{"model":1,"choices":[{"delta":{"tool_calls":[{}]}}],"choices":[{"delta":{"tool_calls":[{},{}],"tool_calls":[{"index":7}]}}],"m\u006fdel":2}"#;
        let answer = read(text).unwrap();
        assert_eq!(answer.model.unwrap().span.of(text.as_bytes()), b"2");
        assert_eq!(answer.choices.len(), 1);
        let calls = answer.calls_of(&answer.choices[0]);
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].index(text.as_bytes()), Some(7));
    }

    #[test]
    fn values_of_other_types_are_passed_over() {
        let text = r#"{"model":{},"error":null,"choices":[null,1,"x",{"index":"0","delta":[],"finish_reason":1},{"delta":{"content":[],"tool_calls":{"index":0}}},{"delta":{"tool_calls":[null,{"function":null,"index":1.5}]}}]}"#;
        let answer = read(text).unwrap();
        assert!(answer.error.is_none());
        assert_eq!(answer.choices.len(), 3);
        assert!(!answer.choices[0].is_finished());
        assert_eq!(answer.choices[1].content(text.as_bytes()), None);
        assert!(answer.calls_of(&answer.choices[1]).is_empty());
        let calls = answer.calls_of(&answer.choices[2]);
        assert_eq!((calls.len(), calls[0].index(text.as_bytes())), (1, None));
        let text = r#"{"choices":{"delta":{}},"error":"no"}"#;
        let answer = read(text).unwrap();
        assert!(answer.choices_array.is_none() && answer.choices.is_empty());
        assert_eq!(answer.error.unwrap().kind, Kind::String);
    }

    #[test]
    fn what_is_no_json_object_is_not_read() {
        for text in [
            "",
            "[DONE]",
            "[]",
            "null",
            "{",
            "{} {}",
            "{\"a\":01}",
            "{\"a\":\"\u{1}\"}",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * SHORT));
        assert!(read(&long).is_some());
        assert!(read(&long[1..]).is_none());
    }

    #[test]
    fn an_answer_with_far_too_many_items_is_not_read() {
        let answer = |items: usize| format!(r#"{{"choices":[{}]}}"#, vec!["{}"; items].join(","));
        assert!(read(&answer(MAX_ITEMS)).is_some());
        let text = answer(100 * MAX_ITEMS);
        let mut answer = Answer::default();
        assert!(!answer.read(text.as_bytes(), 0..text.len()));
        assert!(answer.choices.len() <= MAX_ITEMS + 1);
    }
}
