//! Reads short strings and white space with vectors whose comparisons fit a `u32`.

use super::{Backend, portable::Portable, simd::Vector};

/// A vector of 32 bytes with a cheap [`high_bits`](Self::high_bits).
pub(super) trait Short: Vector {
    /// Collects the high bits of all bytes. That of the first byte is the lowest.
    fn high_bits(self) -> u32;
    /// Compares as signed numbers, so that bytes that are not ASCII are less.
    fn less_than(self, byte: u8) -> Self;
    fn is_space(self) -> Self;
}

/// Implements [`Backend::plain_string`] for strings of up to 31 bytes.
#[inline(always)]
pub(super) fn plain_string<V: Short>(
    machine: V::Machine,
    text: &[u8],
    start: usize,
) -> Option<usize> {
    let rest = text.get(start..)?;
    let length = match rest.first_chunk() {
        Some(bytes) => plain_length(V::load(machine, bytes), 0),
        // Near the end of the text, the vector begins before the string.
        None => plain_length(V::load(machine, text.last_chunk()?), 32 - rest.len() as u32),
    };
    Some(start + length?)
}

/// Returns the number of plain bytes from the byte `from` to a quote.
#[inline(always)]
fn plain_length<V: Short>(bytes: V, from: u32) -> Option<usize> {
    let quotes = bytes.equals(b'"').high_bits().checked_shr(from)?;
    // Backslashes, control characters, and bytes that are not ASCII.
    let others = bytes.equals(b'\\').or(bytes.less_than(0x20)).high_bits() >> from;
    let to_quote = quotes ^ quotes.wrapping_sub(1);
    (quotes != 0 && others & to_quote == 0).then(|| quotes.trailing_zeros() as usize)
}

/// Implements [`Backend::space`] for white space that ends within 32 bytes.
#[inline(always)]
pub(super) fn short_space<V: Short>(machine: V::Machine, text: &[u8], pos: usize) -> Option<usize> {
    let bytes = text.get(pos..)?.first_chunk()?;
    let spaces = V::load(machine, bytes).is_space().high_bits();
    (spaces != u32::MAX).then(|| pos + spaces.trailing_ones() as usize)
}

/// Implements [`Backend::space`].
#[inline(always)]
pub(super) fn space<V: Short>(machine: V::Machine, text: &[u8], mut pos: usize) -> usize {
    while let Some(bytes) = text.get(pos..).and_then(<[u8]>::first_chunk) {
        let spaces = V::load(machine, bytes).is_space().high_bits();
        if spaces != u32::MAX {
            return pos + spaces.trailing_ones() as usize;
        }
        pos += 32;
    }
    Portable.space(text, pos)
}
