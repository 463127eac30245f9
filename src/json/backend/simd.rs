//! Reads strings and white space with vectors of any machine.
//!
//! A string that these functions don't accept is read again by the portable back end,
//! which locates the error.

use super::{Backend, StringEnd, portable::Portable};
use crate::json::error::Error;

/// A vector of 32 bytes. Comparisons set or clear all bits of each byte.
pub(super) trait Vector: Copy {
    /// Proves that the machine supports these vectors.
    type Machine: Copy;

    fn load(machine: Self::Machine, bytes: &[u8; 32]) -> Self;
    /// Loads 64 bytes, each to the place where [`bits`](Self::bits) expects it.
    #[inline(always)]
    fn load_block(machine: Self::Machine, bytes: &[u8; 64]) -> [Self; 2] {
        [vector(machine, bytes, 0), vector(machine, bytes, 32)]
    }
    fn or(self, other: Self) -> Self;
    /// Inverts the bits of each byte that are set in `bits`.
    fn xor(self, bits: u8) -> Self;
    fn equals(self, byte: u8) -> Self;
    /// Compares as unsigned numbers.
    fn at_most(self, byte: u8) -> Self;
    /// Finds letters that are valid after a backslash.
    fn is_escape(self) -> Self;
    fn is_hex_digit(self) -> Self;
    /// Returns a number that is not 0 if the high bit of any byte is set.
    fn any(self) -> u32;
    /// Collects the high bits of all bytes of a block. That of the first byte is the
    /// lowest.
    fn bits(block: [Self; 2]) -> u64;
}

/// Implements [`Backend::string`].
#[inline(always)]
pub(super) fn string<V: Vector>(
    machine: V::Machine,
    text: &[u8],
    start: usize,
) -> Result<StringEnd, Error> {
    match accept::<V>(machine, text, start) {
        Some(end) => Ok(end),
        None => Portable.string(text, start),
    }
}

/// The number of plain blocks in a row after which [`plain_run`] is tried.
const LONG: u32 = 4;

/// The number of escapes that are read one by one in a block. If there are more,
/// [`escapes`] reads the following bytes.
const FEW: u32 = 3;

/// Reads a string in blocks of 64 bytes. Returns `None` if it is invalid.
#[inline(always)]
fn accept<V: Vector>(machine: V::Machine, text: &[u8], start: usize) -> Option<StringEnd> {
    let mut pos = start;
    let mut escaped = false;
    // Not 0 if any byte is not ASCII.
    let mut high = 0;
    let mut plain = 0;
    let quote = 'string: loop {
        let block = Block::<V>::at(machine, text, pos);
        let mut stops = block.special();
        if stops == 0 {
            high |= block.any_non_ascii();
            pos += 64;
            plain += 1;
            if plain == LONG {
                let more;
                (pos, more) = plain_run::<V>(machine, text, pos);
                high |= more;
                plain = 0;
            }
            continue;
        }
        plain = 0;
        let mut few = 0;
        pos = loop {
            let gap = stops.trailing_zeros() as usize;
            let stop = pos + gap;
            match *text.get(stop)? {
                b'"' => {
                    high |= u32::from(block.non_ascii() & !(u64::MAX << gap) != 0);
                    break 'string stop;
                }
                b'\\' => {}
                _ => return None,
            }
            escaped = true;
            let behind = gap + escape(text, stop)?;
            if behind > 64 {
                high |= block.any_non_ascii();
                break crossing(pos, behind);
            }
            stops &= u64::MAX.checked_shl(behind as u32).unwrap_or(0);
            if stops == 0 {
                high |= block.any_non_ascii();
                break pos + 64;
            }
            few += 1;
            if few == FEW {
                high |= block.any_non_ascii();
                let end = escapes::<V>(machine, text, pos + behind, &mut high)?;
                if text.get(end) == Some(&b'"') {
                    break 'string end;
                }
                break end;
            }
        };
    };
    let is_text = high == 0 || simdutf8::basic::from_utf8(&text[start..quote]).is_ok();
    is_text.then_some(StringEnd { quote, escaped })
}

/// Returns where to continue after an escape that ends in the next block. As a call and
/// not a conditional move, this saves 2 % of the time for 58 KB with 128 tools, and costs
/// 2 % for 300 KB of code in one string.
#[cold]
#[inline(never)]
const fn crossing(pos: usize, behind: usize) -> usize {
    pos + behind
}

/// Returns the length of the escape at `at`, or `None` if it is invalid.
#[inline(always)]
fn escape(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => {
            let digits: &[u8; 4] = text.get(at + 2..)?.first_chunk()?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        _ => None,
    }
}

/// Skips blocks that contain escapes, without a branch per escape. Returns the offset of
/// the closing quote, or of the first block without escapes.
#[inline(always)]
fn escapes<V: Vector>(
    machine: V::Machine,
    text: &[u8],
    mut pos: usize,
    high: &mut u32,
) -> Option<usize> {
    let mut escapes = Escapes::default();
    loop {
        let block = Block::<V>::at(machine, text, pos);
        let quotes = block.equals(b'"');
        let backslashes = block.equals(b'\\');
        if backslashes == 0 && escapes.none_open() {
            return Some(pos);
        }
        let inside = escapes.next(&block, backslashes);
        let ends = quotes & !inside.escaped;
        // All bytes up to the closing quote, or all of the block.
        let ours = ends ^ ends.wrapping_sub(1);
        if (block.at_most(0x1f) | inside.bad) & ours != 0 {
            return None;
        }
        *high |= u32::from(block.non_ascii() & ours != 0);
        if ends != 0 {
            return Some(pos + ends.trailing_zeros() as usize);
        }
        pos += 64;
    }
}

/// Skips 128 bytes at a time while none of them is special. Returns the offset where that
/// ends, and a number that is not 0 if any byte was not ASCII.
#[inline(always)]
fn plain_run<V: Vector>(machine: V::Machine, text: &[u8], mut pos: usize) -> (usize, u32) {
    // Start at a multiple of 64, a few plain bytes back: 4 % less time for 1 MB of
    // Chinese.
    pos -= text[pos..].as_ptr().addr() % 64;
    let mut high = 0;
    while let Some(run) = text.get(pos..).and_then(<[u8]>::first_chunk::<128>) {
        let a: V = vector(machine, run, 0);
        let b: V = vector(machine, run, 32);
        let c: V = vector(machine, run, 64);
        let d: V = vector(machine, run, 96);
        let stops = special(a).or(special(b)).or(special(c).or(special(d)));
        if stops.any() != 0 {
            break;
        }
        high |= a.or(b).or(c.or(d)).any();
        pos += 128;
    }
    (pos, high)
}

/// Finds quotes, backslashes and control characters.
#[inline(always)]
fn special<V: Vector>(bytes: V) -> V {
    // This exchanges quotes with spaces, and control characters with each other. Then one
    // comparison finds both.
    let exchanged = bytes.xor(b'"' ^ b' ');
    exchanged.at_most(b' ').or(bytes.equals(b'\\'))
}

/// 64 bytes of the text. Bytes beyond its end are 0, which is invalid in a string.
struct Block<V>([V; 2]);

impl<V: Vector> Block<V> {
    #[inline(always)]
    fn at(machine: V::Machine, text: &[u8], pos: usize) -> Self {
        let rest = &text[pos.min(text.len())..];
        match rest.first_chunk() {
            Some(bytes) => Self(V::load_block(machine, bytes)),
            None => {
                let mut padded = [0; 64];
                padded[..rest.len()].copy_from_slice(rest);
                Self(V::load_block(machine, &padded))
            }
        }
    }

    #[inline(always)]
    fn equals(&self, byte: u8) -> u64 {
        let [a, b] = self.0;
        V::bits([a.equals(byte), b.equals(byte)])
    }

    #[inline(always)]
    fn at_most(&self, byte: u8) -> u64 {
        let [a, b] = self.0;
        V::bits([a.at_most(byte), b.at_most(byte)])
    }

    #[inline(always)]
    fn special(&self) -> u64 {
        let [a, b] = self.0;
        V::bits([special(a), special(b)])
    }

    #[inline(always)]
    fn non_ascii(&self) -> u64 {
        V::bits(self.0)
    }

    /// Returns a number that is not 0 if any byte is not ASCII.
    #[inline(always)]
    fn any_non_ascii(&self) -> u32 {
        let [a, b] = self.0;
        a.or(b).any()
    }

    #[inline(always)]
    fn escapes(&self) -> u64 {
        let [a, b] = self.0;
        V::bits([a.is_escape(), b.is_escape()])
    }

    #[inline(always)]
    fn hex_digits(&self) -> u64 {
        let [a, b] = self.0;
        V::bits([a.is_hex_digit(), b.is_hex_digit()])
    }
}

/// The state of an escape that continues in the next block.
#[derive(Default)]
struct Escapes {
    /// 1 if the next block's first byte is escaped.
    escaped: u64,
    /// The bytes of the next block that must be hexadecimal digits.
    digits: u64,
}

/// The escapes of one block.
struct Inside {
    /// The bytes that a backslash escapes.
    escaped: u64,
    /// The bytes that are invalid in an escape.
    bad: u64,
}

impl Escapes {
    #[inline(always)]
    const fn none_open(&self) -> bool {
        self.escaped | self.digits == 0
    }

    /// Reads all escapes of a block at once, without a branch per escape.
    #[inline(always)]
    fn next<V: Vector>(&mut self, block: &Block<V>, backslashes: u64) -> Inside {
        let escaped = self.escaped(backslashes);
        let mut bad = escaped & !block.escapes();
        let unicode = escaped & block.equals(b'u');
        if unicode | self.digits != 0 {
            let two = unicode << 1 | unicode << 2;
            let digits = self.digits | two | two << 2;
            let two = unicode >> 60 | unicode >> 61;
            self.digits = two | two >> 2;
            bad |= digits & !block.hex_digits();
        }
        Inside { escaped, bad }
    }

    /// Returns the escaped bytes: every other one in a row of backslashes, and the byte
    /// after an odd number of them. The carry of an addition finds the ends of the rows.
    #[inline(always)]
    const fn escaped(&mut self, backslashes: u64) -> u64 {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        let backslashes = backslashes & !self.escaped;
        let follows = backslashes << 1 | self.escaped;
        let odd_starts = backslashes & !EVEN & !follows;
        let (even_rows, carry) = odd_starts.overflowing_add(backslashes);
        self.escaped = carry as u64;
        (EVEN ^ even_rows << 1) & follows
    }
}

/// Loads the vector that starts at `at`, which must be at most `N - 32`.
#[inline(always)]
fn vector<V: Vector, const N: usize>(machine: V::Machine, bytes: &[u8; N], at: usize) -> V {
    let mut part = [0; 32];
    part.copy_from_slice(&bytes[at..at + 32]);
    V::load(machine, &part)
}
