//! JSON values in a form that all spellings of a value have in common.
//!
//! Members are sorted by key, and of a key that appears twice the last one counts;
//! numbers are doubles, as they are to most clients; strings have no escapes. Nested
//! objects and arrays are replaced by their digests, so that sorting moves no byte more
//! than once.

use std::ops::Range;

use super::digest::{Digest, MARK, hash};
use crate::json::{Error, Kind, Reader, number};

const END: u8 = 0xfe;

/// Writes values. Kept from one to the next for its memory.
#[derive(Debug)]
pub(super) struct Writer {
    out: Vec<u8>,
    members: Vec<Member>,
    /// Of the digests.
    key: Digest,
}

/// A member of an object, in the written bytes.
#[derive(Clone, Debug)]
struct Member {
    key: Range<usize>,
    /// Where its value ends, which begins behind the key.
    end: usize,
}

impl Member {
    const fn span(&self) -> Range<usize> {
        self.key.start..self.end
    }
}

impl Writer {
    /// Creates a writer of values in which digests have this key.
    pub(super) const fn new(key: Digest) -> Self {
        Self {
            out: Vec::new(),
            members: Vec::new(),
            key,
        }
    }

    /// Returns the canonical form of a JSON text, without this member if it is an object.
    /// `None` if it is not JSON.
    pub(super) fn write(&mut self, json: &[u8], without: &[u8]) -> Option<&[u8]> {
        self.out.clear();
        self.members.clear();
        let start = self.whole(json, without).ok()?;
        self.out.get(start..)
    }

    /// Writes a value, and returns where its canonical form begins.
    fn whole(&mut self, json: &[u8], without: &[u8]) -> Result<usize, Error> {
        let mut reader = Reader::new(json)?;
        let mut start = 0;
        if reader.peek()? == Kind::Object {
            self.out.push(b'{');
            self.object(&mut reader, without)?;
            if !self.are_sorted() {
                start = self.write_sorted();
            }
            self.out.extend_from_slice(&[MARK, END]);
        } else {
            self.value(&mut reader)?;
        }
        reader.finish()?;
        Ok(start)
    }

    /// Whether the members of the whole are written in order, each key once.
    fn are_sorted(&self) -> bool {
        let key = |member: &Member| &self.out[member.key.clone()];
        self.members.is_sorted_by(|a, b| key(a) < key(b))
    }

    /// Writes the whole again, with its members in order. Returns where that begins.
    fn write_sorted(&mut self) -> usize {
        self.sort(0);
        let start = self.out.len();
        self.out.push(b'{');
        for at in 0..self.members.len() {
            if counts(&self.out, &self.members, at) {
                let span = self.members[at].span();
                self.out.extend_from_within(span);
            }
        }
        start
    }

    /// Recurses no deeper than the scanner allows, 127 levels.
    fn value(&mut self, reader: &mut Reader<'_>) -> Result<(), Error> {
        let start = self.out.len();
        match reader.peek()? {
            Kind::Object => {
                let first = self.members.len();
                self.object(reader, b"")?;
                self.sort(first);
                let (out, members) = (&self.out, &self.members[first..]);
                let counted = (0..members.len()).filter(|&at| counts(out, members, at));
                let digest = hash(self.key, counted.map(|at| &out[members[at].span()]));
                self.members.truncate(first);
                self.replace(start, b'{', &digest);
            }
            Kind::Array => {
                if reader.open()? {
                    loop {
                        self.value(reader)?;
                        if !reader.more(b']')? {
                            break;
                        }
                    }
                }
                let digest = hash(self.key, [&self.out[start..]]);
                self.replace(start, b'[', &digest);
            }
            Kind::String => {
                let string = reader.string()?;
                self.out.push(b's');
                self.out.extend_from_slice(&string.unescaped(reader.text()));
                self.out.push(MARK);
            }
            kind => {
                let value = reader.skip_peeked(kind)?;
                self.scalar(kind, value.span.of(reader.text()));
            }
        }
        Ok(())
    }

    fn object(&mut self, reader: &mut Reader<'_>, without: &[u8]) -> Result<(), Error> {
        if !reader.open()? {
            return Ok(());
        }
        loop {
            let key = reader.key()?.unescaped(reader.text());
            let start = self.out.len();
            self.out.extend_from_slice(&key);
            let key_end = self.out.len();
            self.out.push(MARK);
            self.value(reader)?;
            if !without.is_empty() && *key == *without {
                self.out.truncate(start);
            } else {
                self.members.push(Member {
                    key: start..key_end,
                    end: self.out.len(),
                });
            }
            if !reader.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// Sorts the members from this one on by key; those with the same key stay in order.
    fn sort(&mut self, first: usize) {
        let out = &self.out;
        self.members[first..].sort_by(|a, b| out[a.key.clone()].cmp(&out[b.key.clone()]));
    }

    fn scalar(&mut self, kind: Kind, raw: &[u8]) {
        match (kind, number(raw)) {
            (Kind::True, _) => self.out.push(b't'),
            (Kind::False, _) => self.out.push(b'f'),
            (Kind::Number, Some(number)) if number.is_finite() => {
                self.out.push(b'n');
                // There are two zeros, which are the same number.
                let number = if number == 0.0 { 0.0 } else { number };
                self.out.extend(number.to_be_bytes());
            }
            (Kind::Number, _) => {
                self.out.push(b'N');
                self.out.extend_from_slice(raw);
                self.out.push(MARK);
            }
            _ => self.out.push(b'0'),
        }
    }

    /// Replaces what was written from `start` on by its digest.
    fn replace(&mut self, start: usize, what: u8, digest: &[u8; 32]) {
        self.out.truncate(start);
        self.out.push(what);
        self.out.extend_from_slice(digest);
    }
}

/// Whether one of the sorted members counts: it is the last with its key.
fn counts(out: &[u8], members: &[Member], at: usize) -> bool {
    let key = |member: &Member| &out[member.key.clone()];
    let next = members.get(at + 1);
    next.is_none_or(|next| key(next) != key(&members[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> Option<Vec<u8>> {
        let mut writer = Writer::new([0; 4]);
        writer.write(json.as_bytes(), b"").map(<[u8]>::to_vec)
    }

    #[test]
    fn spellings_of_a_value_are_one() {
        for spellings in [
            &[
                r#"{"a":1,"b":"é"}"#,
                r#" { "b" : "\u00e9" , "a" : 1.0 } "#,
                r#"{"a":0,"b":"é","a":10e-1}"#,
            ][..],
            &["[]", " [ ] "],
            &["{}", "{ }"],
            &["0", "-0", "0.0", "0e5"],
            &["100", "1e2", "100.000", "0.1E3"],
            &[
                r#"{"x":{"b":[1,{"d":2,"c":3}],"a":null}}"#,
                r#"{"x":{"a":null,"b":[1e0,{"c":3,"d":2}]}}"#,
            ],
            &["9007199254740993", "9007199254740992"],
        ] {
            let first = written(spellings[0]).unwrap();
            for spelling in spellings {
                assert_eq!(written(spelling).as_ref(), Some(&first), "{spelling}");
            }
        }
    }

    #[test]
    fn other_values_are_others() {
        let values = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "\"\"",
            "\"0\"",
            "[]",
            "{}",
            "[0]",
            "[[]]",
            "[{}]",
            "{\"\":0}",
            "{\"a\":0}",
            "{\"a\":\"0\"}",
            "{\"a\":[]}",
            "{\"a\":{}}",
            "{\"a\":0,\"b\":0}",
            "{\"a\":{\"b\":0}}",
            "{\"a\":[0,1]}",
            "{\"a\":[1,0]}",
            "{\"a\":[[0],1]}",
            "{\"a\":[0,[1]]}",
            "1e400",
            "1e401",
            "-1e400",
            "\"null\"",
            "{\"ab\":\"c\"}",
            "{\"a\":\"bc\"}",
            "\"a\\u0000\"",
            "\"a\"",
        ];
        for (number, one) in values.iter().enumerate() {
            for other in &values[number + 1..] {
                assert_ne!(written(one), written(other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn what_is_not_json_is_not_written() {
        for text in [
            "",
            "{",
            "{}x",
            "{a:1}",
            "nul",
            "[1,]",
            "hello",
            &"[".repeat(1000),
        ] {
            assert_eq!(written(text), None, "{text}");
        }
        // A writer that failed starts afresh.
        let mut writer = Writer::new([0; 4]);
        assert_eq!(writer.write(b"{\"a\":1", b""), None);
        let expected = written("{\"b\":1}");
        assert_eq!(writer.write(b"{\"b\":1}", b""), expected.as_deref());
    }

    /// Threads have 2 MB, of which other code takes its part.
    #[test]
    fn the_deepest_value_takes_little_of_the_stack() {
        let deep = [r#"{"a":["#.repeat(63), "]}".repeat(63)].concat();
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        let form = thread.spawn(move || written(&deep)).unwrap();
        assert!(form.join().unwrap().is_some());
    }

    #[test]
    fn a_member_can_be_left_out() {
        let mut writer = Writer::new([0; 4]);
        let mut without = |json: &str| writer.write(json.as_bytes(), b"x").unwrap().to_vec();
        for json in [
            r#"{"x":1,"a":{"x":1}}"#,
            r#"{"a":{"x":1},"x":{"b":[1]}}"#,
            r#"{"x":2,"a":{"x":1},"x":3}"#,
        ] {
            assert_eq!(
                without(json),
                written(r#"{"a":{"x":1}}"#).unwrap(),
                "{json}"
            );
        }
        assert_eq!(without(r#"{"x":1}"#), written("{}").unwrap());
    }
}
