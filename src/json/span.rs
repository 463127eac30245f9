//! Where things stand in the text.

use std::ops::Range;

/// A stretch of the text, in bytes. 32 bits are enough: longer texts are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// The scanner refuses texts whose offsets don't fit 32 bits, so this cast
    /// never cuts.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
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
