//! The known fields of one chunk of a stream, or of one JSON answer.

mod parse;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, ops::Range};

use self::parse::Parse;
use crate::json::{self, Kind, Member, Pass, Scanner, Span, Str, Value};

/// The maximum number of choices, and of tool calls, in one chunk or answer. One with more
/// is not read, because the spans of an item take more memory than its shortest JSON.
const MAX_ITEMS: usize = 1024;

/// Up to this length in bytes, texts are parsed without choosing a SIMD back end.
const SHORT: usize = 1024;

/// The known fields of one chunk of a stream, or of one JSON answer, as spans of its text.
/// Reused from one chunk to the next for its memory.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The whole object.
    pub(crate) object: Span,
    pub(crate) model: Option<Value>,
    /// The member `error`, unless it is null.
    pub(crate) error: Option<Value>,
    /// The member `usage`, also if it is null.
    pub(crate) usage: Option<Member>,
    /// The value of `choices`, if it is an array.
    pub(crate) choices_array: Option<Value>,
    pub(crate) choices: Vec<Choice>,
    calls: Vec<Call>,
}

/// A choice.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    /// Its `index`, or its position in the array if it has none.
    pub(crate) index: u32,
    pub(crate) usage: Option<Value>,
    content: Option<Value>,
    reasoning_content: Option<Value>,
    finish_reason: Option<Value>,
    /// The range of its calls in [`Answer`].
    calls: Range<usize>,
}

/// A tool call, or a fragment of one in a stream.
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
    /// Parses the JSON in `at` of `text`. Spans are relative to `text`. Returns whether it is a
    /// valid JSON object without too many items; otherwise the fields have no meaning.
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
        let pass = Parse { answer: self, base };
        let is_object = if text.len() <= SHORT {
            Scanner::new(text).and_then(|scanner| pass.run(scanner))
        } else {
            json::scan(text, pass)
        };
        matches!(is_object, Ok(true))
            && self.choices.len() <= MAX_ITEMS
            && self.calls.len() <= MAX_ITEMS
    }

    /// Returns the tool calls of a choice of this answer.
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

    /// `content` as written in the text, if it is a string.
    pub(crate) fn raw_content(&self) -> Option<Str> {
        self.content?.as_str()
    }

    /// `reasoning_content` as written in the text, if it is a string.
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
    #[cfg(test)]
    pub(crate) fn id<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.id.map(|id| id.value), text)
    }

    /// `function.name`, if it is a string; in a stream, it may be a piece.
    #[cfg(test)]
    pub(crate) fn name<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.name.map(|name| name.value), text)
    }

    /// `function.arguments`, if it is a string; in a stream, it is a piece.
    #[cfg(test)]
    pub(crate) fn arguments<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        string(self.arguments, text)
    }
}

/// Returns the text of a value, if it is a string.
fn string(value: Option<Value>, text: &[u8]) -> Option<Cow<'_, [u8]>> {
    Some(value?.as_str()?.unescaped(text))
}

/// Returns a value that is a whole number.
fn whole(value: Value, text: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(value.span.of(text)).ok()?;
    (value.kind == Kind::Number).then(|| digits.parse().ok())?
}
