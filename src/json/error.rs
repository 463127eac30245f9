//! What was wrong with a text, and where.

use std::fmt;

/// The first thing that is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) kind: ErrorKind,
    /// 32 bits, as in a span, keep a `Result` with an error in it in registers.
    offset: u32,
}

// As wide as the offset, so that a `Result` is moved in whole words: a byte that
// is read back as part of a word stalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum ErrorKind {
    UnexpectedEnd,
    ExpectedValue,
    ExpectedKey,
    ExpectedColon,
    ExpectedCommaOrClose,
    ControlCharacter,
    InvalidEscape,
    InvalidUtf8,
    InvalidNumber,
    InvalidLiteral,
    TooDeep,
    TrailingBytes,
    TooLong,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnexpectedEnd => "the text ends too early",
            Self::ExpectedValue => "expected a value",
            Self::ExpectedKey => "expected a key in quotes",
            Self::ExpectedColon => "expected a colon",
            Self::ExpectedCommaOrClose => "expected a comma or a closing bracket",
            Self::ControlCharacter => "a control character must be escaped in a string",
            Self::InvalidEscape => "invalid escape",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::InvalidNumber => "invalid number",
            Self::InvalidLiteral => "expected true, false or null",
            Self::TooDeep => "nested deeper than 127 levels",
            Self::TrailingBytes => "bytes after the end of the value",
            Self::TooLong => "4 GiB or longer",
        })
    }
}

impl Error {
    /// The scanner refuses texts whose offsets don't fit, so the cast never cuts.
    pub(super) const fn new(kind: ErrorKind, offset: usize) -> Self {
        Self {
            kind,
            offset: offset as u32,
        }
    }

    /// The offset of the first byte that can't stand where it stands; for invalid
    /// UTF-8 the first byte of the broken sequence; the text's length if it ended
    /// too early.
    pub(crate) const fn offset(self) -> usize {
        self.offset as usize
    }

    /// Line and column of the error in `text`, both counted from 1, the column
    /// in bytes.
    pub(crate) fn line_and_column(&self, text: &[u8]) -> (usize, usize) {
        let before = &text[..self.offset().min(text.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        (line, before.len() - line_start + 1)
    }
}
