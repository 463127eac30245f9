//! Edits of a text that is still growing.

use bytes::Bytes;

use crate::json::{Edits, Rope, Span, Text};

/// Edits that wait for their text to be complete. Their spans move with it.
#[derive(Debug, Default)]
pub(super) struct Ops {
    ops: Vec<Op>,
    /// Kept for its memory.
    edits: Edits,
}

#[derive(Debug)]
struct Op {
    span: Span,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Another text comes in the place of the span.
    Replace(Text),
    /// The span is a member of an object, which is removed with its comma.
    Remove,
    /// The span is an object, which gets one more member.
    Append(Text),
}

impl Ops {
    pub(super) fn replace(&mut self, span: Span, text: impl Into<Text>) {
        let what = What::Replace(text.into());
        self.ops.push(Op { span, what });
    }

    /// Puts `text` before the byte at `offset`.
    pub(super) fn insert(&mut self, offset: usize, text: impl Into<Text>) {
        self.replace(Span::new(offset, offset), text);
    }

    pub(super) fn remove(&mut self, member: Span) {
        let what = What::Remove;
        self.ops.push(Op { span: member, what });
    }

    /// Adds a member, key and all, to an object.
    pub(super) fn append(&mut self, object: Span, member: impl Into<Text>) {
        let what = What::Append(member.into());
        self.ops.push(Op { span: object, what });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Applies the edits within the first `text.len()` bytes, which are `text`. Those
    /// behind stay, for what follows.
    pub(super) fn apply(&mut self, text: Bytes) -> Rope {
        let end = text.len();
        if self.ops.is_empty() {
            return Rope::from(text);
        }
        let mut rest = Vec::new();
        for Op { mut span, what } in self.ops.drain(..) {
            if span.start as usize >= end {
                span.start -= end as u32;
                span.end -= end as u32;
                rest.push(Op { span, what });
                continue;
            }
            match what {
                What::Replace(text) => self.edits.replace(span, text),
                What::Remove => self.edits.remove(span),
                What::Append(member) => self.edits.append(span, member),
            }
        }
        self.ops.append(&mut rest);
        self.edits.apply(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_behind_the_text_wait_for_what_follows() {
        let mut ops = Ops::default();
        ops.replace(Span::new(12, 13), "b");
        ops.replace(Span::new(1, 2), "a");
        ops.insert(10, "<");
        assert_eq!(
            ops.apply(Bytes::from_static(b"0123456789")).into_bytes(),
            "0a23456789"
        );
        assert!(!ops.is_empty());
        assert_eq!(
            ops.apply(Bytes::from_static(b"0123456789")).into_bytes(),
            "<01b3456789"
        );
        assert!(ops.is_empty());
    }
}
