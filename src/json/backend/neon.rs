//! The vectors of aarch64. Only this file and `x86.rs` have `unsafe` code.
//!
//! It is sound for two reasons. First, NEON is part of aarch64, so every machine runs these
//! instructions. Second, memory is read through references to arrays of the length that
//! is read.
//!
//! NEON cannot collect one bit per byte in one instruction. Two others take its place:
//! 16 bytes are narrowed to four bits each, and 64 bytes are loaded so that four vectors
//! hold every fourth byte, which shifts then interleave.

#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::{
    super::{Scanner, error::Error},
    Backend, Pass, StringEnd,
    portable::Portable,
    simd::{self, Vector},
    tables::{ESCAPE_LETTERS, HEX_DIGITS, HIGH, LOW, SPACES},
};

/// Runs on any aarch64 machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Neon;

impl Backend for Neon {
    /// Reads strings of up to 31 bytes, 16 at a time.
    #[inline(always)]
    fn plain_string(self, text: &[u8], start: usize) -> Option<usize> {
        for start in [start, start + 16] {
            let rest = text.get(start..)?;
            let length = match rest.first_chunk() {
                Some(bytes) => Short::load(bytes).plain_length(0),
                // Near the end of the text, the vector begins before the string.
                None => Short::load(text.last_chunk()?).plain_length(16 - rest.len()),
            };
            match length {
                Length::Known(length) => return Some(start + length),
                Length::NotPlain => return None,
                Length::Longer => {}
            }
        }
        None
    }

    #[inline(never)]
    fn string(self, text: &[u8], start: usize) -> Result<StringEnd, Error> {
        simd::string::<Bytes>(self, text, start)
    }

    #[inline(always)]
    fn space(self, text: &[u8], mut pos: usize) -> usize {
        while let Some(bytes) = text.get(pos..).and_then(<[u8]>::first_chunk) {
            let spaces = Short::load(bytes).spaces();
            if spaces != u64::MAX {
                return pos + spaces.trailing_ones() as usize / 4;
            }
            pos += 16;
        }
        Portable.space(text, pos)
    }

    #[inline(never)]
    fn run<P: Pass>(scanner: Scanner<'_, Self>, pass: P) -> P::Output {
        pass.run(scanner)
    }
}

/// 16 bytes, of which comparisons yield four bits each.
#[derive(Clone, Copy)]
struct Short(uint8x16_t);

/// The length of a string that may be plain: short, ASCII, and without escapes.
enum Length {
    Known(usize),
    NotPlain,
    Longer,
}

impl Short {
    #[inline(always)]
    fn load(bytes: &[u8; 16]) -> Self {
        // SAFETY: the load reads the 16 bytes. NEON is part of aarch64.
        Self(unsafe { vld1q_u8(bytes.as_ptr()) })
    }

    /// Measures the string that starts at the byte `from`.
    #[inline(always)]
    fn plain_length(self, from: usize) -> Length {
        // SAFETY: NEON is part of aarch64.
        let (quotes, others) = unsafe {
            let quotes = vceqq_u8(self.0, vdupq_n_u8(b'"'));
            // As signed numbers, bytes that are not ASCII are less as well.
            let controls = vcltq_s8(vreinterpretq_s8_u8(self.0), vdupq_n_s8(0x20));
            let backslashes = vceqq_u8(self.0, vdupq_n_u8(b'\\'));
            (nibbles(quotes), nibbles(vorrq_u8(controls, backslashes)))
        };
        let from = 4 * from as u32;
        let (quotes, others) = match quotes.checked_shr(from) {
            Some(quotes) => (quotes, others >> from),
            None => return Length::Longer,
        };
        let to_quote = quotes ^ quotes.wrapping_sub(1);
        match (quotes, others & to_quote) {
            (0, 0) => Length::Longer,
            (_, 0) => Length::Known(quotes.trailing_zeros() as usize / 4),
            _ => Length::NotPlain,
        }
    }

    /// Returns four bits for each byte. They are set where it is white space.
    #[inline(always)]
    fn spaces(self) -> u64 {
        // SAFETY: the load reads the 16 bytes of the table. NEON is part of aarch64.
        unsafe {
            let lower = vandq_u8(self.0, vdupq_n_u8(0x0f));
            let space = vqtbl1q_u8(vld1q_u8(SPACES.as_ptr()), lower);
            nibbles(vceqq_u8(space, self.0))
        }
    }
}

/// Narrows the result of a comparison to four bits for each byte, those of the first byte
/// lowest.
#[inline(always)]
fn nibbles(compared: uint8x16_t) -> u64 {
    // SAFETY: NEON is part of aarch64.
    unsafe {
        let narrow = vshrn_n_u16::<4>(vreinterpretq_u16_u8(compared));
        vget_lane_u64::<0>(vreinterpret_u64_u8(narrow))
    }
}

/// 32 bytes in two registers.
#[derive(Clone, Copy)]
struct Bytes([uint8x16_t; 2]);

impl Bytes {
    /// Finds bytes whose groups in the tables [`LOW`] and [`HIGH`] are in `set`.
    #[inline(always)]
    fn belongs_to(self, set: u8) -> Self {
        // SAFETY: the loads read the 16 bytes of each table. NEON is part of aarch64.
        Self(self.0.map(|bytes| unsafe {
            let lower = vandq_u8(bytes, vdupq_n_u8(0x0f));
            let low = vqtbl1q_u8(vld1q_u8(LOW.as_ptr()), lower);
            let high = vqtbl1q_u8(vld1q_u8(HIGH.as_ptr()), vshrq_n_u8::<4>(bytes));
            vtstq_u8(vandq_u8(low, high), vdupq_n_u8(set))
        }))
    }
}

impl Vector for Bytes {
    type Machine = Neon;

    #[inline(always)]
    fn load(_: Neon, bytes: &[u8; 32]) -> Self {
        let from = bytes.as_ptr();
        // SAFETY: the two loads read the 32 bytes. NEON is part of aarch64.
        unsafe { Self([vld1q_u8(from), vld1q_u8(from.add(16))]) }
    }

    /// The first register has the bytes 0, 4, 8, …, the second 1, 5, 9, …, and so on.
    #[inline(always)]
    fn load_block(_: Neon, bytes: &[u8; 64]) -> [Self; 2] {
        // SAFETY: the load reads the 64 bytes. NEON is part of aarch64.
        let uint8x16x4_t(a, b, c, d) = unsafe { vld4q_u8(bytes.as_ptr()) };
        [Self([a, b]), Self([c, d])]
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        // SAFETY: NEON is part of aarch64.
        unsafe { Self([vorrq_u8(a, c), vorrq_u8(b, d)]) }
    }

    #[inline(always)]
    fn xor(self, bits: u8) -> Self {
        // SAFETY: NEON is part of aarch64.
        Self(
            self.0
                .map(|bytes| unsafe { veorq_u8(bytes, vdupq_n_u8(bits)) }),
        )
    }

    #[inline(always)]
    fn equals(self, byte: u8) -> Self {
        // SAFETY: NEON is part of aarch64.
        Self(
            self.0
                .map(|bytes| unsafe { vceqq_u8(bytes, vdupq_n_u8(byte)) }),
        )
    }

    #[inline(always)]
    fn at_most(self, byte: u8) -> Self {
        // SAFETY: NEON is part of aarch64.
        Self(
            self.0
                .map(|bytes| unsafe { vcleq_u8(bytes, vdupq_n_u8(byte)) }),
        )
    }

    #[inline(always)]
    fn is_escape(self) -> Self {
        self.belongs_to(ESCAPE_LETTERS)
    }

    #[inline(always)]
    fn is_hex_digit(self) -> Self {
        self.belongs_to(HEX_DIGITS)
    }

    #[inline(always)]
    fn any(self) -> u32 {
        let [a, b] = self.0;
        // SAFETY: NEON is part of aarch64.
        let highest = unsafe { vmaxvq_u8(vorrq_u8(a, b)) };
        u32::from(highest & 0x80)
    }

    #[inline(always)]
    fn bits([Self([a, b]), Self([c, d])]: [Self; 2]) -> u64 {
        // Each shift inserts below the bits that are kept. Then the upper four bits of a
        // byte belong to four bytes of the block in a row.
        // SAFETY: NEON is part of aarch64.
        unsafe {
            let ab = vsriq_n_u8::<1>(b, a);
            let cd = vsriq_n_u8::<1>(d, c);
            let abcd = vsriq_n_u8::<2>(cd, ab);
            // The lower four bits become the same, so that narrowing takes those of two
            // bytes.
            nibbles(vsriq_n_u8::<4>(abcd, abcd))
        }
    }
}
