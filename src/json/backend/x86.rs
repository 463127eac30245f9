//! The vectors of x86-64. Only this file and `neon.rs` have `unsafe` code.
//!
//! It is sound for two reasons. First, no machine runs an instruction that it doesn't
//! support: SSE2 is part of x86-64, [`Avx2`] is created by [`Avx2::detect`] only, and
//! vectors are loaded with a value of a back end only. Second, memory is read through
//! references to arrays of the length that is read.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{
    super::{Scanner, error::Error},
    Backend, Pass, StringEnd,
    short::{self, Short},
    simd::{self, Vector},
    tables::{ESCAPE_LETTERS, HEX_DIGITS, HIGH, LOW, SPACES},
};

/// Runs on any x86-64 machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sse2;

/// Runs on machines with AVX2, BMI1, BMI2 and LZCNT.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt");
        found.then_some(Self(()))
    }
}

impl Backend for Sse2 {
    #[inline(always)]
    fn plain_string(self, text: &[u8], start: usize) -> Option<usize> {
        short::plain_string::<Bytes128>(self, text, start)
    }

    #[inline(never)]
    fn string(self, text: &[u8], start: usize) -> Result<StringEnd, Error> {
        simd::string::<Bytes128>(self, text, start)
    }

    #[inline(always)]
    fn space(self, text: &[u8], pos: usize) -> usize {
        short::space::<Bytes128>(self, text, pos)
    }

    #[inline(never)]
    fn run<P: Pass>(scanner: Scanner<'_, Self>, pass: P) -> P::Output {
        pass.run(scanner)
    }
}

/// # Safety
///
/// The machine must support AVX2, BMI1, BMI2 and LZCNT.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
unsafe fn string(machine: Avx2, text: &[u8], start: usize) -> Result<StringEnd, Error> {
    simd::string::<Bytes256>(machine, text, start)
}

/// # Safety
///
/// The machine must support AVX2, BMI1, BMI2 and LZCNT.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
unsafe fn space(machine: Avx2, text: &[u8], pos: usize) -> usize {
    short::space::<Bytes256>(machine, text, pos)
}

/// # Safety
///
/// The machine must support AVX2, BMI1, BMI2 and LZCNT.
#[inline(never)]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
unsafe fn run<P: Pass>(scanner: Scanner<'_, Avx2>, pass: P) -> P::Output {
    pass.run(scanner)
}

impl Backend for Avx2 {
    #[inline(always)]
    fn plain_string(self, text: &[u8], start: usize) -> Option<usize> {
        short::plain_string::<Bytes256>(self, text, start)
    }

    #[inline(always)]
    fn string(self, text: &[u8], start: usize) -> Result<StringEnd, Error> {
        // SAFETY: `self` proves that the machine supports the features.
        unsafe { string(self, text, start) }
    }

    #[inline(always)]
    fn space(self, text: &[u8], pos: usize) -> usize {
        // Most white space ends within 32 bytes.
        if let Some(end) = short::short_space::<Bytes256>(self, text, pos) {
            return end;
        }
        // SAFETY: `self` proves that the machine supports the features.
        unsafe { space(self, text, pos) }
    }

    #[inline(always)]
    fn run<P: Pass>(scanner: Scanner<'_, Self>, pass: P) -> P::Output {
        // SAFETY: the scanner's `Avx2` proves that the machine supports the features.
        unsafe { run(scanner, pass) }
    }
}

/// 32 bytes in two SSE2 registers.
#[derive(Clone, Copy)]
struct Bytes128([__m128i; 2]);

impl Bytes128 {
    #[inline(always)]
    fn each(self, f: impl Fn(__m128i) -> __m128i) -> Self {
        Self([f(self.0[0]), f(self.0[1])])
    }

    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(__m128i, __m128i) -> __m128i) -> Self {
        Self([f(self.0[0], other.0[0]), f(self.0[1], other.0[1])])
    }

    /// Finds bytes from `first` to `last`.
    #[inline(always)]
    fn between(self, first: u8, last: u8) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        self.each(|bytes| unsafe { _mm_sub_epi8(bytes, _mm_set1_epi8(first as i8)) })
            .at_most(last - first)
    }
}

impl Vector for Bytes128 {
    type Machine = Sse2;

    #[inline(always)]
    fn load(_: Sse2, bytes: &[u8; 32]) -> Self {
        let from = bytes.as_ptr().cast::<__m128i>();
        // SAFETY: the two unaligned loads read the 32 bytes. SSE2 is part of x86-64.
        unsafe { Self([_mm_loadu_si128(from), _mm_loadu_si128(from.add(1))]) }
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        self.with(other, |a, b| unsafe { _mm_or_si128(a, b) })
    }

    #[inline(always)]
    fn xor(self, bits: u8) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        self.each(|bytes| unsafe { _mm_xor_si128(bytes, _mm_set1_epi8(bits as i8)) })
    }

    #[inline(always)]
    fn equals(self, byte: u8) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        self.each(|bytes| unsafe { _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte as i8)) })
    }

    #[inline(always)]
    fn at_most(self, byte: u8) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        self.each(|bytes| unsafe {
            _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(byte as i8)), bytes)
        })
    }

    #[inline(always)]
    fn is_escape(self) -> Self {
        b"\\/bfnrtu"
            .iter()
            .fold(self.equals(b'"'), |known, &letter| {
                known.or(self.equals(letter))
            })
    }

    #[inline(always)]
    fn is_hex_digit(self) -> Self {
        let letters = self.between(b'a', b'f').or(self.between(b'A', b'F'));
        letters.or(self.between(b'0', b'9'))
    }

    #[inline(always)]
    fn bits([low, high]: [Self; 2]) -> u64 {
        u64::from(high.high_bits()) << 32 | u64::from(low.high_bits())
    }

    #[inline(always)]
    fn any(self) -> u32 {
        self.high_bits()
    }
}

impl Short for Bytes128 {
    #[inline(always)]
    fn high_bits(self) -> u32 {
        // SAFETY: SSE2 is part of x86-64.
        let [low, high] = self.0.map(|half| unsafe { _mm_movemask_epi8(half) as u32 });
        high << 16 | low
    }

    #[inline(always)]
    fn less_than(self, byte: u8) -> Self {
        // SAFETY: SSE2 is part of x86-64.
        self.each(|bytes| unsafe { _mm_cmplt_epi8(bytes, _mm_set1_epi8(byte as i8)) })
    }

    #[inline(always)]
    fn is_space(self) -> Self {
        let line = self.equals(b'\n').or(self.equals(b'\r'));
        line.or(self.equals(b' ')).or(self.equals(b'\t'))
    }
}

/// 32 bytes in one AVX2 register.
#[derive(Clone, Copy)]
struct Bytes256(__m256i);

impl Bytes256 {
    /// Looks up the low four bits of each byte. The result is 0 for bytes that are not
    /// ASCII.
    #[inline(always)]
    fn look_up(self, table: [u8; 16]) -> Self {
        let table = table.as_ptr().cast::<__m128i>();
        // SAFETY: the unaligned load reads the 16 bytes of the table.
        // `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe {
            let table = _mm256_broadcastsi128_si256(_mm_loadu_si128(table));
            Self(_mm256_shuffle_epi8(table, self.0))
        }
    }

    /// Finds bytes that have any of the bits of `set`.
    #[inline(always)]
    fn has_any(self, set: u8) -> Self {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe {
            let common = _mm256_and_si256(self.0, _mm256_set1_epi8(set as i8));
            Self(_mm256_cmpgt_epi8(common, _mm256_setzero_si256()))
        }
    }

    /// Returns the groups of each byte: those in both [`LOW`] and [`HIGH`].
    #[inline(always)]
    fn groups(self) -> Self {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe {
            let upper = _mm256_srli_epi16::<4>(self.0);
            let upper = Self(_mm256_and_si256(upper, _mm256_set1_epi8(0x0f)));
            let [low, high] = [self.look_up(LOW), upper.look_up(HIGH)];
            Self(_mm256_and_si256(low.0, high.0))
        }
    }
}

impl Vector for Bytes256 {
    type Machine = Avx2;

    #[inline(always)]
    fn load(_: Avx2, bytes: &[u8; 32]) -> Self {
        // SAFETY: the unaligned load reads the 32 bytes. The `Avx2` proves that the machine
        // supports it.
        unsafe { Self(_mm256_loadu_si256(bytes.as_ptr().cast())) }
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe { Self(_mm256_or_si256(self.0, other.0)) }
    }

    #[inline(always)]
    fn xor(self, bits: u8) -> Self {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe { Self(_mm256_xor_si256(self.0, _mm256_set1_epi8(bits as i8))) }
    }

    #[inline(always)]
    fn equals(self, byte: u8) -> Self {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe { Self(_mm256_cmpeq_epi8(self.0, _mm256_set1_epi8(byte as i8))) }
    }

    #[inline(always)]
    fn at_most(self, byte: u8) -> Self {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe {
            let bound = _mm256_set1_epi8(byte as i8);
            Self(_mm256_cmpeq_epi8(_mm256_min_epu8(self.0, bound), self.0))
        }
    }

    #[inline(always)]
    fn is_escape(self) -> Self {
        self.groups().has_any(ESCAPE_LETTERS)
    }

    #[inline(always)]
    fn is_hex_digit(self) -> Self {
        self.groups().has_any(HEX_DIGITS)
    }

    #[inline(always)]
    fn bits([low, high]: [Self; 2]) -> u64 {
        u64::from(high.high_bits()) << 32 | u64::from(low.high_bits())
    }

    #[inline(always)]
    fn any(self) -> u32 {
        self.high_bits()
    }
}

impl Short for Bytes256 {
    #[inline(always)]
    fn high_bits(self) -> u32 {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe { _mm256_movemask_epi8(self.0) as u32 }
    }

    #[inline(always)]
    fn less_than(self, byte: u8) -> Self {
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe { Self(_mm256_cmpgt_epi8(_mm256_set1_epi8(byte as i8), self.0)) }
    }

    #[inline(always)]
    fn is_space(self) -> Self {
        let space = self.look_up(SPACES);
        // SAFETY: `load`, which requires an `Avx2`, is the only source of vectors.
        unsafe { Self(_mm256_cmpeq_epi8(space.0, self.0)) }
    }
}
