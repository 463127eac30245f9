//! The judge of tests and fuzzing: all back ends return the same results.

#![allow(clippy::unwrap_used, reason = "a judge that cannot go on has failed")]

use super::{Backend, Scanner, StringEnd, portable::Portable};
use crate::json::{Error, Value};

/// The results of one back end for one text.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) value: Result<Value, Error>,
    pub(crate) string: Result<StringEnd, Error>,
    pub(crate) space: usize,
}

/// Reads `text` as a value, and from `start` as a string and as white space.
fn outcome<B: Backend>(backend: B, text: &[u8], start: usize) -> Outcome {
    let mut scanner = Scanner::with_backend(text, backend).unwrap();
    let value = scanner.skip();
    let string = backend.string(text, start);
    if let Some(quote) = backend.plain_string(text, start) {
        let escaped = false;
        assert_eq!(string, Ok(StringEnd { quote, escaped }), "{text:?} {start}");
    }
    Outcome {
        value: value.and_then(|value| scanner.finish().map(|()| value)),
        string,
        space: backend.space(text, start),
    }
}

/// Checks that all back ends return the same results, and returns them.
pub(crate) fn agree(text: &[u8], start: usize) -> Outcome {
    let portable = outcome(Portable, text, start);
    #[cfg(target_arch = "x86_64")]
    {
        use super::x86::{Avx2, Sse2};
        let sse2 = outcome(Sse2, text, start);
        assert_eq!(sse2, portable, "SSE2: {text:?} {start}");
        if let Some(avx2) = Avx2::detect() {
            let avx2 = outcome(avx2, text, start);
            assert_eq!(avx2, portable, "AVX2: {text:?} {start}");
        }
    }
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    {
        let neon = outcome(super::neon::Neon, text, start);
        assert_eq!(neon, portable, "NEON: {text:?} {start}");
    }
    portable
}
