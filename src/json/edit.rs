//! One edit of a text.

use bytes::Bytes;

use super::Span;

/// What an edit puts in.
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

    /// The text from an offset on, without a copy.
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
        // To the byte: `Bytes` needs a second allocation if there is room left.
        Self::Owned(text.into_boxed_str().into_boxed_bytes().into())
    }
}

impl From<Bytes> for Text {
    fn from(text: Bytes) -> Self {
        Self::Owned(text)
    }
}

/// What comes in the place of a stretch of the original.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) span: Span,
    pub(super) text: Text,
    pub(super) how: How,
}

/// What is still to be found out about an edit's span.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// Nothing: it is what is replaced.
    Replace,
    /// It is a member or an element, which goes with the comma that isn't needed
    /// any more.
    Remove,
    /// It is a closing bracket. If something stands before it, a comma is put in
    /// behind that.
    Comma,
    /// It is the same bracket: a new last member or element follows.
    Append,
}

/// How much text there is once it is edited.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Extent {
    pub(super) length: usize,
    /// The longest stretch without an edit.
    pub(super) longest: usize,
}

impl Extent {
    pub(super) fn add(&mut self, stretch: usize, put_in: usize) {
        self.length += stretch + put_in;
        self.longest = self.longest.max(stretch);
    }
}
