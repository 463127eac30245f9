//! A simple JSON reader (RFC 8259, UTF-8, up to 127 levels deep) that records the span of
//! every value. It shares no code with the library.

use std::ops::Range;

const MAX_DEPTH: usize = 127;

/// A value and its span.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    Scalar,
}

#[derive(Debug)]
pub(crate) struct Member {
    /// The unescaped key. A key with half of a surrogate pair is not unescaped.
    pub(crate) key: String,
    /// The span from the start of the key to the end of the value.
    pub(crate) span: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// Returns the members of an object, or none for other values.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    /// Returns the value of the last member with this key.
    pub(crate) fn member(&self, key: &str) -> Option<&Self> {
        let found = self.members().iter().rfind(|member| member.key == key);
        found.map(|member| &member.value)
    }

    /// Returns the spans of the members or elements of an object or array.
    pub(crate) fn children(&self) -> Vec<Range<usize>> {
        match &self.kind {
            Kind::Object(members) => members.iter().map(|member| member.span.clone()).collect(),
            Kind::Array(nodes) => nodes.iter().map(|node| node.span.clone()).collect(),
            Kind::Scalar => Vec::new(),
        }
    }
}

/// Reads a text. The error is the offset of the first byte that is invalid at its place,
/// of the start of a broken UTF-8 sequence, or the length of an incomplete text.
pub(crate) fn read(text: &[u8]) -> Result<Node, usize> {
    let mut reader = Reader { text, pos: 0 };
    let node = reader.value(0)?;
    reader.space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.pos),
    }
}

struct Reader<'a> {
    text: &'a [u8],
    pos: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.pos += 1;
        }
    }

    /// Skips the next byte if it is one of these.
    fn take(&mut self, expected: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| expected.contains(byte))?;
        self.pos += 1;
        Some(byte)
    }

    fn expect(&mut self, expected: &[u8]) -> Result<u8, usize> {
        self.take(expected).ok_or(self.pos)
    }

    fn value(&mut self, depth: usize) -> Result<Node, usize> {
        self.space();
        let start = self.pos;
        let kind = match self.peek() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => return Err(start),
            Some(b'{') => Kind::Object(self.list(b'}', |reader| reader.member(depth + 1))?),
            Some(b'[') => Kind::Array(self.list(b']', |reader| reader.value(depth + 1))?),
            Some(b'"') => self.string().map(|()| Kind::Scalar)?,
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| Kind::Scalar)?,
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            _ => return Err(start),
        };
        let span = start..self.pos;
        Ok(Node { span, kind })
    }

    fn list<T>(
        &mut self,
        close: u8,
        mut item: impl FnMut(&mut Self) -> Result<T, usize>,
    ) -> Result<Vec<T>, usize> {
        let mut items = Vec::new();
        self.pos += 1;
        self.space();
        if self.take(&[close]).is_some() {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            self.space();
            if self.expect(&[b',', close])? == close {
                return Ok(items);
            }
        }
    }

    fn member(&mut self, depth: usize) -> Result<Member, usize> {
        self.space();
        let start = self.pos;
        self.string()?;
        let quoted = &self.text[start..self.pos];
        let key = serde_json::from_slice(quoted)
            .unwrap_or_else(|_| String::from_utf8_lossy(quoted).into_owned());
        self.space();
        self.expect(b":")?;
        let value = self.value(depth)?;
        let span = start..self.pos;
        Ok(Member { key, span, value })
    }

    fn string(&mut self) -> Result<(), usize> {
        self.expect(b"\"")?;
        loop {
            match self.peek() {
                None | Some(..0x20) => return Err(self.pos),
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.pos += 1;
                    if self.expect(br#""\/bfnrtu"#)? == b'u' {
                        for _ in 0..4 {
                            self.expect(b"0123456789abcdefABCDEF")?;
                        }
                    }
                }
                Some(0x20..0x80) => self.pos += 1,
                Some(0x80..) => self.pos += self.sequence().ok_or(self.pos)?,
            }
        }
    }

    /// Returns the length of the UTF-8 sequence at the current position.
    fn sequence(&self) -> Option<usize> {
        let rest = &self.text[self.pos..];
        (2..=4).find(|&length| {
            rest.get(..length)
                .is_some_and(|s| std::str::from_utf8(s).is_ok())
        })
    }

    fn digits(&mut self) {
        while self.take(b"0123456789").is_some() {}
    }

    fn number(&mut self) -> Result<(), usize> {
        self.take(b"-");
        if self.expect(b"0123456789")? != b'0' {
            self.digits();
        }
        if self.take(b".").is_some() {
            self.expect(b"0123456789")?;
            self.digits();
        }
        if self.take(b"eE").is_some() {
            self.take(b"+-");
            self.expect(b"0123456789")?;
            self.digits();
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<Kind, usize> {
        for &byte in word {
            self.expect(&[byte])?;
        }
        Ok(Kind::Scalar)
    }
}
