//! The look at a schema while the body is walked.
//!
//! A clean schema costs no more than this: one pass, which validates JSON just as
//! [`Scanner::skip`] does, without a tree. What is not told apart cheaply counts
//! as doubtful, and the tree decides.

use super::{Use, types::Types, vocabulary::RESERVED};
use crate::json::{Error, Kind, Scanner, Span, Value};

/// A schema within schemas that is looked at; deeper ones are doubtful. It bounds
/// the recursion of the look, and lies well below Moonshot's own limit.
const MAX_LEVEL: u32 = 16;

/// Longer schemas are doubtful: half of what Moonshot takes, because a number may
/// be longer in another spelling.
const MAX_BYTES: usize = 60_000;

/// Schemas with more properties are doubtful.
const MAX_PROPERTIES: usize = 1_000;

/// Arrays of `enum`, `anyOf` and `required` that are longer are doubtful.
const MAX_LIST: usize = 200;

/// Room that looks share, so that they allocate nothing.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct Scratch {
    /// Names of properties, of all objects that are open.
    names: Vec<Span>,
    /// Names in `required`, likewise.
    required: Vec<Span>,
}

/// Reads the value that comes next, and says whether it is a schema that may need
/// a repair. A schema that Moonshot refuses is never missed.
pub(in crate::rewrite) fn look(
    scanner: &mut Scanner<'_>,
    scratch: &mut Scratch,
    usage: Use,
) -> Result<(Value, bool), Error> {
    if scanner.peek()? != Kind::Object {
        return Ok((scanner.skip()?, false));
    }
    let start = scanner.pos();
    let text = scanner.text();
    // A scanner of its own stays in registers.
    let mut look = Look {
        text,
        scanner: std::mem::replace(scanner, Scanner::new(text)?),
        scratch,
        usage,
        properties: 0,
        doubtful: false,
    };
    let looked = look.schema(0);
    let root = looked?;
    if usage == Use::Tool && (root.types != Types::OBJECT || root.several) {
        look.doubtful = true;
    }
    let span = Span::new(start, look.scanner.pos());
    let doubtful = look.doubtful
        || look.properties > MAX_PROPERTIES
        || span.range().len() > MAX_BYTES;
    look.scratch.names.clear();
    look.scratch.required.clear();
    *scanner = look.scanner;
    let value = Value {
        kind: Kind::Object,
        span,
        escaped: false,
    };
    Ok((value, doubtful))
}

/// The keywords of one schema, as bits.
type Keywords = u64;

const TYPE: Keywords = 1;
const TITLE: Keywords = 1 << 1;
const DESCRIPTION: Keywords = 1 << 2;
const ENUM: Keywords = 1 << 3;
const PROPERTIES: Keywords = 1 << 4;
const REQUIRED: Keywords = 1 << 5;
const ITEMS: Keywords = 1 << 6;
const ADDITIONAL: Keywords = 1 << 7;
const ANY_OF: Keywords = 1 << 8;

/// The bit of any other keyword. Two may share one: a clash too many is for the
/// tree to find out.
fn other_bit(name: &[u8]) -> Keywords {
    const FIRST: u64 = 16;
    let ends = [name.first(), name.last()].map(|byte| u64::from(byte.copied().unwrap_or(0)));
    1 << (FIRST + (ends[0] * 31 + ends[1] * 7 + name.len() as u64) % (64 - FIRST))
}

/// What was seen of one schema.
#[derive(Clone, Copy, Default)]
struct Seen {
    keywords: Keywords,
    types: Types,
    /// Whether `type` is a list of more than one.
    several: bool,
    /// The types of the values in `enum`.
    values: Types,
    /// The keywords in the branches of `anyOf`.
    branches: Keywords,
}

struct Look<'s, 'a> {
    scanner: Scanner<'a>,
    scratch: &'s mut Scratch,
    text: &'a [u8],
    usage: Use,
    properties: usize,
    doubtful: bool,
}

impl<'a> Look<'_, 'a> {
    /// A subschema, or whatever stands in its place.
    #[inline(always)]
    fn subschema(&mut self, level: u32) -> Result<Keywords, Error> {
        let is_object = self.scanner.peek()? == Kind::Object;
        if self.doubtful || !is_object || level == MAX_LEVEL {
            self.doubtful = true;
            self.scanner.skip()?;
            return Ok(0);
        }
        Ok(self.schema(level)?.keywords)
    }

    /// The object that was announced. Most begin with a type and a description,
    /// and many have nothing else.
    #[inline(always)]
    fn schema(&mut self, level: u32) -> Result<Seen, Error> {
        let mut seen = Seen::default();
        if !self.scanner.open()? {
            return Ok(seen);
        }
        loop {
            if seen.keywords & TYPE == 0 && self.scanner.take(b"\"type\":") {
                seen.keywords |= TYPE;
                self.types(&mut seen)?;
            } else if self.scanner.take(b"\"description\":") {
                seen.keywords |= DESCRIPTION;
                self.text_only()?;
            } else {
                return self.more_keywords(level, seen);
            }
            if !self.scanner.more(b'}')? {
                return Ok(seen);
            }
        }
    }

    /// The rest of a schema, from a key on.
    #[inline(never)]
    fn more_keywords(&mut self, level: u32, mut seen: Seen) -> Result<Seen, Error> {
        let names = self.scratch.names.len();
        let required = self.scratch.required.len();
        loop {
            match self.usual_keyword()? {
                Some(keyword) => self.keyword(keyword, level, &mut seen)?,
                None => {
                    let key = self.scanner.key()?;
                    if key.escaped || self.doubtful {
                        self.doubt()?;
                    } else {
                        self.unusual_keyword(inner(self.text, key.span), level, &mut seen)?;
                    }
                }
            }
            if !self.scanner.more(b'}')? {
                break;
            }
        }
        if !self.doubtful && !self.agrees(&seen, names, required) {
            self.doubtful = true;
        }
        self.scratch.names.truncate(names);
        self.scratch.required.truncate(required);
        Ok(seen)
    }

    /// Goes past a keyword that is spelled and spaced as usual.
    #[inline(always)]
    fn usual_keyword(&mut self) -> Result<Option<Keywords>, Error> {
        self.scanner.peek()?;
        let scanner = &mut self.scanner;
        let (comes, keyword) = match self.text.get(scanner.pos() + 1) {
            Some(b't') => (scanner.take(b"\"type\":"), TYPE),
            Some(b'd') => (scanner.take(b"\"description\":"), DESCRIPTION),
            Some(b'p') => (scanner.take(b"\"properties\":"), PROPERTIES),
            Some(b'r') => (scanner.take(b"\"required\":"), REQUIRED),
            Some(b'e') => (scanner.take(b"\"enum\":"), ENUM),
            Some(b'i') => (scanner.take(b"\"items\":"), ITEMS),
            Some(b'a') if scanner.take(b"\"anyOf\":") => (true, ANY_OF),
            Some(b'a') => (scanner.take(b"\"additionalProperties\":"), ADDITIONAL),
            _ => (false, 0),
        };
        Ok(comes.then_some(keyword))
    }

    #[inline(always)]
    fn keyword(&mut self, keyword: Keywords, level: u32, seen: &mut Seen) -> Result<(), Error> {
        // Of a keyword that stands twice the last counts: leave that to the tree.
        self.doubtful |= seen.keywords & keyword & !DESCRIPTION != 0;
        seen.keywords |= keyword;
        match keyword {
            TYPE => self.types(seen),
            DESCRIPTION => self.text_only(),
            PROPERTIES => self.properties(level),
            REQUIRED => self.required(),
            ENUM => self.values(seen),
            ITEMS => self.subschema(level + 1).map(drop),
            ADDITIONAL => match self.scanner.peek()? {
                Kind::Object => self.subschema(level + 1).map(drop),
                Kind::True | Kind::False => self.scanner.skip().map(drop),
                _ => self.doubt(),
            },
            _ => self.branches(level, seen),
        }
    }

    #[inline(never)]
    fn unusual_keyword(
        &mut self,
        name: &[u8],
        level: u32,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let keyword = match name {
            b"type" => TYPE,
            b"description" => DESCRIPTION,
            b"properties" => PROPERTIES,
            b"required" => REQUIRED,
            b"enum" => ENUM,
            b"items" => ITEMS,
            b"additionalProperties" => ADDITIONAL,
            b"anyOf" => ANY_OF,
            b"title" => {
                seen.keywords |= TITLE;
                return self.scanner.skip().map(drop);
            }
            _ => return self.other(name, seen),
        };
        self.keyword(keyword, level, seen)
    }

    /// A keyword that Moonshot reads rarely, or never.
    fn other(&mut self, name: &[u8], seen: &mut Seen) -> Result<(), Error> {
        seen.keywords |= other_bit(name);
        match name {
            b"$ref" | b"$defs" => self.doubt(),
            b"$schema" if self.usage == Use::Format => self.doubt(),
            b"pattern" | b"$id" => self.text_only(),
            _ => self.scanner.skip().map(drop),
        }
    }

    fn doubt(&mut self) -> Result<(), Error> {
        self.doubtful = true;
        self.scanner.skip().map(drop)
    }

    #[inline(always)]
    fn text_only(&mut self) -> Result<(), Error> {
        match self.scanner.peek()? {
            Kind::String => self.scanner.string().map(drop),
            _ => self.doubt(),
        }
    }

    #[inline(always)]
    fn types(&mut self, seen: &mut Seen) -> Result<(), Error> {
        match self.scanner.peek()? {
            Kind::String => {
                seen.types = self.type_name()?;
                Ok(())
            }
            _ => self.type_list(seen),
        }
    }

    #[cold]
    fn type_list(&mut self, seen: &mut Seen) -> Result<(), Error> {
        match self.scanner.peek()? {
            Kind::Array => {
                seen.several = true;
                if !self.scanner.open()? {
                    self.doubtful = true;
                    return Ok(());
                }
                loop {
                    if self.scanner.peek()? != Kind::String {
                        self.doubt()?;
                    } else {
                        let one = self.type_name()?;
                        // One that stands twice is the tree's to judge.
                        self.doubtful |= seen.types.names(one);
                        seen.types = seen.types.or(one);
                    }
                    if !self.scanner.more(b']')? {
                        return Ok(());
                    }
                }
            }
            _ => self.doubt(),
        }
    }

    #[inline(always)]
    fn type_name(&mut self) -> Result<Types, Error> {
        let scanner = &mut self.scanner;
        let name = match self.text.get(scanner.pos() + 1) {
            Some(b's') => (scanner.take(b"\"string\""), Types::STRING),
            Some(b'i') => (scanner.take(b"\"integer\""), Types::INTEGER),
            Some(b'b') => (scanner.take(b"\"boolean\""), Types::BOOLEAN),
            Some(b'o') => (scanner.take(b"\"object\""), Types::OBJECT),
            Some(b'a') => (scanner.take(b"\"array\""), Types::ARRAY),
            Some(b'n') if scanner.take(b"\"number\"") => (true, Types::NUMBER),
            Some(b'n') => (scanner.take(b"\"null\""), Types::NULL),
            _ => (false, Types::NONE),
        };
        if let (true, one) = name {
            return Ok(one);
        }
        self.doubtful = true;
        self.scanner.string()?;
        Ok(Types::NONE)
    }

    fn properties(&mut self, level: u32) -> Result<(), Error> {
        if self.scanner.peek()? != Kind::Object {
            return self.doubt();
        }
        if !self.scanner.open()? {
            return Ok(());
        }
        loop {
            let name = self.scanner.key()?;
            self.doubtful |= name.escaped || is_reserved(inner(self.text, name.span));
            self.scratch.names.push(name.span);
            self.properties += 1;
            self.subschema(level + 1)?;
            if !self.scanner.more(b'}')? {
                return Ok(());
            }
        }
    }

    fn required(&mut self) -> Result<(), Error> {
        if self.scanner.peek()? != Kind::Array {
            return self.doubt();
        }
        let start = self.scratch.required.len();
        if !self.scanner.open()? {
            return Ok(());
        }
        loop {
            if self.scanner.peek()? == Kind::String {
                let name = self.scanner.string()?;
                self.doubtful |= name.escaped;
                self.scratch.required.push(name.span);
            } else {
                self.doubt()?;
            }
            if !self.scanner.more(b']')? {
                break;
            }
        }
        self.doubtful |= self.scratch.required.len() - start > MAX_LIST;
        Ok(())
    }

    fn values(&mut self, seen: &mut Seen) -> Result<(), Error> {
        if self.scanner.peek()? != Kind::Array {
            return self.doubt();
        }
        if !self.scanner.open()? {
            self.doubtful = true;
            return Ok(());
        }
        let mut count = 0;
        loop {
            let one = if self.scanner.peek()? == Kind::String {
                self.scanner.string()?;
                Types::STRING
            } else {
                self.value_type()?
            };
            seen.values = seen.values.or(one);
            count += 1;
            if !self.scanner.more(b']')? {
                break;
            }
        }
        self.doubtful |= count > MAX_LIST;
        Ok(())
    }

    /// The type of a value; of a number that may be an integer, "number".
    fn value_type(&mut self) -> Result<Types, Error> {
        let value = self.scanner.skip()?;
        Ok(match value.kind {
            Kind::String => Types::STRING,
            Kind::Null => Types::NULL,
            Kind::True | Kind::False => Types::BOOLEAN,
            Kind::Array => Types::ARRAY,
            Kind::Object => Types::OBJECT,
            Kind::Number => {
                let digits = value.span.of(self.text);
                let is_plain = digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
                if is_plain { Types::INTEGER } else { Types::NUMBER }
            }
        })
    }

    fn branches(&mut self, level: u32, seen: &mut Seen) -> Result<(), Error> {
        if self.scanner.peek()? != Kind::Array {
            return self.doubt();
        }
        if !self.scanner.open()? {
            self.doubtful = true;
            return Ok(());
        }
        let mut count = 0;
        loop {
            seen.branches |= self.subschema(level + 1)?;
            count += 1;
            if !self.scanner.more(b']')? {
                break;
            }
        }
        self.doubtful |= count > MAX_LIST;
        Ok(())
    }

    /// Whether the keywords of a schema agree with one another.
    #[inline]
    fn agrees(&self, seen: &Seen, names: usize, required: usize) -> bool {
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
            let nullable = count == 2
                && seen.types.names(Types::NULL)
                && seen.types.and(composite).is_empty();
            if !(count == 1 || nullable) || !seen.types.admit(seen.values) {
                return false;
            }
        } else if count > 1 && seen.keywords & !(TYPE | TITLE | DESCRIPTION) != 0 {
            return false;
        }
        has_all(
            self.text,
            &self.scratch.names[names..],
            &self.scratch.required[required..],
        )
    }
}

/// Whether each of `required` is one of `names`. They mostly stand in the same
/// order, so each search starts behind what was found last.
fn has_all(text: &[u8], names: &[Span], required: &[Span]) -> bool {
    let mut next = 0;
    required.iter().all(|wanted| {
        let wanted = wanted.of(text);
        let mut candidates = names[next..].iter().chain(&names[..next]);
        match candidates.position(|name| is_same(name.of(text), wanted)) {
            Some(steps) => {
                next = (next + steps + 1) % names.len();
                true
            }
            None => false,
        }
    })
}

/// Whether two names are the same. They are short, so that a call costs more than
/// the comparison.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}

/// Whether no property may have this name.
#[inline]
fn is_reserved(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'$' | b'a' | b'r'))
        && RESERVED.iter().any(|reserved| name == reserved.as_bytes())
}

/// What stands between quotes.
#[inline(always)]
fn inner(text: &[u8], quoted: Span) -> &[u8] {
    let inner = Span {
        start: quoted.start + 1,
        end: quoted.end - 1,
    };
    inner.of(text)
}
