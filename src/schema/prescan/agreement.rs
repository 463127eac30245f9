//! Whether the keywords of one schema agree with one another.

use super::Prescan;
use crate::{
    json::Span,
    schema::{Use, types::Types},
};

/// The keywords of one schema, as bits.
pub(super) type Keywords = u64;

pub(super) const TYPE: Keywords = 1;
pub(super) const TITLE: Keywords = 1 << 1;
pub(super) const DESCRIPTION: Keywords = 1 << 2;
pub(super) const ENUM: Keywords = 1 << 3;
pub(super) const PROPERTIES: Keywords = 1 << 4;
pub(super) const REQUIRED: Keywords = 1 << 5;
pub(super) const ITEMS: Keywords = 1 << 6;
pub(super) const ADDITIONAL: Keywords = 1 << 7;
pub(super) const ANY_OF: Keywords = 1 << 8;

/// The bit of any other keyword. Two may share one: a clash too many is for the
/// tree to find out.
pub(super) fn other_bit(name: &[u8]) -> Keywords {
    const FIRST: u64 = 16;
    let ends = [name.first(), name.last()].map(|byte| u64::from(byte.copied().unwrap_or(0)));
    1 << (FIRST + (ends[0] * 31 + ends[1] * 7 + name.len() as u64) % (64 - FIRST))
}

/// What was seen of one schema.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) keywords: Keywords,
    pub(super) types: Types,
    /// Whether `type` is a list of more than one.
    pub(super) several: bool,
    /// The types of the values in `enum`.
    pub(super) values: Types,
    /// The keywords in the branches of `anyOf`.
    pub(super) branches: Keywords,
}

impl Seen {
    /// Whether `type` says that it is an object, and nothing else.
    pub(super) fn is_object(&self) -> bool {
        self.types == Types::OBJECT && !self.several
    }
}

impl Prescan<'_> {
    /// Whether the keywords of a schema agree with one another.
    // Not a part of the passes: what it needs would take registers from them.
    #[inline(never)]
    pub(super) fn agrees(
        &mut self,
        text: &[u8],
        seen: &Seen,
        names: usize,
        required: usize,
    ) -> bool {
        let has = |keyword| seen.keywords & keyword != 0;
        if has(ANY_OF) {
            let annotations = TITLE | DESCRIPTION | ANY_OF;
            if has(TYPE) || seen.keywords & seen.branches & !annotations != 0 {
                return false;
            }
        }
        let count = seen.types.count();
        if has(ENUM) {
            let composite = Types::ARRAY.or(Types::OBJECT);
            let nullable =
                count == 2 && seen.types.names(Types::NULL) && seen.types.and(composite).is_empty();
            if !(count == 1 || nullable) || !seen.types.admit(seen.values) {
                return false;
            }
            // The validator refuses null where it comes to a number first.
            let numeric = Types::NUMBER.or(Types::INTEGER);
            if nullable && seen.values.names(Types::NULL) && !seen.types.and(numeric).is_empty() {
                return false;
            }
        } else if count > 1 && seen.keywords & !(TYPE | TITLE | DESCRIPTION) != 0 {
            return false;
        }
        let scratch = &mut *self.scratch;
        has_all(
            text,
            &scratch.names[names..],
            &scratch.required[required..],
            &mut scratch.sorted,
        )
    }
}

/// The keyword that is judged or an annotation; no bit if it is another.
#[cold]
pub(super) fn named(keyword: &[u8]) -> Keywords {
    match keyword {
        b"type" => TYPE,
        b"title" => TITLE,
        b"description" => DESCRIPTION,
        b"enum" => ENUM,
        b"properties" => PROPERTIES,
        b"required" => REQUIRED,
        b"items" => ITEMS,
        b"additionalProperties" => ADDITIONAL,
        b"anyOf" => ANY_OF,
        _ => 0,
    }
}

/// What is fine as the value of a keyword that Moonshot reads rarely, or never.
pub(super) enum Other {
    Doubtful,
    Text,
    /// Anything without a key `$ref`, which Moonshot takes for a reference.
    Anything,
}

#[cold]
pub(super) fn other(keyword: &[u8], usage: Use) -> Other {
    match keyword {
        b"$ref" | b"$defs" => Other::Doubtful,
        b"$schema" if usage == Use::Format => Other::Doubtful,
        b"pattern" | b"$id" => Other::Text,
        _ => Other::Anything,
    }
}

/// How many names are compared one by one before the others are sorted.
const WINDOW: usize = 16;

/// Whether each of `required` is one of `names`. Both are mostly in the same order,
/// so each search starts behind what was found last. `sorted` is room for more.
#[inline(always)]
fn has_all(text: &[u8], names: &[Span], required: &[Span], sorted: &mut Vec<Span>) -> bool {
    let mut next = 0;
    sorted.clear();
    for &wanted in required {
        let comes = names
            .get(next)
            .is_some_and(|&name| is_same(text, name, wanted));
        if !comes {
            match find(text, names, next, wanted, sorted) {
                Some(at) => next = at,
                None => return false,
            }
        }
        next += 1;
    }
    true
}

/// Where the wanted name is; somewhere if it is not near.
#[inline(never)]
fn find(
    text: &[u8],
    names: &[Span],
    start: usize,
    wanted: Span,
    sorted: &mut Vec<Span>,
) -> Option<usize> {
    let near = |from: usize| {
        let mut near = (from..names.len()).take(WINDOW);
        near.find(|&at| is_same(text, names[at], wanted))
    };
    if let Some(at) = near(start).or_else(|| near(0)) {
        return Some(at);
    }
    if names.len() <= WINDOW {
        return None;
    }
    if sorted.is_empty() {
        sorted.extend_from_slice(names);
        sorted.sort_unstable_by(|a, b| a.of(text).cmp(b.of(text)));
    }
    let wanted = wanted.of(text);
    let found = sorted.binary_search_by(|name| name.of(text).cmp(wanted));
    found.is_ok().then_some(start)
}

/// Whether two quoted names are the same. Most are short enough for one word.
#[inline(always)]
fn is_same(text: &[u8], a: Span, b: Span) -> bool {
    let word = |span: Span| text.get(span.start as usize..)?.first_chunk();
    a.length() == b.length()
        && match (a.length(), word(a), word(b)) {
            (length @ 1..=8, Some(a), Some(b)) => {
                let differing = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
                differing << (64 - 8 * length) == 0
            }
            _ => a.of(text) == b.of(text),
        }
}

/// Whether a value may hold a key `$ref`, however it is spelled.
#[cold]
pub(super) fn may_refer(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'$' | b'\\')) {
        if rest[at] == b'\\' || rest[at..].starts_with(b"$ref\"") {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}
