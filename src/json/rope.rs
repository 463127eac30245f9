//! The edited text, which shares long stretches with the original.

use std::{fmt, mem, ops::Range};

use bytes::{Buf, Bytes};

use super::{
    Span,
    edit::{Edit, Extent},
};

/// The length in bytes from which a stretch is yielded as a slice. Shorter ones are cheaper
/// to copy than to yield.
const SLICE: usize = 16 * 1024;

/// The maximum length in bytes of a gathered piece, and so of what one piece owns.
const GATHER: usize = 48 * 1024;

/// A text in pieces: an iterator over [`Bytes`], and a [`Buf`].
///
/// Stretches of 16 KiB or more are slices of the original or of an inserted text. Shorter
/// ones are gathered in pieces of up to 48 KiB. Pieces of a long text are made when they
/// are requested. The length is known from the start. Cloning a rope copies no text.
///
/// ```
/// use bytes::Bytes;
/// use tower_moonshot::MoonshotCompatLayer;
///
/// let body = r#"{"model":"moonshot-v1-8k","messages":[],"temperature":2}"#;
/// let (rope, _report) = MoonshotCompatLayer::new().rewrite(Bytes::from(body));
/// let length = rope.len();
/// let pieces: Vec<Bytes> = rope.collect();
/// let rewritten = r#"{"model":"moonshot-v1-8k","messages":[],"temperature":1}"#;
/// assert_eq!(pieces.concat(), rewritten.as_bytes());
/// assert_eq!(length, rewritten.len());
/// ```
#[derive(Clone, Default)]
#[must_use = "a rope does nothing unless it is iterated"]
pub struct Rope {
    text: Bytes,
    /// Sorted, without overlaps.
    edits: Vec<Edit>,
    place: Place,
    remaining: usize,
}

impl fmt::Debug for Rope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the text, because debug output ends up in logs.
        f.debug_struct("Rope")
            .field("len", &self.remaining)
            .finish_non_exhaustive()
    }
}

impl From<Bytes> for Rope {
    /// Creates a rope of one piece, without copying the text.
    fn from(text: Bytes) -> Self {
        Self {
            remaining: text.len(),
            text,
            ..Self::default()
        }
    }
}

/// A position in the edited text.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The index of the next edit.
    next: usize,
    /// The offset in the original.
    pos: usize,
    /// The offset in the text of the next edit.
    in_edit: usize,
}

impl Place {
    /// Copies the next `length` bytes of the edited text, which must exist.
    fn gather(&mut self, text: &[u8], edits: &[Edit], length: usize) -> Bytes {
        // Without spare capacity, for which `Bytes` would allocate again.
        let mut gathered = Vec::with_capacity(length);
        let mut copy = |from: &[u8], done: &mut usize| {
            let rest = &from[*done..];
            let rest = &rest[..rest.len().min(length - gathered.len())];
            gathered.extend_from_slice(rest);
            *done += rest.len();
            *done == from.len()
        };
        for edit in &edits[self.next..] {
            let Span { start, end } = edit.span;
            if !copy(&text[..start as usize], &mut self.pos)
                || !copy(edit.text.as_bytes(), &mut self.in_edit)
            {
                return Bytes::from(gathered);
            }
            self.next += 1;
            self.pos = end as usize;
            self.in_edit = 0;
        }
        copy(text, &mut self.pos);
        Bytes::from(gathered)
    }
}

/// Copies the whole edited text, whose length is `length`.
fn splice(text: &[u8], edits: &[Edit], length: usize) -> Bytes {
    let mut spliced = Vec::with_capacity(length);
    let mut pos = 0;
    for edit in edits {
        let Range { start, end } = edit.span.range();
        spliced.extend_from_slice(&text[pos..start]);
        // Most edits only remove text.
        let new = edit.text.as_bytes();
        if !new.is_empty() {
            spliced.extend_from_slice(new);
        }
        pos = end;
    }
    spliced.extend_from_slice(&text[pos..]);
    Bytes::from(spliced.into_boxed_slice())
}

impl Rope {
    /// Creates a rope from a text, its edits (sorted, without overlaps) and the size of
    /// the result. Clears `edits`.
    ///
    /// If the result would be one gathered piece, it is made at once, so that the rope
    /// keeps neither text nor edits.
    pub(super) fn new(text: &Bytes, edits: &mut Vec<Edit>, extent: Extent) -> Self {
        let Extent { length, longest } = extent;
        if length <= GATHER && longest < SLICE {
            let spliced = splice(text, edits, length);
            edits.clear();
            return Self::from(spliced);
        }
        #[expect(clippy::drain_collect, reason = "the list keeps its capacity")]
        Self {
            text: text.clone(),
            edits: edits.drain(..).collect(),
            place: Place::default(),
            remaining: length,
        }
    }

    /// Returns the number of bytes that were not yielded yet.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.remaining
    }

    /// Returns whether all bytes were yielded.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// Returns the remaining bytes in one piece.
    ///
    /// A rope without edits returns the original without copying it.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        if self.edits.is_empty() || self.is_empty() {
            return self.next().unwrap_or_default();
        }
        self.place.gather(&self.text, &self.edits, self.remaining)
    }

    /// Returns the length of the original up to the next edit that is not finished.
    fn stretch(&mut self) -> usize {
        while let Some(edit) = self.edits.get(self.place.next) {
            let span = edit.span.range();
            if self.place.pos < span.start || self.place.in_edit < edit.text.as_bytes().len() {
                return span.start - self.place.pos;
            }
            self.place.pos = span.end;
            self.place.in_edit = 0;
            self.place.next += 1;
        }
        self.text.len() - self.place.pos
    }

    /// Returns the inserted text that comes next, if it is long enough for a slice.
    fn long_text(&self, stretch: usize) -> Option<Bytes> {
        let edit = self.edits.get(self.place.next)?;
        let length = edit.text.as_bytes().len() - self.place.in_edit;
        (stretch == 0 && length >= SLICE).then(|| edit.text.slice_from(self.place.in_edit))
    }

    /// Returns the length of the next gathered piece, which ends before the next slice.
    fn gatherable(&self) -> usize {
        let mut length = 0;
        let Place {
            next,
            mut pos,
            mut in_edit,
        } = self.place;
        for edit in &self.edits[next..] {
            let span = edit.span.range();
            let stretch = span.start - pos;
            if stretch >= SLICE || length >= GATHER {
                return length.min(GATHER);
            }
            length += stretch;
            let text = edit.text.as_bytes().len() - in_edit;
            if text >= SLICE {
                return length.min(GATHER);
            }
            length += text;
            (pos, in_edit) = (span.end, 0);
        }
        match self.text.len() - pos {
            SLICE.. => length.min(GATHER),
            stretch => (length + stretch).min(GATHER),
        }
    }
}

/// Reads the text without gathering pieces. A chunk is an unedited stretch of the original
/// or an inserted text, however short.
/// [`copy_to_bytes`](Buf::copy_to_bytes) within a stretch of the original copies nothing.
impl Buf for Rope {
    fn remaining(&self) -> usize {
        self.remaining
    }

    fn chunk(&self) -> &[u8] {
        if self.remaining == 0 {
            return &[];
        }
        let Place {
            next,
            mut pos,
            mut in_edit,
        } = self.place;
        for edit in &self.edits[next..] {
            let span = edit.span.range();
            if pos < span.start {
                return &self.text[pos..span.start];
            }
            let text = &edit.text.as_bytes()[in_edit..];
            if !text.is_empty() {
                return text;
            }
            (pos, in_edit) = (span.end, 0);
        }
        &self.text[pos..]
    }

    fn advance(&mut self, mut count: usize) {
        assert!(
            count <= self.remaining,
            "cannot advance by {count} bytes: {} remain",
            self.remaining
        );
        self.remaining -= count;
        if self.remaining == 0 {
            *self = Self::default();
            return;
        }
        if self.edits.is_empty() {
            // `next` yields what is left of the text.
            self.text.advance(count);
            return;
        }
        while count > 0 {
            let stretch = self.stretch();
            if stretch > 0 {
                let step = stretch.min(count);
                self.place.pos += step;
                count -= step;
                continue;
            }
            // What remains begins in the text of the next edit.
            let inserted = self.edits[self.place.next].text.as_bytes().len();
            let step = (inserted - self.place.in_edit).min(count);
            self.place.in_edit += step;
            count -= step;
        }
    }

    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        assert!(
            length <= self.remaining,
            "cannot copy {length} bytes: {} remain",
            self.remaining
        );
        let stretch = self.stretch();
        let copy = if length == 0 {
            Bytes::new()
        } else if length <= stretch {
            self.text.slice(self.place.pos..self.place.pos + length)
        } else {
            let mut place = self.place;
            place.gather(&self.text, &self.edits, length)
        };
        self.advance(length);
        copy
    }
}

impl Iterator for Rope {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.remaining == 0 {
            return None;
        }
        if self.edits.is_empty() {
            self.remaining = 0;
            return Some(mem::take(&mut self.text));
        }
        let stretch = self.stretch();
        let pos = self.place.pos;
        let piece = if stretch == self.remaining {
            // This is the last piece, so the original need not be kept.
            let mut piece = mem::take(&mut self.text);
            piece.advance(pos);
            piece.truncate(stretch);
            piece
        } else if stretch >= SLICE {
            self.place.pos += stretch;
            self.text.slice(pos..pos + stretch)
        } else if let Some(slice) = self.long_text(stretch) {
            self.place.in_edit += slice.len();
            slice
        } else {
            let length = self.gatherable();
            self.place.gather(&self.text, &self.edits, length)
        };
        self.remaining -= piece.len();
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Edits, Span};

    #[test]
    fn long_stretches_are_slices_and_pieces_never_own_much() {
        let text = Bytes::from(vec![b'a'; 1_000_000]);
        let mut edits = Edits::default();
        // Short stretches, then a long one, then short ones again.
        for at in (0..200_000)
            .step_by(100)
            .chain((900_000..1_000_000).step_by(100))
        {
            edits.replace(Span::new(at, at + 1), "bc");
        }
        let rope = edits.apply(&text);
        assert_eq!(rope.len(), 1_003_000);
        let whole = rope.clone().into_bytes();
        let pieces: Vec<Bytes> = rope.clone().collect();
        assert_eq!(pieces.concat(), whole);
        let original = text.as_ptr_range();
        let (slices, own): (Vec<&Bytes>, Vec<&Bytes>) = pieces
            .iter()
            .partition(|piece| original.contains(&piece.as_ptr()));
        assert!(slices.iter().any(|slice| slice.len() > 699_000));
        assert!(own.iter().all(|piece| (1..=GATHER).contains(&piece.len())));
    }

    #[test]
    fn a_long_text_is_inserted_without_a_copy() {
        let long = Bytes::from(vec![b'b'; 3 * SLICE]);
        let mut edits = Edits::default();
        edits.replace(Span::new(10, 20), "c");
        edits.replace(Span::new(30, 40), long.clone());
        edits.replace(Span::new(40, 50), long.clone());
        let rope = edits.apply(&Bytes::from(vec![b'a'; 100]));
        let pieces: Vec<Bytes> = rope.clone().collect();
        let lengths: Vec<usize> = pieces.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [10 + 1 + 10, 3 * SLICE, 3 * SLICE, 50]);
        assert_eq!(pieces[1].as_ptr(), long.as_ptr());
        assert_eq!(pieces[2].as_ptr(), long.as_ptr());
        assert_eq!(pieces.concat(), rope.into_bytes());
    }

    #[test]
    fn into_bytes_returns_what_is_left_at_any_time() {
        // The last piece is a slice, after which the original is dropped.
        let mut edits = Edits::default();
        edits.replace(Span::new(0, 1), "bc");
        let mut rope = edits.apply(&Bytes::from(vec![b'a'; 3 * SLICE]));
        let whole = rope.clone().into_bytes();
        let mut seen = 0;
        while let Some(piece) = rope.next() {
            seen += piece.len();
            assert_eq!(rope.clone().into_bytes(), whole[seen..]);
        }
        assert_eq!(seen, whole.len());
    }

    #[test]
    fn debug_output_does_not_contain_the_text() {
        let mut edits = Edits::default();
        edits.replace(Span::new(0, 1), "secret");
        let rope = edits.apply(&Bytes::from("secret ".repeat(10_000)));
        assert!(!format!("{rope:?}").contains("secret"), "{rope:?}");
    }

    #[test]
    fn a_rope_is_read_as_a_buffer_in_steps_of_any_length() {
        let mut edits = Edits::default();
        edits.replace(Span::new(0, 2), "");
        edits.replace(Span::new(5, 5), "bcd");
        edits.replace(Span::new(9, 10), "");
        edits.replace(
            Span::new(30_000, 30_001),
            Bytes::from(vec![b'e'; 2 * SLICE]),
        );
        edits.replace(Span::new(69_999, 70_000), "f");
        let mut original = vec![b'a'; 70_000];
        original[20] = b'x';
        let rope = edits.apply(&Bytes::from(original));
        let whole = rope.clone().into_bytes();
        for step in [1, 2, 7, 1000, 16_384, 200_000] {
            let mut read = Vec::new();
            let mut rest = rope.clone();
            while rest.has_remaining() {
                assert_eq!(rest.remaining(), whole.len() - read.len());
                let chunk = rest.chunk();
                assert!(!chunk.is_empty());
                assert!(whole[read.len()..].starts_with(&chunk[..chunk.len().min(64)]));
                let step = step.min(rest.remaining());
                if read.len() % 2 == 0 {
                    let start = read.len();
                    read.resize(start + step, 0);
                    rest.copy_to_slice(&mut read[start..]);
                } else {
                    read.extend(rest.copy_to_bytes(step));
                }
            }
            assert_eq!(read, whole, "{step}");
            assert_eq!(rest.chunk(), b"");
            assert_eq!(rest.next(), None);
        }
        // Reading by buffer and by piece can be mixed, with edits and without.
        for rope in [rope, Rope::from(whole.clone())] {
            for skip in [0, 1, 2, 7, 30_010, 69_000] {
                let mut rest = rope.clone();
                rest.advance(skip);
                assert_eq!(rest.clone().into_bytes(), whole[skip..]);
                assert_eq!(rest.collect::<Vec<Bytes>>().concat(), whole[skip..]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "cannot advance by 4 bytes: 3 remain")]
    fn advancing_beyond_the_end_panics() {
        Rope::from(Bytes::from("abc")).advance(4);
    }

    #[test]
    fn the_length_is_that_of_the_remaining_text() {
        let mut edits = Edits::default();
        edits.replace(Span::new(20_000, 20_001), "bc");
        let mut rope = edits.apply(&Bytes::from(vec![b'a'; 60_000]));
        let mut left = 60_001;
        while !rope.is_empty() {
            assert_eq!(rope.len(), left);
            left -= rope.next().map_or(0, |piece| piece.len());
        }
        assert_eq!((left, rope.next()), (0, None));
    }
}
