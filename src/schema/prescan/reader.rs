//! The pass over one schema.

use super::{
    MAX_LEVEL, MAX_LIST, MAX_PROPERTIES, Prescan,
    agreement::{
        ADDITIONAL, ANY_OF, DESCRIPTION, ENUM, ITEMS, Keywords, Other, PROPERTIES, REQUIRED, Seen,
        TITLE, TYPE, may_refer, named, other, other_bit,
    },
};
use crate::{
    json::{Backend, Error, Kind, Pass, Place, Scanner, Span, Value},
    schema::{keyword::RESERVED_TEXTS, types::Types},
};

/// The reading of the object that comes next.
pub(super) struct Subschema<'l, 's> {
    pub(super) scan: &'l mut Prescan<'s>,
    pub(super) level: u32,
}

impl Pass for Subschema<'_, '_> {
    type Output = Result<(Place, Seen), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Self::Output {
        let mut reader = Reader::new(scanner, self.scan);
        let seen = reader.schema(self.level)?;
        Ok((reader.scanner.place(), seen))
    }
}

/// The reading of the rest of a schema, from a key on.
struct MoreKeywords<'l, 's> {
    scan: &'l mut Prescan<'s>,
    level: u32,
    seen: Seen,
}

impl Pass for MoreKeywords<'_, '_> {
    type Output = Result<(Place, Seen), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Self::Output {
        let mut reader = Reader::new(scanner, self.scan);
        let seen = reader.more_keywords(self.level, self.seen)?;
        Ok((reader.scanner.place(), seen))
    }
}

/// Skips the next value.
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
    scan: &'l mut Prescan<'s>,
}

impl<'l, 's, 'a, B: Backend> Reader<'l, 's, 'a, B> {
    #[inline(always)]
    fn new(scanner: Scanner<'a, B>, scan: &'l mut Prescan<'s>) -> Self {
        let text = scanner.text();
        Self {
            scanner,
            text,
            scan,
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
        self.scan.doubtful = true;
        self.skip().map(drop)
    }

    /// A subschema, or whatever stands in its place.
    #[inline(always)]
    fn subschema(&mut self, level: u32) -> Result<Keywords, Error> {
        if self.is_schema(level)? {
            let scan = &mut *self.scan;
            Ok(self.scanner.call(Subschema { scan, level })?.keywords)
        } else {
            self.doubt()?;
            Ok(0)
        }
    }

    /// Whether an object comes next that is to be looked into.
    #[inline(always)]
    fn is_schema(&mut self, level: u32) -> Result<bool, Error> {
        Ok(self.comes(Kind::Object, b'{')? && !self.scan.doubtful && level < MAX_LEVEL)
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
                let scan = &mut *self.scan;
                return self.scanner.call(MoreKeywords { scan, level, seen });
            }
            if !self.scanner.more(b'}')? {
                return Ok(seen);
            }
        }
    }

    /// The rest of a schema, from a key on.
    #[inline(always)]
    fn more_keywords(&mut self, level: u32, mut seen: Seen) -> Result<Seen, Error> {
        let names = self.scan.scratch.names.len();
        let required = self.scan.scratch.required.len();
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
        let scan = &mut *self.scan;
        if !scan.doubtful && !scan.agrees(self.text, &seen, names, required) {
            scan.doubtful = true;
        }
        scan.scratch.names.truncate(names);
        scan.scratch.required.truncate(required);
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
        if key.escaped || self.scan.doubtful {
            self.doubt()?;
            return Ok(0);
        }
        let name = inner(self.text, key.span);
        let found = named(name);
        if found == TITLE {
            seen.keywords |= TITLE;
            self.anything()?;
            return Ok(0);
        }
        if found == 0 {
            seen.keywords |= other_bit(name);
            match other(name, self.scan.usage) {
                Other::Doubtful => self.doubt()?,
                Other::Text => self.text_only()?,
                Other::Anything => self.anything()?,
            }
        }
        Ok(found)
    }

    /// Reads the value of a keyword; nothing if that is no bit.
    #[inline(always)]
    fn keyword(&mut self, keyword: Keywords, level: u32, seen: &mut Seen) -> Result<(), Error> {
        // Of a keyword that stands twice the last counts: leave that to the tree.
        self.scan.doubtful |= seen.keywords & keyword & !DESCRIPTION != 0;
        seen.keywords |= keyword;
        self.scan.looked_up += usize::from(keyword & (REQUIRED | ENUM | ANY_OF) != 0);
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

    /// Skips a value in which Moonshot looks for nothing but references.
    #[inline(always)]
    fn anything(&mut self) -> Result<(), Error> {
        let value = self.skip()?;
        if value.kind == Kind::Object && may_refer(value.span.of(self.text)) {
            self.scan.doubtful = true;
        }
        Ok(())
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
                    self.scan.doubtful = true;
                    return Ok(());
                }
                loop {
                    if !self.comes(Kind::String, b'"')? {
                        self.doubt()?;
                    } else {
                        let one = self.type_name()?;
                        // One that stands twice is the tree's to judge.
                        self.scan.doubtful |= seen.types.names(one);
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
        self.scan.doubtful = true;
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
            let scan = &mut *self.scan;
            scan.properties += 1;
            scan.doubtful |= name.escaped
                || scan.properties > MAX_PROPERTIES
                || is_reserved(inner(self.text, name.span));
            if !scan.doubtful {
                scan.scratch.names.push(name.span);
            }
            let looked_up = self.scan.looked_up;
            if self.is_schema(level + 1)? {
                self.schema(level + 1)?;
            } else {
                self.doubt()?;
            }
            // Few properties have such keywords, so few names are searched.
            if self.scan.looked_up != looked_up && has_brace(self.text, name.span) {
                self.scan.doubtful = true;
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
        let start = self.scan.scratch.required.len();
        if !self.scanner.open()? {
            return Ok(());
        }
        loop {
            if self.comes(Kind::String, b'"')? {
                let name = self.scanner.string()?;
                let scan = &mut *self.scan;
                scan.doubtful |= name.escaped;
                // What is doubtful is not noted: it may be long.
                if !scan.doubtful {
                    scan.scratch.required.push(name.span);
                    scan.doubtful = scan.scratch.required.len() - start > MAX_LIST;
                }
            } else {
                self.doubt()?;
            }
            if !self.scanner.more(b']')? {
                break;
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn values(&mut self, seen: &mut Seen) -> Result<(), Error> {
        if !self.comes(Kind::Array, b'[')? {
            return self.doubt();
        }
        if !self.scanner.open()? {
            self.scan.doubtful = true;
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
        self.scan.doubtful |= count > MAX_LIST;
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
            self.scan.doubtful = true;
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
        self.scan.doubtful |= count > MAX_LIST;
        Ok(())
    }
}

/// Whether a name has a brace. The validator then doesn't find what `required`, `enum` and
/// `anyOf` below it belong to.
fn has_brace(text: &[u8], name: Span) -> bool {
    name.of(text).contains(&b'{')
}

/// Whether no property may have this name.
#[inline]
fn is_reserved(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'$' | b'a' | b'r'))
        && RESERVED_TEXTS
            .iter()
            .any(|reserved| name == reserved.as_bytes())
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
