//! The parts of the scanner that read more than one byte at a time, in several
//! implementations. All of them return the same results, including the kind and offset
//! of errors.
//!
//! - [`portable::Portable`] runs on every machine and uses SIMD only within `memchr` and
//!   `simdutf8`.
//! - [`x86::Sse2`] runs on every x86-64 machine, [`x86::Avx2`] on nearly all of them.
//! - [`neon::Neon`] runs on every little-endian aarch64 machine.
//!
//! The last three read long strings with the algorithms of `simd.rs`.

#[cfg(any(fuzzing, test))]
pub(super) mod agreement;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod short;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little")
))]
mod simd;
#[cfg(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little")
))]
mod tables;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::{Scanner, error::Error};

/// The back end that needs no CPU detection.
#[cfg(target_arch = "x86_64")]
pub(crate) type Base = x86::Sse2;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
pub(crate) type Base = neon::Neon;
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "aarch64", target_endian = "little")
)))]
pub(crate) type Base = portable::Portable;

/// Reads strings and white space. A value of such a type proves that the machine supports
/// its instructions.
pub(crate) trait Backend: Copy + std::fmt::Debug {
    /// Reads a short string of ASCII without escapes, as most strings are, and returns the
    /// offset of its closing quote. Returns `None` for any other string. The back end
    /// defines what is short.
    fn plain_string(self, text: &[u8], start: usize) -> Option<usize>;

    /// Reads any string. Its opening quote is at `start - 1`.
    fn string(self, text: &[u8], start: usize) -> Result<StringEnd, Error>;

    /// Skips white space and returns the offset after it.
    fn space(self, text: &[u8], pos: usize) -> usize;

    /// Runs a pass in a function that is compiled for the instructions of this back end.
    fn run<P: Pass>(scanner: Scanner<'_, Self>, pass: P) -> P::Output;
}

/// A function that reads with a scanner of any back end.
pub(crate) trait Pass {
    type Output;

    /// Reads with the scanner.
    ///
    /// Mark this function and every function in it that uses the scanner
    /// `#[inline(always)]`, and use no closures that do. Code that is not inlined is
    /// correct, but not compiled for the instructions of the back end.
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Self::Output;
}

/// Runs a pass over `text` with the fastest back end that the machine supports.
pub(crate) fn scan<T, P>(text: &[u8], pass: P) -> Result<T, Error>
where
    P: Pass<Output = Result<T, Error>>,
{
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = x86::Avx2::detect() {
        return Backend::run(Scanner::with_backend(text, avx2)?, pass);
    }
    Backend::run(Scanner::new(text)?, pass)
}

/// The end of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StringEnd {
    /// The offset of the closing quote.
    pub(crate) quote: usize,
    /// Whether the string contains escapes.
    pub(crate) escaped: bool,
}
