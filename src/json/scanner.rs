//! A strict JSON parser that yields spans.

use super::{
    backend::{Backend, Base, Pass},
    error::{Error, ErrorKind},
    span::{Kind, Span, Str, Value},
};

/// The maximum nesting depth in brackets, the same as serde_json's.
const MAX_DEPTH: u32 = 127;

/// Reads a JSON text from left to right and validates every byte of it: the grammar of
/// RFC 8259, and UTF-8 in strings. The caller opens the containers it needs and skips
/// every other value:
///
/// ```text
/// scanner.open()?, then for each member scanner.key()?, scanner.skip()?, scanner.more()?
/// ```
#[derive(Debug)]
pub(crate) struct Scanner<'a, B = Base> {
    text: &'a [u8],
    pos: usize,
    depth: u32,
    backend: B,
}

/// The position of a scanner.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pos: usize,
    depth: u32,
}

impl<'a> Scanner<'a> {
    /// Creates a scanner with the back end that needs no CPU detection, for short texts.
    pub(crate) fn new(text: &'a [u8]) -> Result<Self, Error> {
        Self::with_backend(text, Base::default())
    }
}

impl<'a, B: Backend> Scanner<'a, B> {
    pub(super) fn with_backend(text: &'a [u8], backend: B) -> Result<Self, Error> {
        if u32::try_from(text.len()).is_err() {
            return Err(Error::new(ErrorKind::TooLong, u32::MAX as usize));
        }
        Ok(Self {
            text,
            pos: 0,
            depth: 0,
            backend,
        })
    }

    pub(crate) const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// The current position, which a pass returns to [`call`](Self::call).
    pub(crate) const fn place(&self) -> Place {
        Place {
            pos: self.pos,
            depth: self.depth,
        }
    }

    /// Runs a pass from the current position, in a function of its own, and continues at
    /// the position that it returns. Recursive passes call themselves this way.
    #[inline(always)]
    pub(crate) fn call<T, P>(&mut self, pass: P) -> Result<T, Error>
    where
        P: Pass<Output = Result<(Place, T), Error>>,
    {
        let (place, output) = B::run(Self { ..*self }, pass)?;
        self.pos = place.pos;
        self.depth = place.depth;
        Ok(output)
    }

    /// The offset of the next byte.
    pub(crate) const fn pos(&self) -> usize {
        self.pos
    }

    /// Returns the type of the next value without reading it.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Result<Kind, Error> {
        match self.next() {
            b'"' => Ok(Kind::String),
            b'{' => Ok(Kind::Object),
            b'[' => Ok(Kind::Array),
            b'-' | b'0'..=b'9' => Ok(Kind::Number),
            b't' => Ok(Kind::True),
            b'f' => Ok(Kind::False),
            b'n' => Ok(Kind::Null),
            _ => Err(unexpected(self.text, self.pos, ErrorKind::ExpectedValue)),
        }
    }

    /// Opens the object or array that [`peek`](Self::peek) returned. Returns `false`, and
    /// closes the container again, if it is empty.
    #[inline(always)]
    pub(crate) fn open(&mut self) -> Result<bool, Error> {
        let close = byte(self.text, self.pos) + 2;
        if self.depth == MAX_DEPTH {
            return Err(Error::new(ErrorKind::TooDeep, self.pos));
        }
        self.pos += 1;
        if self.next() == close {
            self.pos += 1;
            return Ok(false);
        }
        self.depth += 1;
        Ok(true)
    }

    /// Reads the comma or the closing bracket `close` that follows a member or an element.
    /// Returns whether another one follows.
    #[inline(always)]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, Error> {
        let next = self.next();
        if next == b',' {
            self.pos += 1;
            Ok(true)
        } else if next == close {
            self.pos += 1;
            self.depth -= 1;
            Ok(false)
        } else {
            Err(unexpected(
                self.text,
                self.pos,
                ErrorKind::ExpectedCommaOrClose,
            ))
        }
    }

    /// Reads a key and the colon after it.
    #[inline(always)]
    pub(crate) fn key(&mut self) -> Result<Str, Error> {
        if self.next() != b'"' {
            return Err(unexpected(self.text, self.pos, ErrorKind::ExpectedKey));
        }
        let key = self.string()?;
        if self.next() != b':' {
            return Err(unexpected(self.text, self.pos, ErrorKind::ExpectedColon));
        }
        self.pos += 1;
        Ok(key)
    }

    /// Reads the string that [`peek`](Self::peek) returned.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<Str, Error> {
        let start = self.pos;
        let (quote, escaped) = match self.backend.plain_string(self.text, start + 1) {
            Some(quote) => (quote, false),
            None => {
                let end = self.backend.string(self.text, start + 1)?;
                (end.quote, end.escaped)
            }
        };
        self.pos = quote + 1;
        Ok(Str {
            span: Span::new(start, self.pos),
            escaped,
        })
    }

    /// Skips `tokens` if they are the next bytes, such as a string or a key with its
    /// colon. Returns whether they were.
    #[inline(always)]
    pub(crate) fn take<const N: usize>(&mut self, tokens: &[u8; N]) -> bool {
        let found = self.upcoming() == Some(tokens);
        if found {
            self.pos += N;
        }
        found
    }

    /// Skips a string that the caller has already matched, and `after` more bytes, and
    /// returns the span of the string. `string` is its length with quotes.
    #[inline(always)]
    pub(crate) fn pass(&mut self, string: usize, after: usize) -> Span {
        let start = self.pos;
        self.pos += string + after;
        Span::new(start, start + string)
    }

    /// Returns the next `N` bytes, or `None` if fewer are left.
    #[inline(always)]
    pub(crate) fn upcoming<const N: usize>(&self) -> Option<&'a [u8; N]> {
        self.text.get(self.pos..)?.first_chunk()
    }

    /// Validates and skips the next value, whatever its type.
    #[inline(always)]
    pub(crate) fn skip(&mut self) -> Result<Value, Error> {
        let kind = self.peek()?;
        self.skip_peeked(kind)
    }

    /// Like [`skip`](Self::skip), for a value whose type [`peek`](Self::peek) returned.
    #[inline(always)]
    pub(crate) fn skip_peeked(&mut self, kind: Kind) -> Result<Value, Error> {
        let start = self.pos;
        let mut escaped = false;
        match kind {
            Kind::Object | Kind::Array => self.skip_container()?,
            Kind::String => escaped = self.string()?.escaped,
            Kind::True if self.take(b"true") => {}
            Kind::False if self.take(b"false") => {}
            Kind::Null if self.take(b"null") => {}
            scalar => self.pos = skip_scalar(self.text, self.pos, scalar)?,
        }
        Ok(Value {
            kind,
            span: Span::new(start, self.pos),
            escaped,
        })
    }

    /// Checks that only white space follows the root value.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.next();
        if self.pos < self.text.len() {
            return Err(Error::new(ErrorKind::TrailingBytes, self.pos));
        }
        Ok(())
    }

    /// Validates and skips a container.
    #[inline(always)]
    fn skip_container(&mut self) -> Result<(), Error> {
        self.pos = B::run(Self { ..*self }, SkipContainer)?;
        Ok(())
    }

    /// Skips white space and returns the next byte, which is 0 at the end of the text.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> u8 {
        let next = byte(self.text, self.pos);
        if next > b' ' {
            return next;
        }
        // One space after a comma or a colon is common.
        if next == b' ' {
            self.pos += 1;
            let next = byte(self.text, self.pos);
            if next > b' ' {
                return next;
            }
        }
        self.pos = self.backend.space(self.text, self.pos);
        byte(self.text, self.pos)
    }
}

/// Skips a container and returns the offset after it. A stack of bits holds the open
/// brackets, so that no text causes recursion.
struct SkipContainer;

impl Pass for SkipContainer {
    type Output = Result<usize, Error>;

    #[inline(always)]
    fn run<B: Backend>(self, mut scanner: Scanner<'_, B>) -> Result<usize, Error> {
        let outside = scanner.depth;
        // One bit per open bracket, the innermost lowest: 1 for objects, 0 for arrays.
        let mut objects: u128 = 0;
        // Here a value follows.
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
                scalar => scanner.pos = skip_scalar(scanner.text, scanner.pos, scalar)?,
            }
            // Here a comma or a closing bracket follows.
            loop {
                if scanner.depth == outside {
                    return Ok(scanner.pos);
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
}

/// Returns the byte at `pos`, or 0 at the end of the text. A 0 is invalid outside of
/// strings, so the end needs no separate check.
#[inline(always)]
fn byte(text: &[u8], pos: usize) -> u8 {
    text.get(pos).copied().unwrap_or(0)
}

/// Validates a number or a literal and returns the offset after it.
fn skip_scalar(text: &[u8], pos: usize, kind: Kind) -> Result<usize, Error> {
    match kind {
        Kind::True => literal(text, pos, b"true"),
        Kind::False => literal(text, pos, b"false"),
        Kind::Null => literal(text, pos, b"null"),
        _ => number(text, pos),
    }
}

#[inline(always)]
fn literal(text: &[u8], pos: usize, literal: &'static [u8]) -> Result<usize, Error> {
    let rest = &text[pos..];
    if rest.starts_with(literal) {
        return Ok(pos + literal.len());
    }
    let same = rest.iter().zip(literal).take_while(|(a, b)| a == b);
    let pos = pos + same.count();
    Err(unexpected(text, pos, ErrorKind::InvalidLiteral))
}

#[inline(always)]
fn number(text: &[u8], mut pos: usize) -> Result<usize, Error> {
    if byte(text, pos) == b'-' {
        pos += 1;
    }
    if byte(text, pos) == b'0' {
        pos += 1;
    } else {
        pos = digits(text, pos)?;
    }
    if byte(text, pos) == b'.' {
        pos = digits(text, pos + 1)?;
    }
    if let b'e' | b'E' = byte(text, pos) {
        pos += 1;
        if let b'+' | b'-' = byte(text, pos) {
            pos += 1;
        }
        pos = digits(text, pos)?;
    }
    Ok(pos)
}

/// Skips one or more digits.
#[inline(always)]
fn digits(text: &[u8], start: usize) -> Result<usize, Error> {
    let mut pos = start;
    while byte(text, pos).is_ascii_digit() {
        pos += 1;
    }
    if pos == start {
        return Err(unexpected(text, pos, ErrorKind::InvalidNumber));
    }
    Ok(pos)
}

/// An error of this kind, or [`ErrorKind::UnexpectedEnd`] at the end of the text.
#[cold]
#[inline(never)]
fn unexpected(text: &[u8], pos: usize, kind: ErrorKind) -> Error {
    let kind = if pos < text.len() {
        kind
    } else {
        ErrorKind::UnexpectedEnd
    };
    Error::new(kind, pos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8]) -> Result<(), (ErrorKind, usize)> {
        let mut scanner = Scanner::new(text).unwrap();
        scanner
            .skip()
            .and_then(|_| scanner.finish())
            .map_err(|error| (error.kind, error.offset()))
    }

    #[test]
    fn valid_texts_are_read_to_their_end() {
        for text in [
            "null",
            " true ",
            "\n\t\r false",
            "0",
            "-0",
            "-0.0e-0",
            "1E+400",
            "123456789012345678901234567890.5",
            "\"\"",
            r#""\"\\\/\b\f\n\r\t\u00e9\uD834\udd1e""#,
            r#""half a pair: \ud800""#,
            "\"\u{7f}é月🌕\"",
            "[]",
            "[ ]",
            "{}",
            "{ }",
            "[[],{},[{}]]",
            r#"{"":{"a":[1,2,{"b":null}]},"":1}"#,
            "{ \"a\" : [ 1 , 2 ] , \"b\" : { } }",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn errors_have_the_offset_of_the_first_invalid_byte() {
        use ErrorKind::*;
        for (text, kind, offset) in [
            ("", UnexpectedEnd, 0),
            ("  ", UnexpectedEnd, 2),
            ("nul", UnexpectedEnd, 3),
            ("nulL", InvalidLiteral, 3),
            ("tru]", InvalidLiteral, 3),
            ("01", TrailingBytes, 1),
            ("-", UnexpectedEnd, 1),
            ("-x", InvalidNumber, 1),
            ("1.", UnexpectedEnd, 2),
            ("1.e5", InvalidNumber, 2),
            ("1e+", UnexpectedEnd, 3),
            (".5", ExpectedValue, 0),
            ("+1", ExpectedValue, 0),
            ("'a'", ExpectedValue, 0),
            ("{a:1}", ExpectedKey, 1),
            ("{\"a\" 1}", ExpectedColon, 5),
            ("{\"a\":1,}", ExpectedKey, 7),
            ("{\"a\":}", ExpectedValue, 5),
            ("[1,]", ExpectedValue, 3),
            ("[1 2]", ExpectedCommaOrClose, 3),
            ("[1}", ExpectedCommaOrClose, 2),
            ("[1", UnexpectedEnd, 2),
            ("{\"a\":1", UnexpectedEnd, 6),
            ("null null", TrailingBytes, 5),
            ("\"a", UnexpectedEnd, 2),
            ("\"a\\", UnexpectedEnd, 3),
            ("\"a\\x\"", InvalidEscape, 3),
            ("\"\\u12G4\"", InvalidEscape, 5),
            ("\"\\u12", UnexpectedEnd, 5),
            ("\"a\nb\"", ControlCharacter, 2),
            ("\u{feff}{}", ExpectedValue, 0),
        ] {
            assert_eq!(check(text.as_bytes()), Err((kind, offset)), "{text}");
        }
    }

    /// Strings of every length around the size of a word, a block and a long run, with a
    /// special byte at every place.
    #[test]
    fn every_byte_of_a_string_is_checked() {
        for length in (0..80).chain([500, 520, 560, 800, 2000]) {
            for place in (0..length).rev().take(90).chain(0..length.min(10)) {
                for (bytes, kind, shift) in [
                    (&b"\x01"[..], ErrorKind::ControlCharacter, 0),
                    (&b"\x1f"[..], ErrorKind::ControlCharacter, 0),
                    (&b"\\q"[..], ErrorKind::InvalidEscape, 1),
                    (&b"\xff"[..], ErrorKind::InvalidUtf8, 0),
                    (&b"\xe6\x9c"[..], ErrorKind::InvalidUtf8, 0),
                    (&b"\xed\xa0\x80"[..], ErrorKind::InvalidUtf8, 0),
                ] {
                    let mut text = vec![b'a'; length];
                    text.splice(place..place, bytes.iter().copied());
                    text.insert(0, b'"');
                    text.extend(b"\"   ");
                    assert_eq!(
                        check(&text),
                        Err((kind, place + 1 + shift)),
                        "{length} {place}"
                    );
                }
                for fine in ["\\n", "\\\\", "\\\"", "\\u6708", "é", "月", "🌕"] {
                    let mut text = vec![b'a'; length];
                    text.splice(place..place, fine.bytes());
                    text.insert(0, b'"');
                    text.push(b'"');
                    assert_eq!(check(&text), Ok(()), "{length} {place} {fine}");
                }
            }
        }
    }

    #[test]
    fn the_first_of_two_errors_in_a_string_is_reported() {
        let text = [&b"\""[..], &[b'a'; 700], b"\xff", &[b'a'; 700], b"\x01\""].concat();
        assert_eq!(check(&text), Err((ErrorKind::InvalidUtf8, 701)));
        let text = [
            &b"\""[..],
            &[b'a'; 700],
            b"\xe6\x9c\x88",
            &[b'a'; 700],
            b"\x01\"",
        ]
        .concat();
        assert_eq!(check(&text), Err((ErrorKind::ControlCharacter, 1404)));
    }

    #[test]
    fn nesting_ends_at_127_and_never_recurses() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(check(&nested(127)), Ok(()));
        assert_eq!(check(&nested(128)), Err((ErrorKind::TooDeep, 127)));
        assert_eq!(check(&vec![b'['; 1 << 20]), Err((ErrorKind::TooDeep, 127)));
        // Siblings don't add to the depth.
        let siblings = format!("[{}[]]", "[[]],".repeat(10_000));
        assert_eq!(check(siblings.as_bytes()), Ok(()));
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        for (text, line, column) in [
            ("", 1, 1),
            ("x", 1, 1),
            ("{\n  x", 2, 3),
            ("[\r\n\n 1,\n]", 4, 1),
        ] {
            let mut scanner = Scanner::new(text.as_bytes()).unwrap();
            let error = scanner.skip().unwrap_err();
            assert_eq!(
                error.line_and_column(text.as_bytes()),
                (line, column),
                "{text:?}"
            );
        }
    }
}
