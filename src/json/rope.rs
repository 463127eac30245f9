//! The edited text, without a copy of what was not edited.

use bytes::{BufMut, Bytes, BytesMut};

use super::edit::Patch;

/// Stretches of this length and more, untouched or put in, are handed over as
/// slices; it costs more to hand over a shorter one than to copy it.
const SLICE: usize = 16 * 1024;

/// Shorter pieces are gathered until there are this many bytes: one piece of a
/// rope never owns more, however long the text is.
const GATHER: usize = 48 * 1024;

/// A text as a series of [`Bytes`], made when they are asked for: long stretches
/// are slices of the original or of what was put in, short ones are gathered.
///
/// Its length is known before the first piece is made. Cloning a rope clones no
/// text.
///
/// ```
/// use bytes::Bytes;
/// use tower_moonshot::MoonshotCompatLayer;
///
/// let body = Bytes::from_static(br#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"}],"temperature":2}"#);
/// let (rope, _report) = MoonshotCompatLayer::new().rewrite(body);
/// let length = rope.len();
/// let pieces: Vec<Bytes> = rope.collect();
/// assert_eq!(pieces.concat(), br#"{"model":"moonshot-v1-8k","messages":[{"role":"user","content":"Hi"}],"temperature":1}"#);
/// assert_eq!(pieces.concat().len(), length);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a rope does nothing unless it is iterated"]
pub struct Rope {
    text: Bytes,
    /// Sorted, and they don't overlap.
    patches: Vec<Patch>,
    /// The next patch.
    next: usize,
    /// How much of the original, and then of the next patch, is behind us.
    pos: usize,
    in_patch: usize,
    remaining: usize,
}

impl From<Bytes> for Rope {
    /// The rope that is this text, in one piece.
    fn from(text: Bytes) -> Self {
        Self {
            remaining: text.len(),
            text,
            ..Self::default()
        }
    }
}

/// A piece that is still to be made.
enum Piece {
    /// Up to here in the original.
    Original { end: usize },
    /// In the text of the next patch.
    Patch,
}

impl Rope {
    pub(super) fn new(text: Bytes, patches: Vec<Patch>) -> Self {
        let removed: usize = patches.iter().map(|p| p.span.range().len()).sum();
        let added: usize = patches.iter().map(|p| p.text.as_bytes().len()).sum();
        Self {
            remaining: text.len() - removed + added,
            text,
            patches,
            ..Self::default()
        }
    }

    /// How many bytes are still to come.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.remaining
    }

    /// Whether nothing is still to come.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    /// All that is still to come as one [`Bytes`]. A rope without edits gives
    /// the original itself; one with edits is copied together.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        if self.patches.is_empty() {
            return self.next().unwrap_or_default();
        }
        let mut whole = BytesMut::with_capacity(self.remaining);
        while let Some((piece, length)) = self.piece() {
            self.copy(&piece, length, &mut whole);
        }
        whole.freeze()
    }

    /// The next piece that is not empty, and its length.
    fn piece(&mut self) -> Option<(Piece, usize)> {
        while let Some(patch) = self.patches.get(self.next) {
            let span = patch.span.range();
            if self.pos < span.start {
                return Some((Piece::Original { end: span.start }, span.start - self.pos));
            }
            let text = patch.text.as_bytes().len();
            if self.in_patch < text {
                return Some((Piece::Patch, text - self.in_patch));
            }
            self.pos = span.end;
            self.in_patch = 0;
            self.next += 1;
        }
        let end = self.text.len();
        (self.pos < end).then(|| (Piece::Original { end }, end - self.pos))
    }

    /// How many bytes the next gathered piece has: up to a slice, if there is one.
    fn gatherable(&self) -> usize {
        let mut length = 0;
        let mut pos = self.pos;
        let mut in_patch = self.in_patch;
        for patch in &self.patches[self.next..] {
            let span = patch.span.range();
            let stretch = span.start - pos;
            if stretch >= SLICE || length >= GATHER {
                return length.min(GATHER);
            }
            length += stretch;
            let text = patch.text.as_bytes().len() - in_patch;
            if text >= SLICE {
                return length.min(GATHER);
            }
            length += text;
            (pos, in_patch) = (span.end, 0);
        }
        match self.text.len() - pos {
            SLICE.. => length.min(GATHER),
            stretch => (length + stretch).min(GATHER),
        }
    }

    /// Copies the first `length` bytes of `piece`.
    fn copy(&mut self, piece: &Piece, length: usize, to: &mut BytesMut) {
        match piece {
            Piece::Original { .. } => {
                to.put_slice(&self.text[self.pos..self.pos + length]);
                self.pos += length;
            }
            Piece::Patch => {
                let text = self.patches[self.next].text.as_bytes();
                to.put_slice(&text[self.in_patch..self.in_patch + length]);
                self.in_patch += length;
            }
        }
        self.remaining -= length;
    }
}

impl Iterator for Rope {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let (piece, length) = self.piece()?;
        match piece {
            Piece::Original { end } if length >= SLICE || length == self.remaining => {
                let slice = self.text.slice(self.pos..end);
                self.pos = end;
                self.remaining -= length;
                return Some(slice);
            }
            Piece::Patch if length >= SLICE => {
                let slice = self.patches[self.next].text.slice_from(self.in_patch);
                self.in_patch += length;
                self.remaining -= length;
                return Some(slice);
            }
            _ => {}
        }
        // To the byte: `Bytes` needs a second allocation if there is room left.
        let mut room = self.gatherable();
        let mut gathered = BytesMut::with_capacity(room);
        while let Some((piece, length)) = self.piece().filter(|_| room > 0) {
            let length = length.min(room);
            self.copy(&piece, length, &mut gathered);
            room -= length;
        }
        Some(gathered.freeze())
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
        // Short stretches, a long one, short ones again.
        for at in (0..200_000)
            .step_by(100)
            .chain((900_000..1_000_000).step_by(100))
        {
            edits.replace(Span::new(at, at + 1), "bc");
        }
        let rope = edits.apply(text.clone());
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
    fn a_long_text_is_put_in_without_a_copy() {
        let long = Bytes::from(vec![b'b'; SLICE]);
        let mut edits = Edits::default();
        edits.replace(Span::new(10, 20), "c");
        edits.replace(Span::new(30, 40), long.clone());
        edits.replace(Span::new(40, 50), long.clone());
        let rope = edits.apply(Bytes::from(vec![b'a'; 100]));
        let pieces: Vec<Bytes> = rope.clone().collect();
        let lengths: Vec<usize> = pieces.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [10 + 1 + 10, SLICE, SLICE, 50]);
        assert_eq!(pieces[1].as_ptr(), long.as_ptr());
        assert_eq!(pieces[2].as_ptr(), long.as_ptr());
        assert_eq!(pieces.concat(), rope.into_bytes());
    }

    #[test]
    fn the_length_is_what_is_still_to_come() {
        let mut edits = Edits::default();
        edits.replace(Span::new(20_000, 20_001), "bc");
        let mut rope = edits.apply(Bytes::from(vec![b'a'; 60_000]));
        let mut left = 60_001;
        while !rope.is_empty() {
            assert_eq!(rope.len(), left);
            left -= rope.next().map_or(0, |piece| piece.len());
        }
        assert_eq!((left, rope.next()), (0, None));
    }
}
