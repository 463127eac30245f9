//! A single edit of a text.

use bytes::Bytes;

use super::Span;

/// The text that an edit inserts.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Static(&'static str),
    Owned(Bytes),
}

impl Text {
    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Static(text) => text.as_bytes(),
            Self::Owned(text) => text,
        }
    }

    /// Returns the text from an offset on, without copying it.
    pub(super) fn slice_from(&self, start: usize) -> Bytes {
        match self {
            Self::Static(text) => Bytes::from_static(&text.as_bytes()[start..]),
            Self::Owned(text) => text.slice(start..),
        }
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        // Without spare capacity, for which `Bytes` would allocate again.
        Self::Owned(text.into_boxed_str().into_boxed_bytes().into())
    }
}

impl From<Bytes> for Text {
    fn from(text: Bytes) -> Self {
        Self::Owned(text)
    }
}

/// The replacement of a span of the original by a text.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) span: Span,
    pub(super) text: Text,
    pub(super) how: How,
}

/// How the span of an edit is adjusted when the edits are applied.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// The span is replaced as it is.
    Replace,
    /// The span is a member or an element and is removed together with one comma.
    Remove,
    /// The span is a closing bracket. A comma is inserted after the last member or
    /// element before it, if there is one.
    Comma,
    /// The span is a closing bracket. The text is inserted as its new last member or
    /// element.
    Append,
}

/// The size of the edited text in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub(super) length: usize,
    /// The length of the longest unedited stretch.
    pub(super) longest: usize,
}

impl Extent {
    pub(super) fn add(&mut self, stretch: usize, inserted: usize) {
        self.length += stretch + inserted;
        self.longest = self.longest.max(stretch);
    }
}
