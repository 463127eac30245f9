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
    let mut look = Look {
        text: scanner.text(),
        scanner,
        scratch,
        usage,
        properties: 0,
        doubtful: false,
    };
    let root = look.schema(0)?;
    if usage == Use::Tool && (root.types != Types::OBJECT || root.several) {
        look.doubtful = true;
    }
    let span = Span::new(start, look.scanner.pos());
    let doubtful = look.doubtful
        || look.properties > MAX_PROPERTIES
        || span.range().len() > MAX_BYTES;
    look.scratch.names.clear();
    look.scratch.required.clear();
    let value = Value {
        kind: Kind::Object,
        span,
        escaped: false,
    };
    Ok((value, doubtful))
}

/// The keywords of one schema, as bits.
type Keywords = u16;

const TYPE: Keywords = 1;
const TITLE: Keywords = 1 << 1;
const DESCRIPTION: Keywords = 1 << 2;
const ENUM: Keywords = 1 << 3;
const PROPERTIES: Keywords = 1 << 4;
const REQUIRED: Keywords = 1 << 5;
const ITEMS: Keywords = 1 << 6;
const ADDITIONAL: Keywords = 1 << 7;
const ANY_OF: Keywords = 1 << 8;
/// Any that is not told from the others.
const OTHER: Keywords = 1 << 9;

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
    scanner: &'s mut Scanner<'a>,
    scratch: &'s mut Scratch,
    text: &'a [u8],
    usage: Use,
    properties: usize,
    doubtful: bool,
}

impl<'a> Look<'_, 'a> {
    /// A subschema, or whatever stands in its place.
    #[inline]
    fn subschema(&mut self, level: u32) -> Result<Keywords, Error> {
        let is_object = self.scanner.peek()? == Kind::Object;
        if self.doubtful || !is_object || level == MAX_LEVEL {
            self.doubtful = true;
            self.scanner.skip()?;
            return Ok(0);
        }
        Ok(self.schema(level)?.keywords)
    }

    /// The object that was announced.
    fn schema(&mut self, level: u32) -> Result<Seen, Error> {
        let mut seen = Seen::default();
        let names = self.scratch.names.len();
        let required = self.scratch.required.len();
        if self.scanner.open()? {
            loop {
                let key = self.scanner.key()?;
                if key.escaped || self.doubtful {
                    self.doubtful = true;
                    self.scanner.skip()?;
                } else {
                    self.keyword(inner(self.text, key.span), level, &mut seen)?;
                }
                if !self.scanner.more(b'}')? {
                    break;
                }
            }
        }
        if !self.doubtful && !self.agrees(&seen, names, required) {
            self.doubtful = true;
        }
        self.scratch.names.truncate(names);
        self.scratch.required.truncate(required);
        Ok(seen)
    }

    #[inline]
    fn keyword(&mut self, name: &[u8], level: u32, seen: &mut Seen) -> Result<(), Error> {
        let keyword = match name {
            b"type" => TYPE,
            b"description" => {
                seen.keywords |= DESCRIPTION;
                return self.text_only();
            }
            b"title" => {
                seen.keywords |= TITLE;
                return self.scanner.skip().map(drop);
            }
            b"properties" => PROPERTIES,
            b"required" => REQUIRED,
            b"enum" => ENUM,
            b"items" => ITEMS,
            b"additionalProperties" => ADDITIONAL,
            b"anyOf" => ANY_OF,
            _ => return self.other(name, seen),
        };
        // Of a keyword that stands twice the last counts: leave that to the tree.
        self.doubtful |= seen.keywords & keyword != 0;
        seen.keywords |= keyword;
        match keyword {
            TYPE => self.types(seen),
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

    /// A keyword that Moonshot reads rarely, or never.
    fn other(&mut self, name: &[u8], seen: &mut Seen) -> Result<(), Error> {
        seen.keywords |= OTHER;
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

    fn text_only(&mut self) -> Result<(), Error> {
        self.doubtful |= self.scanner.skip()?.kind != Kind::String;
        Ok(())
    }

    fn types(&mut self, seen: &mut Seen) -> Result<(), Error> {
        match self.scanner.peek()? {
            Kind::String => {
                seen.types = self.type_name()?;
                Ok(())
            }
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

    #[inline]
    fn type_name(&mut self) -> Result<Types, Error> {
        let name = self.scanner.string()?;
        let one = match inner(self.text, name.span) {
            b"string" => Types::STRING,
            b"object" => Types::OBJECT,
            b"integer" => Types::INTEGER,
            b"number" => Types::NUMBER,
            b"boolean" => Types::BOOLEAN,
            b"array" => Types::ARRAY,
            b"null" => Types::NULL,
            _ => {
                self.doubtful = true;
                Types::NONE
            }
        };
        Ok(one)
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
            let reserved = RESERVED
                .iter()
                .any(|reserved| inner(self.text, name.span) == reserved.as_bytes());
            self.doubtful |= reserved || name.escaped;
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
            let value = self.scanner.skip()?;
            let one = match value.kind {
                Kind::String => Types::STRING,
                Kind::Null => Types::NULL,
                Kind::True | Kind::False => Types::BOOLEAN,
                Kind::Array => Types::ARRAY,
                Kind::Object => Types::OBJECT,
                Kind::Number => {
                    let digits = value.span.of(self.text);
                    if digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
                        Types::NUMBER
                    } else {
                        Types::INTEGER
                    }
                }
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
        match candidates.position(|name| name.of(text) == wanted) {
            Some(steps) => {
                next = (next + steps + 1) % names.len();
                true
            }
            None => false,
        }
    })
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
