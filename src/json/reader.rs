//! A scanner for code that calls itself for each level of a value.

use super::{Error, Kind, Scanner, Str, Value};

/// Reads like a [`Scanner`], whose code becomes part of what uses it. Without optimization,
/// a function that calls itself then has a frame of 8 KB, and 127 levels of those overflow
/// the stack of a thread. The methods of this type are calls.
pub(crate) struct Reader<'a>(Scanner<'a>);

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, Error> {
        Scanner::new(text).map(Self)
    }

    pub(crate) const fn text(&self) -> &'a [u8] {
        self.0.text()
    }

    #[inline(never)]
    pub(crate) fn peek(&mut self) -> Result<Kind, Error> {
        self.0.peek()
    }

    #[inline(never)]
    pub(crate) fn open(&mut self) -> Result<bool, Error> {
        self.0.open()
    }

    #[inline(never)]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, Error> {
        self.0.more(close)
    }

    #[inline(never)]
    pub(crate) fn key(&mut self) -> Result<Str, Error> {
        self.0.key()
    }

    #[inline(never)]
    pub(crate) fn string(&mut self) -> Result<Str, Error> {
        self.0.string()
    }

    #[inline(never)]
    pub(crate) fn skip_peeked(&mut self, kind: Kind) -> Result<Value, Error> {
        self.0.skip_peeked(kind)
    }

    #[inline(never)]
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.0.finish()
    }
}
