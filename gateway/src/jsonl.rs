//! Files with one request a line, also in the envelopes of OpenAI's batches.

use std::{
    borrow::Cow,
    collections::HashMap,
    fmt,
    io::{self, BufRead},
    ops::Range,
};

use bytes::Bytes;
use memchr::memmem;
use serde_json::value::RawValue;
use tower_moonshot::{InvalidJson, MoonshotCompatLayer, Report, Skipped, body::Rope};

/// Lines, one at a time.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: R,
    number: usize,
}

/// A line of a file.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) text: Bytes,
    /// A line feed, with a carriage return before it in some files; empty at the end of a
    /// file that doesn't end with one.
    pub(crate) ending: Bytes,
}

impl<R: BufRead> Lines<R> {
    pub(crate) const fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// Reads the next line. `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut read = Vec::new();
        if self.reader.read_until(b'\n', &mut read)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut text = Bytes::from(read);
        let length = match &*text {
            [.., b'\r', b'\n'] => text.len() - 2,
            [.., b'\n'] => text.len() - 1,
            _ => text.len(),
        };
        let ending = text.split_off(length);
        Ok(Some(Line {
            number: self.number,
            text,
            ending,
        }))
    }

    /// Reads the next line that is not blank. `None` at the end.
    pub(crate) fn next_full(&mut self) -> io::Result<Option<Line>> {
        loop {
            match self.next()? {
                Some(line) if line.is_blank() => {}
                line => return Ok(line),
            }
        }
    }

    /// Reads all that follows in one piece.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest)?;
        Ok(rest)
    }
}

impl Line {
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim_ascii().is_empty()
    }
}

/// Why a text is no JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotJson {
    /// In bytes from the start of the text.
    pub(crate) offset: usize,
    /// Where the text is in its file, and the place in it.
    line: usize,
    column: usize,
    why: String,
}

impl NotJson {
    fn new(text: &[u8], start: usize, invalid: &InvalidJson) -> Self {
        let offset = (start + invalid.offset()).min(text.len());
        let before = &text[..offset];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = offset - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1) + 1;
        // Behind the place, which is counted from the start of the request alone.
        let invalid = invalid.to_string();
        let why = invalid.rsplit("): ").next().unwrap_or_default();
        Self {
            offset,
            line,
            column,
            why: why.to_owned(),
        }
    }

    /// The same, for a text that is this line of a file.
    pub(crate) fn at_line(mut self, number: usize) -> Self {
        self.line = number;
        self
    }
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, .. } = self;
        write!(f, "line {line}, column {column}: not JSON: {}", self.why)
    }
}

/// A request that the layer has rewritten.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) place: Place,
    pub(crate) body: Rope,
    pub(crate) report: Report,
}

impl Rewritten {
    /// Finds the request in a text, and rewrites it.
    pub(crate) fn of(text: &Bytes, layer: &MoonshotCompatLayer) -> Result<Self, NotJson> {
        let rewritten = Self::attempt(text, layer);
        match rewritten.report.skipped() {
            Some(Skipped::InvalidJson(invalid)) => {
                Err(NotJson::new(text, rewritten.place.body.start, invalid))
            }
            _ => Ok(rewritten),
        }
    }

    fn attempt(text: &Bytes, layer: &MoonshotCompatLayer) -> Self {
        let rewrite = |place: Place| {
            let (body, report) = layer.rewrite(text.slice(place.body.clone()));
            Self {
                place,
                body,
                report,
            }
        };
        let first = rewrite(place_of(text));
        match first.report.skipped() {
            // Perhaps it was taken for the last member of its envelope and isn't.
            Some(Skipped::InvalidJson(_)) if first.place.custom_id.is_some() => {
                rewrite(body_anywhere(text).unwrap_or_else(|| Place::whole(text)))
            }
            _ => first,
        }
    }
}

/// Where a request is in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The body of the request.
    pub(crate) body: Range<usize>,
    /// The name that the envelope gives it.
    pub(crate) custom_id: Option<String>,
    /// Whether the envelope is addressed to another path than that of chats.
    pub(crate) is_other: bool,
}

impl Place {
    /// The place of the whole text.
    fn whole(text: &[u8]) -> Self {
        Self {
            body: 0..text.len(),
            custom_id: None,
            is_other: false,
        }
    }
}

/// The members of an envelope that come before its body are a few hundred bytes.
const MAX_BEFORE: usize = 4096;

/// Finds the request in a text: the `body` of OpenAI's envelope `{"custom_id", "method",
/// "url", "body"}`, or else the text itself.
fn place_of(text: &[u8]) -> Place {
    // A chat has no such member at its top, and looking for the word is cheap.
    if memmem::find(text, b"\"custom_id\"").is_none() {
        return Place::whole(text);
    }
    body_at_the_end(text)
        .or_else(|| body_anywhere(text))
        .unwrap_or_else(|| Place::whole(text))
}

/// Finds a body that is the last member, without reading it. If it is not, what is found
/// is not JSON.
fn body_at_the_end(text: &[u8]) -> Option<Place> {
    const NAME: &[u8] = b"\"body\"";
    let head = &text[..text.len().min(MAX_BEFORE)];
    let name = memmem::find(head, NAME)?;
    let colon = head[name + NAME.len()..].trim_ascii_start();
    let value = colon.strip_prefix(b":")?.trim_ascii_start();
    let start = head.len() - value.len();
    // With anything as its value it is an object only if it is a member of the outermost.
    let before = [&head[..start], b"null}"].concat();
    let members = members_of(&before)?;
    let rest = text[start..].trim_ascii_end().strip_suffix(b"}")?;
    let length = rest.trim_ascii_end().len();
    envelope(&members, start..start + length)
}

/// Finds a body by reading everything.
fn body_anywhere(text: &[u8]) -> Option<Place> {
    let members = members_of(text)?;
    let body = members.get("body")?.get();
    let start = body.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    envelope(&members, start..start + body.len())
}

type Members<'a> = HashMap<Cow<'a, str>, &'a RawValue>;

fn members_of(text: &[u8]) -> Option<Members<'_>> {
    serde_json::from_slice(text).ok()
}

fn envelope(members: &Members<'_>, body: Range<usize>) -> Option<Place> {
    let string = |name: &str| serde_json::from_str::<String>(members.get(name)?.get()).ok();
    if members.contains_key("messages") {
        return None;
    }
    let url = string("url");
    Some(Place {
        body,
        custom_id: Some(string("custom_id")?),
        is_other: url.is_some_and(|url| !url.ends_with("/chat/completions")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (&str, Option<String>, bool) {
        let place = place_of(text.as_bytes());
        (&text[place.body], place.custom_id, place.is_other)
    }

    #[test]
    fn a_request_is_in_its_envelope_or_the_whole_line() {
        let id = || Some("a".to_owned());
        for (text, expected) in [
            ("{\"messages\":[]}", ("{\"messages\":[]}", None, false)),
            (
                r#"{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m"} }"#,
                (r#"{"model": "m"}"#, id(), false),
            ),
            (
                r#"{"custom_id":"a","url":"/v1/embeddings","body":{}}"#,
                ("{}", id(), true),
            ),
            // The word is somewhere else.
            (
                r#"{"messages":[{"content":"\"custom_id\" \"body\":"}]}"#,
                (
                    r#"{"messages":[{"content":"\"custom_id\" \"body\":"}]}"#,
                    None,
                    false,
                ),
            ),
            (
                r#"{"custom_id":"a","messages":[],"body":{}}"#,
                (r#"{"custom_id":"a","messages":[],"body":{}}"#, None, false),
            ),
            (
                r#"{"meta":{"body":1},"custom_id":"a","body":{"b":2}}"#,
                (r#"{"b":2}"#, id(), false),
            ),
            ("{\"custom_id\"", ("{\"custom_id\"", None, false)),
            ("", ("", None, false)),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    /// What the quick way finds there is not JSON, so it is looked for anew.
    #[test]
    fn a_body_with_members_behind_it_is_found_by_reading() {
        let text = r#"{"body": {"model": "m"}, "custom_id": "\u0061"}"#;
        let place = body_anywhere(text.as_bytes()).unwrap();
        assert_eq!(&text[place.body], r#"{"model": "m"}"#);
        assert_eq!(place.custom_id.as_deref(), Some("a"));
    }

    #[test]
    fn lines_keep_their_endings() {
        let mut lines = Lines::new(&b"a\r\n\nb"[..]);
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((line.number, line.text, line.ending));
        }
        let expected = [(1, "a", "\r\n"), (2, "", "\n"), (3, "b", "")];
        assert_eq!(
            all,
            expected.map(|(number, text, ending)| (number, text.into(), ending.into()))
        );
    }
}
