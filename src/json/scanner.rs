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
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<Kind, Error> {
        match self.next_byte()? {
            b'"' => Ok(Kind::String),
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::Array),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            b't' => Ok(Kind::True),
            b'f' => Ok(Kind::False),
            b'n' => Ok(Kind::Null),
            _ => Err(Error::new(ErrorKind::ExpectedValue, self.pos)),
        }
    }

    /// Opens the object or array that [`peek`](Self::peek) announced. Says
    /// whether there is anything in it; if not, it is closed again.
    #[inline]
    pub(crate) fn open(&mut self) -> Result<bool, Error> {
        let close = self.next_byte()? + 2;
        if self.depth == MAX_DEPTH {
            return Err(Error::new(ErrorKind::TooDeep, self.pos));
        }
        self.pos += 1;
        self.depth += 1;
        if self.next_byte()? == close {
            self.pos += 1;
            self.depth -= 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// After a member or an element of a container closed by `close`: is there
    /// another one? If not, the container is closed.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, Error> {
        let byte = self.next_byte()?;
        if byte == b',' {
            self.pos += 1;
            Ok(true)
        } else if byte == close {
            self.pos += 1;
            self.depth -= 1;
            Ok(false)
        } else {
            Err(Error::new(ErrorKind::ExpectedCommaOrClose, self.pos))
        }
    }

    /// Reads a key and the colon behind it.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Str, Error> {
        if self.next_byte()? != b'"' {
            return Err(Error::new(ErrorKind::ExpectedKey, self.pos));
        }
        let key = self.string()?;
        if self.next_byte()? != b':' {
            return Err(Error::new(ErrorKind::ExpectedColon, self.pos));
        }
        self.pos += 1;
        Ok(key)
    }

    /// Reads the string that [`peek`](Self::peek) announced.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Str, Error> {
        let start = self.pos;
        let end = portable::string(self.text, start + 1)?;
        self.pos = end.quote + 1;
        Ok(Str {
            span: Span::new(start, self.pos),
            escaped: end.escaped,
        })
    }

    /// Validates the next value, whatever it is, and goes past it.
    #[inline]
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
        self.pos = portable::space(self.text, self.pos);
        if self.pos < self.text.len() {
            return Err(Error::new(ErrorKind::TrailingBytes, self.pos));
        }
        Ok(())
    }

    /// Skips white space and looks at the byte behind it.
    #[inline]
    fn next_byte(&mut self) -> Result<u8, Error> {
        if let Some(&byte) = self.text.get(self.pos) {
            if byte > b' ' {
                return Ok(byte);
            }
        }
        self.next_byte_after_space()
    }

    #[inline]
    fn next_byte_after_space(&mut self) -> Result<u8, Error> {
        // Compact JSON has one space here, pretty-printed JSON has many.
        if let (Some(b' '), Some(&byte)) = (self.text.get(self.pos), self.text.get(self.pos + 1)) {
            if byte > b' ' {
                self.pos += 1;
                return Ok(byte);
            }
        }
        self.pos = portable::space(self.text, self.pos);
        match self.text.get(self.pos) {
            Some(&byte) => Ok(byte),
            None => Err(Error::new(ErrorKind::UnexpectedEnd, self.pos)),
        }
    }

    /// Goes past a container and everything in it. The open brackets are kept
    /// as bits, so that no text can make this recurse.
    fn skip_container(&mut self) -> Result<(), Error> {
        let outside = self.depth;
        // One bit for each open bracket, the innermost lowest: 1 is an object.
        let mut objects: u128 = 0;
        // Before an opening bracket, a key or a value.
        loop {
            let kind = self.peek()?;
            match kind {
                Kind::Object | Kind::Array => {
                    let is_object = kind == Kind::Object;
                    if self.open()? {
                        objects = objects << 1 | u128::from(is_object);
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                scalar => self.skip_scalar(scalar)?,
            }
            // Behind a value: close what is closed here.
            loop {
                if self.depth == outside {
                    return Ok(());
                }
                let in_object = objects & 1 == 1;
                if self.more(if in_object { b'}' } else { b']' })? {
                    if in_object {
                        self.key()?;
                    }
                    break;
                }
                objects >>= 1;
            }
        }
    }

    #[inline]
    fn skip_scalar(&mut self, kind: Kind) -> Result<(), Error> {
        match kind {
            Kind::String => self.string().map(drop),
            Kind::True => self.literal(b"true"),
            Kind::False => self.literal(b"false"),
            Kind::Null => self.literal(b"null"),
            _ => self.number(),
        }
    }

    #[inline]
    fn literal(&mut self, literal: &'static [u8]) -> Result<(), Error> {
        let rest = &self.text[self.pos..];
        if rest.starts_with(literal) {
            self.pos += literal.len();
            return Ok(());
        }
        let same = rest.iter().zip(literal).take_while(|(a, b)| a == b).count();
        let kind = if same == rest.len() {
            ErrorKind::UnexpectedEnd
        } else {
            ErrorKind::InvalidLiteral
        };
        Err(Error::new(kind, self.pos + same))
    }

    fn number(&mut self) -> Result<(), Error> {
        if self.byte() == Some(b'-') {
            self.pos += 1;
        }
        if self.byte() == Some(b'0') {
            self.pos += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.pos += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.pos += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Error> {
        let start = self.pos;
        while let Some(b'0'..=b'9') = self.byte() {
            self.pos += 1;
        }
        if self.pos > start {
            return Ok(());
        }
        let kind = match self.byte() {
            Some(_) => ErrorKind::InvalidNumber,
            None => ErrorKind::UnexpectedEnd,
        };
        Err(Error::new(kind, self.pos))
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }
}
