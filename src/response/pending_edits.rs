//! Edits of a text of which more may arrive.

use bytes::Bytes;

use crate::json::{Edits, Rope, Span, Text};

/// Edits that are applied once their part of the text is forwarded. Spans are relative to
/// the text that was not forwarded yet.
#[derive(Debug, Default)]
pub(super) struct PendingEdits {
    pending: Vec<Edit>,
    /// Kept between calls to reuse its memory.
    edits: Edits,
}

#[derive(Debug)]
struct Edit {
    span: Span,
    action: Action,
}

#[derive(Debug)]
enum Action {
    /// Replaces the span.
    Replace(Text),
    /// Removes the member of an object that is the span, with its comma.
    Remove,
    /// Adds a member to the object that is the span.
    Append(Text),
}

impl PendingEdits {
    /// Replaces a span.
    pub(super) fn replace(&mut self, span: Span, text: impl Into<Text>) {
        let action = Action::Replace(text.into());
        self.pending.push(Edit { span, action });
    }

    /// Inserts a text before the byte at `offset`.
    pub(super) fn insert(&mut self, offset: usize, text: impl Into<Text>) {
        self.replace(Span::new(offset, offset), text);
    }

    /// Removes a member of an object, with its comma.
    pub(super) fn remove(&mut self, member: Span) {
        self.pending.push(Edit {
            span: member,
            action: Action::Remove,
        });
    }

    /// Adds a member, written as `"key":value`, to an object.
    pub(super) fn append(&mut self, object: Span, member: impl Into<Text>) {
        self.pending.push(Edit {
            span: object,
            action: Action::Append(member.into()),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Applies the edits within `text`, which is forwarded. Later edits stay pending, with
    /// their spans relative to the text behind it.
    pub(super) fn apply(&mut self, text: Bytes) -> Rope {
        let end = text.len();
        if self.pending.is_empty() {
            return Rope::from(text);
        }
        let mut rest = Vec::new();
        for Edit { mut span, action } in self.pending.drain(..) {
            if span.start as usize >= end {
                span.start -= end as u32;
                span.end -= end as u32;
                rest.push(Edit { span, action });
                continue;
            }
            match action {
                Action::Replace(text) => self.edits.replace(span, text),
                Action::Remove => self.edits.remove(span),
                Action::Append(member) => self.edits.append(span, member),
            }
        }
        self.pending.append(&mut rest);
        self.edits.apply(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_behind_the_text_stay_pending() {
        let mut edits = PendingEdits::default();
        edits.replace(Span::new(12, 13), "b");
        edits.replace(Span::new(1, 2), "a");
        edits.insert(10, "<");
        assert_eq!(
            edits.apply(Bytes::from_static(b"0123456789")).into_bytes(),
            "0a23456789"
        );
        assert!(!edits.is_empty());
        assert_eq!(
            edits.apply(Bytes::from_static(b"0123456789")).into_bytes(),
            "<01b3456789"
        );
        assert!(edits.is_empty());
    }
}
