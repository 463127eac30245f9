//! Reads the text of a schema into a tree, after a look at what it weighs.

use super::{
    keyword::Name,
    tree::{Id, Tree, unquoted},
};
use crate::json::{Error, Kind, Scanner, Span};

/// The longest schema that Moonshot reads, in bytes of compact JSON (validator).
pub(super) const MAX_BYTES: usize = 120_000;

/// What can be said of a schema without reading it into a tree.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weight {
    /// No less than the number of values.
    pub(super) values: usize,
    /// How deep brackets lie within each other.
    pub(super) nesting: usize,
    /// What is left of the compact text at least, whatever is shortened.
    pub(super) needed: usize,
}

impl Weight {
    /// Weighs a text that has been validated, byte by byte.
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut weight = Self {
            values: 1,
            ..Self::default()
        };
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'"' => {
                    let (end, length) = string(bytes, at);
                    if !is_annotation(&bytes[at - 1..end]) {
                        weight.needed += length;
                    } else if let Some(value) = string_member(bytes, end) {
                        at = value;
                        continue;
                    }
                    at = end;
                    continue;
                }
                b'{' | b'[' => {
                    weight.values += 1;
                    depth += 1;
                    weight.nesting = weight.nesting.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                b',' => weight.values += 1,
                b' ' | b'\n' | b'\r' | b'\t' => continue,
                // A number may have another spelling, which is at least one byte.
                b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' => continue,
                _ => {}
            }
            weight.needed += 1;
        }
        weight
    }
}

/// Where the string ends of which the first byte is at `at`, and how long it is
/// without escapes, quotes included.
fn string(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let mut length = 2;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => break,
            b'\\' => at += if bytes.get(at) == Some(&b'u') { 5 } else { 1 },
            _ => {}
        }
        length += 1;
    }
    (at, length)
}

/// Whether a quoted key may be that of an annotation that can be left out.
fn is_annotation(quoted: &[u8]) -> bool {
    matches!(quoted, b"\"description\"" | b"\"title\"" | b"\"$comment\"")
}

/// The end of the string that is the value of the key that ends at `at`.
fn string_member(bytes: &[u8], at: usize) -> Option<usize> {
    let next = |mut at: usize| {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
            at += 1;
        }
        at
    };
    let colon = next(at);
    let value = next(colon + 1);
    let is_string = bytes.get(colon) == Some(&b':') && bytes.get(value) == Some(&b'"');
    is_string.then(|| string(bytes, value + 1).0)
}

/// Reads a schema of which the text has been validated.
pub(super) fn read(text: &str, weight: Weight, steps: u64, room: usize) -> Result<Tree<'_>, Error> {
    let mut tree = Tree::with_capacity(text, weight.values, steps, room);
    let mut scanner = Scanner::new(text.as_bytes())?;
    // Containers that are open, and how many elements they have so far.
    let mut open: Vec<(Id, u32)> = Vec::new();
    let mut last_of_each = Vec::new();
    let (mut at, mut key) = (0, Name::NONE);
    // Before a value.
    loop {
        let kind = scanner.peek()?;
        let start = scanner.pos();
        let entered = match kind {
            Kind::Object | Kind::Array => scanner.open()?,
            _ => {
                scanner.skip_peeked(kind)?;
                false
            }
        };
        let span = Span::new(start, scanner.pos());
        let holder = open.last().map(|(holder, _)| *holder);
        let id = tree.add_read(holder, at, key, kind, span);
        tree.charge(2);
        if entered {
            open.push((id, 0));
        } else {
            // Behind a value: close what is closed here.
            loop {
                let Some((holder, elements)) = open.last_mut() else {
                    return Ok(tree.end());
                };
                *elements += 1;
                let is_array = tree.is_array(*holder);
                if scanner.more(if is_array { b']' } else { b'}' })? {
                    break;
                }
                tree.end_read(*holder, Span::new(0, scanner.pos()).end);
                if !is_array {
                    tree.leave_last_of_each(*holder, &mut last_of_each);
                }
                open.pop();
            }
        }
        let Some(&(holder, elements)) = open.last() else {
            return Ok(tree.end());
        };
        (at, key) = if tree.is_array(holder) {
            (elements, Name::NONE)
        } else {
            let key = scanner.key()?.span;
            let quoted = text.get(key.range()).unwrap_or_default();
            (key.start, tree.names.intern(unquoted(quoted)))
        };
    }
}
