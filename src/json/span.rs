//! Where things stand in the text.

use std::{borrow::Cow, ops::Range};

/// A stretch of the text, in bytes. 32 bits are enough: longer texts are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// The scanner refuses texts whose offsets don't fit 32 bits, so this cast
    /// never cuts.
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    pub(crate) const fn length(self) -> u32 {
        self.end - self.start
    }

    pub(crate) const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes of this span; empty if it doesn't lie in `text`.
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.range()).unwrap_or_default()
    }
}

/// What a value is, told by its first byte.
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

/// A value: what it is and where it stands (a string with its quotes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// Whether it is a string with escapes.
    pub(crate) escaped: bool,
}

impl Value {
    /// The string, with its quotes, if it is one.
    pub(crate) fn as_str(self) -> Option<Str> {
        let Self { span, escaped, .. } = self;
        (self.kind == Kind::String).then_some(Str { span, escaped })
    }
}

/// A string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Str {
    /// With its quotes.
    pub(crate) span: Span,
    pub(crate) escaped: bool,
}

impl Str {
    /// What stands between the quotes, if that is what the string says: if there
    /// are no escapes.
    #[inline(always)]
    pub(crate) fn plain(self, text: &[u8]) -> Option<&[u8]> {
        let inner = Span {
            start: self.span.start + 1,
            end: self.span.end - 1,
        };
        (!self.escaped).then(|| inner.of(text))
    }

    /// Whether this is what the string says.
    #[inline(always)]
    pub(crate) fn says(self, what: &[u8], text: &[u8]) -> bool {
        match self.plain(text) {
            Some(plain) => plain == what,
            None => *self.unescape(text) == *what,
        }
    }

    /// What the string says, in UTF-8. One with half of a surrogate pair says
    /// nothing that is text; it is given as it stands, in quotes, which no name
    /// is.
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

    /// Whether there is nothing between the quotes.
    pub(crate) const fn is_empty(self) -> bool {
        self.span.length() == 2
    }
}

/// A member of an object: its key, with quotes, and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) key: Span,
    pub(crate) value: Value,
}

impl Member {
    /// From the key's first byte to the value's last.
    pub(crate) const fn span(&self) -> Span {
        Span {
            start: self.key.start,
            end: self.value.span.end,
        }
    }
}
