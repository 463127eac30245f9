//! The seam between the scanner and the machine: whatever looks at more than one
//! byte at a time. All back ends agree to the byte, and to the kind and the
//! offset of an error.
//!
//! - [`portable::Portable`] runs everywhere.
//! - [`x86::Sse2`] is what every x86-64 machine has, [`x86::Avx2`] what nearly
//!   all have. Both are the algorithms of `simd.rs` over the vectors of `x86.rs`.

mod portable;
#[cfg(target_arch = "x86_64")]
mod simd;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use super::{Scanner, error::Error};

/// What needs no look at the machine.
#[cfg(target_arch = "x86_64")]
pub(crate) type Base = x86::Sse2;
#[cfg(not(target_arch = "x86_64"))]
pub(crate) type Base = portable::Portable;

/// A way to look at many bytes at a time. A value of such a type is the proof
/// that this machine has the instructions.
pub(crate) trait Backend: Copy + std::fmt::Debug {
    /// Reads a string that is short and plain ASCII without escapes, as most are:
    /// the offset of its closing quote. None if it is something else; a back end
    /// decides what is short.
    fn plain_string(self, text: &[u8], start: usize) -> Option<usize>;

    /// Reads any string; its opening quote stands at `start - 1`.
    fn string(self, text: &[u8], start: usize) -> Result<StringEnd, Error>;

    /// Skips white space: the offset of the next other byte.
    fn space(self, text: &[u8], pos: usize) -> usize;

    /// Runs a pass in a function of its own, compiled for the instructions of
    /// this back end.
    fn run<P: Pass>(scanner: Scanner<'_, Self>, pass: P) -> P::Output;
}

/// Something that reads with a scanner, whatever the back end is.
pub(crate) trait Pass {
    type Output;

    /// To be marked `#[inline(always)]`, with every function in it that uses the
    /// scanner, and without closures that do: only what is inlined is compiled
    /// for the instructions of the back end. All else is right, but slow.
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Self::Output;
}

/// Runs a pass over `text` with the best back end that this machine has. Looks
/// at the machine once, here, and never again on the way.
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

/// Where a string ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StringEnd {
    /// The offset of the closing quote.
    pub(crate) quote: usize,
    pub(crate) escaped: bool,
}
