//! The one pass over the text.

use super::{
    error::{Error, ErrorKind},
    portable,
    span::{Kind, Span, Str, Value},
};

/// The deepest nesting that is read, counted in brackets. serde_json has the
/// same bound; a deeper body is nobody's chat request.
const MAX_DEPTH: u32 = 127;

/// Walks a JSON text from left to right and validates every byte of it (RFC
/// 8259, and UTF-8 in strings). The caller opens the containers it wants to
/// look into and skips every other value:
///
/// ```text
/// scanner.open()?  then per member  scanner.key()?  scanner.skip()?  scanner.more()?
/// ```
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    pos: usize,
    depth: u32,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, Error> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::new(ErrorKind::TooLong, u32::MAX as usize));
        }
        Ok(Self {
            text,
            pos: 0,
            depth: 0,
        })
    }

    pub(crate) const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The offset of the next byte to be read.
    pub(crate) const fn pos(&self) -> usize {
        self.pos
    }

    /// What the next value is, without reading it.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Result<Kind, Error> {
        self.pos = space(self.text, self.pos);
        match byte(self.text, self.pos) {
            b'"' => Ok(Kind::String),
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::Array),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            b't' => Ok(Kind::True),
            b'f' => Ok(Kind::False),
            b'n' => Ok(Kind::Null),
            _ => Err(self.unexpected(ErrorKind::ExpectedValue)),
        }
    }

    /// Opens the object or array that [`peek`](Self::peek) announced. Says
    /// whether there is anything in it; if not, it is closed again.
    #[inline(always)]
    pub(crate) fn open(&mut self) -> Result<bool, Error> {
        let close = byte(self.text, self.pos) + 2;
        if self.depth == MAX_DEPTH {
            return Err(Error::new(ErrorKind::TooDeep, self.pos));
        }
        self.pos = space(self.text, self.pos + 1);
        if byte(self.text, self.pos) == close {
            self.pos += 1;
            return Ok(false);
        }
        self.depth += 1;
        Ok(true)
    }

    /// After a member or an element of a container closed by `close`: is there
    /// another one? If not, the container is closed.
    #[inline(always)]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, Error> {
        self.pos = space(self.text, self.pos);
        let byte = byte(self.text, self.pos);
        if byte == b',' {
            self.pos += 1;
            Ok(true)
        } else if byte == close {
            self.pos += 1;
            self.depth -= 1;
            Ok(false)
        } else {
            Err(self.unexpected(ErrorKind::ExpectedCommaOrClose))
        }
    }

    /// Reads a key and the colon behind it.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<Str, Error> {
        self.pos = space(self.text, self.pos);
        if byte(self.text, self.pos) != b'"' {
            return Err(self.unexpected(ErrorKind::ExpectedKey));
        }
        let key = self.string()?;
        self.pos = space(self.text, self.pos);
        if byte(self.text, self.pos) != b':' {
            return Err(self.unexpected(ErrorKind::ExpectedColon));
        }
        self.pos += 1;
        Ok(key)
    }

    /// Reads the string that [`peek`](Self::peek) announced.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<Str, Error> {
        let start = self.pos;
        let (quote, escaped) = match portable::plain_string(self.text, start + 1) {
            Some(quote) => (quote, false),
            None => {
                let end = portable::string(self.text, start + 1)?;
                (end.quote, end.escaped)
            }
        };
        self.pos = quote + 1;
        Ok(Str {
            span: Span::new(start, self.pos),
            escaped,
        })
    }

    /// Validates the next value, whatever it is, and goes past it.
    #[inline(always)]
    pub(crate) fn skip(&mut self) -> Result<Value, Error> {
        let kind = self.peek()?;
        let start = self.pos;
        let mut escaped = false;
        match kind {
            Kind::Object | Kind::Array => self.skip_container()?,
            Kind::String => escaped = self.string()?.escaped,
            scalar => self.skip_scalar(scalar)?,
        }
        Ok(Value {
            kind,
            span: Span::new(start, self.pos),
            escaped,
        })
    }

    /// After the root value: nothing but white space may follow.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.pos = space(self.text, self.pos);
        if self.pos < self.text.len() {
            return Err(Error::new(ErrorKind::TrailingBytes, self.pos));
        }
        Ok(())
    }

    /// Goes past a container and everything in it. The open brackets are kept
    /// as bits, so that no text can make this recurse.
    #[inline(never)]
    fn skip_container(&mut self) -> Result<(), Error> {
        // A copy of its own stays in registers.
        let mut scanner = Self { ..*self };
        let outside = scanner.depth;
        // One bit for each open bracket, the innermost lowest: 1 is an object.
        let mut objects: u128 = 0;
        // Before an opening bracket, a key or a value.
        loop {
            match scanner.peek()? {
                Kind::String => drop(scanner.string()?),
                kind @ (Kind::Object | Kind::Array) => {
                    let is_object = kind == Kind::Object;
                    if scanner.open()? {
                        objects = objects << 1 | u128::from(is_object);
                        if is_object {
                            scanner.key()?;
                        }
                        continue;
                    }
                }
                scalar => scanner.skip_scalar(scalar)?,
            }
            // Behind a value: close what is closed here.
            loop {
                if scanner.depth == outside {
                    *self = scanner;
                    return Ok(());
                }
                let in_object = objects & 1 == 1;
                if scanner.more(if in_object { b'}' } else { b']' })? {
                    if in_object {
                        scanner.key()?;
                    }
                    break;
                }
                objects >>= 1;
            }
        }
    }

    fn skip_scalar(&mut self, kind: Kind) -> Result<(), Error> {
        match kind {
            Kind::True => self.literal(b"true"),
            Kind::False => self.literal(b"false"),
            Kind::Null => self.literal(b"null"),
            _ => self.number(),
        }
    }

    #[inline(always)]
    fn literal(&mut self, literal: &'static [u8]) -> Result<(), Error> {
        let rest = &self.text[self.pos..];
        if rest.starts_with(literal) {
            self.pos += literal.len();
            return Ok(());
        }
        self.pos += rest.iter().zip(literal).take_while(|(a, b)| a == b).count();
        Err(self.unexpected(ErrorKind::InvalidLiteral))
    }

    fn number(&mut self) -> Result<(), Error> {
        let text = self.text;
        if byte(text, self.pos) == b'-' {
            self.pos += 1;
        }
        if byte(text, self.pos) == b'0' {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if byte(text, self.pos) == b'.' {
            self.pos += 1;
            self.digits()?;
        }
        if let b'e' | b'E' = byte(text, self.pos) {
            self.pos += 1;
            if let b'+' | b'-' = byte(text, self.pos) {
                self.pos += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Error> {
        let start = self.pos;
        while byte(self.text, self.pos).is_ascii_digit() {
            self.pos += 1;
        }
        if self.pos == start {
            return Err(self.unexpected(ErrorKind::InvalidNumber));
        }
        Ok(())
    }

    /// The error at the current byte, or for want of one.
    #[cold]
    fn unexpected(&self, kind: ErrorKind) -> Error {
        let kind = if self.pos < self.text.len() {
            kind
        } else {
            ErrorKind::UnexpectedEnd
        };
        Error::new(kind, self.pos)
    }
}

/// The byte at `pos`. Behind the end it is 0, which can stand nowhere outside of
/// strings, so that the end needs no check of its own.
#[inline(always)]
fn byte(text: &[u8], pos: usize) -> u8 {
    text.get(pos).copied().unwrap_or(0)
}

/// Skips white space: the offset of the next other byte.
#[inline(always)]
fn space(text: &[u8], pos: usize) -> usize {
    if byte(text, pos) > b' ' {
        return pos;
    }
    // After a comma or a colon one space is usual.
    if byte(text, pos) == b' ' && byte(text, pos + 1) > b' ' {
        return pos + 1;
    }
    portable::space(text, pos)
}
