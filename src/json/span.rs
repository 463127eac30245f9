//! Spans, and the values, strings and members that they delimit.

use std::{borrow::Cow, ops::Range};

/// A range of bytes in a text. Offsets have 32 bits, because the scanner rejects texts
/// of 4 GiB or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Creates a span. The offsets must fit 32 bits, as those of every scanned text do.
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(crate) const fn length(self) -> u32 {
        self.end - self.start
    }

    /// Returns the span moved forward by `by` bytes.
    pub(crate) const fn moved(self, by: u32) -> Self {
        Self {
            start: self.start + by,
            end: self.end + by,
        }
    }

    pub(crate) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the bytes of this span, or none if it is outside of `text`.
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.range()).unwrap_or_default()
    }
}

/// The type of a value, as its first byte shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// The type and span of a value. The span of a string includes its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// Whether the value is a string that contains escapes.
    pub(crate) escaped: bool,
}

impl Value {
    /// Returns the string, or `None` if the value is of another type.
    pub(crate) fn as_str(self) -> Option<Str> {
        let Self { span, escaped, .. } = self;
        (self.kind == Kind::String).then_some(Str { span, escaped })
    }
}

/// The span of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Str {
    /// Includes the quotes.
    pub(crate) span: Span,
    pub(crate) escaped: bool,
}

impl Str {
    /// Returns the bytes between the quotes, or `None` if they contain escapes.
    #[inline(always)]
    pub(crate) fn plain(self, text: &[u8]) -> Option<&[u8]> {
        let inner = Span {
            start: self.span.start + 1,
            end: self.span.end - 1,
        };
        (!self.escaped).then(|| inner.of(text))
    }

    /// Whether the string equals `what` after unescaping.
    #[inline(always)]
    pub(crate) fn says(self, what: &[u8], text: &[u8]) -> bool {
        match self.plain(text) {
            Some(plain) => plain == what,
            None => *self.unescape(text) == *what,
        }
    }

    /// Returns the unescaped string in UTF-8.
    ///
    /// A string with half of a surrogate pair has no UTF-8 form. It is returned as it
    /// is written, with its quotes, so that it equals no name.
    #[inline(always)]
    pub(crate) fn unescaped(self, text: &[u8]) -> Cow<'_, [u8]> {
        match self.plain(text) {
            Some(plain) => Cow::Borrowed(plain),
            None => self.unescape(text),
        }
    }

    #[cold]
    fn unescape(self, text: &[u8]) -> Cow<'_, [u8]> {
        let quoted = self.span.of(text);
        match serde_json::from_slice::<String>(quoted) {
            Ok(text) => Cow::Owned(text.into_bytes()),
            Err(_) => Cow::Borrowed(quoted),
        }
    }

    /// Whether the string is empty.
    pub(crate) const fn is_empty(self) -> bool {
        self.span.length() == 2
    }
}

/// A member of an object. The span of the key includes its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) key: Span,
    pub(crate) value: Value,
}

impl Member {
    /// Returns the span from the start of the key to the end of the value.
    pub(crate) const fn span(&self) -> Span {
        Span {
            start: self.key.start,
            end: self.value.span.end,
        }
    }
}
