//! The look at a schema while the body is walked.
//!
//! A clean schema costs no more than this: one pass, which validates JSON just as
//! [`Scanner::skip`] does, without a tree. What is not told apart cheaply counts
//! as doubtful, and the tree decides.

use super::{Use, types::Types, vocabulary::RESERVED};
use crate::json::{Backend, Error, Kind, Pass, Place, Scanner, Span, Value};

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
#[inline(always)]
pub(in crate::rewrite) fn look<B: Backend>(
    scanner: &mut Scanner<'_, B>,
    scratch: &mut Scratch,
    usage: Use,
) -> Result<(Value, bool), Error> {
    if scanner.peek()? != Kind::Object {
        return Ok((scanner.skip()?, false));
    }
    let start = scanner.pos();
    let mut look = Look {
        scratch,
        usage,
        properties: 0,
        doubtful: false,
    };
    let look_at = Subschema {
        look: &mut look,
        level: 0,
    };
    let root = scanner.call(look_at)?;
    let span = Span::new(start, scanner.pos());
    let doubtful = look.doubtful
        || usage == Use::Tool && (root.types != Types::OBJECT || root.several)
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

/// A look at one schema and all that are in it.
#[derive(Debug)]
struct Look<'s> {
    scratch: &'s mut Scratch,
    usage: Use,
    properties: usize,
    doubtful: bool,
}

/// The look at the object that comes next.
struct Subschema<'l, 's> {
    look: &'l mut Look<'s>,
    level: u32,
}

impl Pass for Subschema<'_, '_> {
    type Output = Result<(Place, Seen), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Self::Output {
        let mut reader = Reader::new(scanner, self.look);
        let seen = reader.schema(self.level)?;
        Ok((reader.scanner.place(), seen))
    }
}

/// The look at the rest of a schema, from a key on.
struct MoreKeywords<'l, 's> {
    look: &'l mut Look<'s>,
    level: u32,
    seen: Seen,
}

impl Pass for MoreKeywords<'_, '_> {
    type Output = Result<(Place, Seen), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Self::Output {
        let mut reader = Reader::new(scanner, self.look);
        let seen = reader.more_keywords(self.level, self.seen)?;
        Ok((reader.scanner.place(), seen))
    }
}

/// Goes past the next value.
struct Skip;

impl Pass for Skip {
    type Output = Result<(Place, Value), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, mut scanner: Scanner<'_, B>) -> Self::Output {
        let value = scanner.skip()?;
        Ok((scanner.place(), value))
    }
}

/// Reads a schema. What it does often is part of the passes above; the rest is
/// called as a pass of its own.
struct Reader<'l, 's, 'a, B> {
    scanner: Scanner<'a, B>,
    text: &'a [u8],
    look: &'l mut Look<'s>,
}

impl<'l, 's, 'a, B: Backend> Reader<'l, 's, 'a, B> {
    #[inline(always)]
    fn new(scanner: Scanner<'a, B>, look: &'l mut Look<'s>) -> Self {
        let text = scanner.text();
        Self {
            scanner,
            text,
            look,
        }
    }

    /// Whether a value of this kind comes next, which begins with `first`: mostly
    /// at once, without white space before it.
    #[inline(always)]
    fn comes(&mut self, kind: Kind, first: u8) -> Result<bool, Error> {
        Ok(self.is_at(first) || self.scanner.peek()? == kind)
    }

    #[inline(always)]
    fn is_at(&self, byte: u8) -> bool {
        self.text.get(self.scanner.pos()) == Some(&byte)
    }

    /// Goes past the white space before a key.
    #[inline(always)]
    fn skip_space(&mut self) -> Result<(), Error> {
        if !self.is_at(b'"') {
            self.scanner.peek()?;
        }
        Ok(())
    }

    #[inline(always)]
    fn skip(&mut self) -> Result<Value, Error> {
        self.scanner.call(Skip)
    }

    #[inline(always)]
    fn doubt(&mut self) -> Result<(), Error> {
        self.look.doubtful = true;
        self.skip().map(drop)
    }

    /// A subschema, or whatever stands in its place.
    #[inline(always)]
    fn subschema(&mut self, level: u32) -> Result<Keywords, Error> {
        if self.is_schema(level)? {
            let look = &mut *self.look;
            Ok(self.scanner.call(Subschema { look, level })?.keywords)
        } else {
            self.doubt()?;
            Ok(0)
        }
    }

    /// Whether an object comes next that is to be looked into.
    #[inline(always)]
    fn is_schema(&mut self, level: u32) -> Result<bool, Error> {
        Ok(self.comes(Kind::Object, b'{')? && !self.look.doubtful && level < MAX_LEVEL)
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
            self.skip_space()?;
            if seen.keywords & TYPE == 0 && self.scanner.take(b"\"type\":") {
                seen.keywords |= TYPE;
                self.types(&mut seen)?;
            } else if self.scanner.take(b"\"description\":") {
                seen.keywords |= DESCRIPTION;
                self.text_only()?;
            } else {
                let look = &mut *self.look;
                return self.scanner.call(MoreKeywords { look, level, seen });
            }
            if !self.scanner.more(b'}')? {
                return Ok(seen);
            }
        }
    }

    /// The rest of a schema, from a key on.
    #[inline(always)]
    fn more_keywords(&mut self, level: u32, mut seen: Seen) -> Result<Seen, Error> {
        let names = self.look.scratch.names.len();
        let required = self.look.scratch.required.len();
        loop {
            self.skip_space()?;
            let keyword = match self.usual_keyword() {
                0 => self.unusual_keyword(&mut seen)?,
                usual => usual,
            };
            self.keyword(keyword, level, &mut seen)?;
            if !self.scanner.more(b'}')? {
                break;
            }
        }
        let look = &mut *self.look;
        if !look.doubtful && !look.agrees(self.text, &seen, names, required) {
            look.doubtful = true;
        }
        look.scratch.names.truncate(names);
        look.scratch.required.truncate(required);
        Ok(seen)
    }

    /// Goes past a keyword that is spelled and spaced as usual. No bit if the key
    /// that comes is something else.
    #[inline(always)]
    fn usual_keyword(&mut self) -> Keywords {
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
        if comes { keyword } else { 0 }
    }

    /// Reads a key. Of a keyword that is judged, what it is; any other is gone
    /// past with its value, and is no bit.
    #[inline(always)]
    fn unusual_keyword(&mut self, seen: &mut Seen) -> Result<Keywords, Error> {
        let key = self.scanner.key()?;
        if key.escaped || self.look.doubtful {
            self.doubt()?;
            return Ok(0);
        }
        let name = inner(self.text, key.span);
        let found = named(name);
        if found == TITLE {
            seen.keywords |= TITLE;
            self.skip()?;
            return Ok(0);
        }
        if found == 0 {
            seen.keywords |= other_bit(name);
            match other(name, self.look.usage) {
                Other::Doubtful => self.doubt()?,
                Other::Text => self.text_only()?,
                Other::Anything => self.skip().map(drop)?,
            }
        }
        Ok(found)
    }

    /// Reads the value of a keyword; nothing if that is no bit.
    #[inline(always)]
    fn keyword(&mut self, keyword: Keywords, level: u32, seen: &mut Seen) -> Result<(), Error> {
        // Of a keyword that stands twice the last counts: leave that to the tree.
        self.look.doubtful |= seen.keywords & keyword & !DESCRIPTION != 0;
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
                Kind::True | Kind::False => self.skip().map(drop),
                _ => self.doubt(),
            },
            ANY_OF => self.branches(level, seen),
            _ => Ok(()),
        }
    }

    #[inline(always)]
    fn text_only(&mut self) -> Result<(), Error> {
        if self.comes(Kind::String, b'"')? {
            self.scanner.string().map(drop)
        } else {
            self.doubt()
        }
    }

    #[inline(always)]
    fn types(&mut self, seen: &mut Seen) -> Result<(), Error> {
        if self.comes(Kind::String, b'"')? {
            seen.types = self.type_name()?;
            Ok(())
        } else {
            self.type_list(seen)
        }
    }

    #[inline(always)]
    fn type_list(&mut self, seen: &mut Seen) -> Result<(), Error> {
        match self.scanner.peek()? {
            Kind::Array => {
                seen.several = true;
                if !self.scanner.open()? {
                    self.look.doubtful = true;
                    return Ok(());
                }
                loop {
                    if !self.comes(Kind::String, b'"')? {
                        self.doubt()?;
                    } else {
                        let one = self.type_name()?;
                        // One that stands twice is the tree's to judge.
                        self.look.doubtful |= seen.types.names(one);
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
        self.look.doubtful = true;
        self.scanner.string()?;
        Ok(Types::NONE)
    }

    #[inline(always)]
    fn properties(&mut self, level: u32) -> Result<(), Error> {
        if !self.comes(Kind::Object, b'{')? {
            return self.doubt();
        }
        if !self.scanner.open()? {
            return Ok(());
        }
        loop {
            let name = self.scanner.key()?;
            self.look.doubtful |= name.escaped || is_reserved(inner(self.text, name.span));
            self.look.scratch.names.push(name.span);
            self.look.properties += 1;
            if self.is_schema(level + 1)? {
                self.schema(level + 1)?;
            } else {
                self.doubt()?;
            }
            if !self.scanner.more(b'}')? {
                return Ok(());
            }
        }
    }

    #[inline(always)]
    fn required(&mut self) -> Result<(), Error> {
        if !self.comes(Kind::Array, b'[')? {
            return self.doubt();
        }
        let start = self.look.scratch.required.len();
        if !self.scanner.open()? {
            return Ok(());
        }
        loop {
            if self.comes(Kind::String, b'"')? {
                let name = self.scanner.string()?;
                self.look.doubtful |= name.escaped;
                self.look.scratch.required.push(name.span);
            } else {
                self.doubt()?;
            }
            if !self.scanner.more(b']')? {
                break;
            }
        }
        self.look.doubtful |= self.look.scratch.required.len() - start > MAX_LIST;
        Ok(())
    }

    #[inline(always)]
    fn values(&mut self, seen: &mut Seen) -> Result<(), Error> {
        if !self.comes(Kind::Array, b'[')? {
            return self.doubt();
        }
        if !self.scanner.open()? {
            self.look.doubtful = true;
            return Ok(());
        }
        let mut count = 0;
        loop {
            let one = if self.comes(Kind::String, b'"')? {
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
        self.look.doubtful |= count > MAX_LIST;
        Ok(())
    }

    #[inline(always)]
    /// The type of a value; of a number that may be an integer, "number".
    fn value_type(&mut self) -> Result<Types, Error> {
        let value = self.skip()?;
        Ok(match value.kind {
            Kind::String => Types::STRING,
            Kind::Null => Types::NULL,
            Kind::True | Kind::False => Types::BOOLEAN,
            Kind::Array => Types::ARRAY,
            Kind::Object => Types::OBJECT,
            Kind::Number => {
                let digits = value.span.of(self.text);
                let is_plain = digits
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || *byte == b'-');
                if is_plain {
                    Types::INTEGER
                } else {
                    Types::NUMBER
                }
            }
        })
    }

    #[inline(always)]
    fn branches(&mut self, level: u32, seen: &mut Seen) -> Result<(), Error> {
        if !self.comes(Kind::Array, b'[')? {
            return self.doubt();
        }
        if !self.scanner.open()? {
            self.look.doubtful = true;
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
        self.look.doubtful |= count > MAX_LIST;
        Ok(())
    }
}

impl Look<'_> {
    /// Whether the keywords of a schema agree with one another.
    // Not a part of the passes: what it needs would take registers from them.
    #[inline(never)]
    fn agrees(&self, text: &[u8], seen: &Seen, names: usize, required: usize) -> bool {
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
        } else if count > 1 && seen.keywords & !(TYPE | TITLE | DESCRIPTION) != 0 {
            return false;
        }
        has_all(
            text,
            &self.scratch.names[names..],
            &self.scratch.required[required..],
        )
    }
}

/// The keyword that is judged or an annotation; no bit if it is another.
#[cold]
fn named(keyword: &[u8]) -> Keywords {
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
enum Other {
    Doubtful,
    Text,
    Anything,
}

#[cold]
fn other(keyword: &[u8], usage: Use) -> Other {
    match keyword {
        b"$ref" | b"$defs" => Other::Doubtful,
        b"$schema" if usage == Use::Format => Other::Doubtful,
        b"pattern" | b"$id" => Other::Text,
        _ => Other::Anything,
    }
}

/// Whether each of `required` is one of `names`. They mostly stand in the same
/// order, so each search starts behind what was found last.
#[inline(always)]
fn has_all(text: &[u8], names: &[Span], required: &[Span]) -> bool {
    let mut next = 0;
    for &wanted in required {
        let comes = names
            .get(next)
            .is_some_and(|&name| is_same(text, name, wanted));
        if !comes {
            match find(text, names, next, wanted) {
                Some(at) => next = at,
                None => return false,
            }
        }
        next += 1;
    }
    true
}

/// The index of the first name from `start` on, or else from the first one on,
/// that is the wanted one.
#[inline(never)]
fn find(text: &[u8], names: &[Span], start: usize, wanted: Span) -> Option<usize> {
    let from = |start: usize| (start..names.len()).find(|&at| is_same(text, names[at], wanted));
    from(start).or_else(|| from(0))
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
