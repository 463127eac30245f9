//! Keywords of JSON Schema, and names in general as numbers.
//!
//! Every key of a schema is kept as a [`Name`], so that comparing two is one
//! instruction. The first numbers are the keywords below.

use std::{borrow::Cow, collections::HashMap};

use super::types::Types;

/// A key, or the name of a property or definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(u32);

/// Declares the keywords that the repair knows by name.
macro_rules! keywords {
    ($( $name:ident = $text:literal, )+) => {
        /// The numbers, by position.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "positions only")]
        enum Position { $( $name, )+ }

        $( pub(super) const $name: Name = Name(Position::$name as u32); )+

        const TEXTS: &[&str] = &[ $( $text, )+ ];

        /// The number of a keyword.
        fn known(text: &str) -> Option<Name> {
            match text {
                $( $text => Some($name), )+
                _ => None,
            }
        }
    };
}

keywords! {
    // The first 32 have a bit in `Keywords`.
    REF = "$ref",
    DEFS = "$defs",
    DEFINITIONS = "definitions",
    TYPE = "type",
    ENUM = "enum",
    CONST = "const",
    ANY_OF = "anyOf",
    ONE_OF = "oneOf",
    ALL_OF = "allOf",
    NOT = "not",
    IF = "if",
    THEN = "then",
    ELSE = "else",
    PROPERTIES = "properties",
    REQUIRED = "required",
    ADDITIONAL_PROPERTIES = "additionalProperties",
    PATTERN_PROPERTIES = "patternProperties",
    ITEMS = "items",
    PREFIX_ITEMS = "prefixItems",
    ADDITIONAL_ITEMS = "additionalItems",
    MIN_ITEMS = "minItems",
    MAX_ITEMS = "maxItems",
    CONTAINS = "contains",
    MAX_CONTAINS = "maxContains",
    UNEVALUATED_PROPERTIES = "unevaluatedProperties",
    UNEVALUATED_ITEMS = "unevaluatedItems",
    TITLE = "title",
    DESCRIPTION = "description",
    PATTERN = "pattern",
    ID = "$id",
    DISCRIMINATOR = "discriminator",
    SCHEMA = "$schema",
    // The others don't.
    MIN_CONTAINS = "minContains",
    DEFAULT = "default",
    EXAMPLES = "examples",
    EXAMPLE = "example",
    COMMENT = "$comment",
    ANCHOR = "$anchor",
    DYNAMIC_ANCHOR = "$dynamicAnchor",
    DYNAMIC_REF = "$dynamicRef",
    RECURSIVE_REF = "$recursiveRef",
    DEPENDENT_SCHEMAS = "dependentSchemas",
    DEPENDENT_REQUIRED = "dependentRequired",
    DEPENDENCIES = "dependencies",
    PROPERTY_NAMES = "propertyNames",
    CONTENT_SCHEMA = "contentSchema",
    CONTENT_ENCODING = "contentEncoding",
    CONTENT_MEDIA_TYPE = "contentMediaType",
    MIN_LENGTH = "minLength",
    MAX_LENGTH = "maxLength",
    FORMAT = "format",
    MINIMUM = "minimum",
    MAXIMUM = "maximum",
    EXCLUSIVE_MINIMUM = "exclusiveMinimum",
    EXCLUSIVE_MAXIMUM = "exclusiveMaximum",
    MULTIPLE_OF = "multipleOf",
    UNIQUE_ITEMS = "uniqueItems",
    MIN_PROPERTIES = "minProperties",
    MAX_PROPERTIES = "maxProperties",
    SCHEMAS = "schemas",
    MAPPING = "mapping",
}

/// A set of those keywords that have a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Keywords(u32);

impl Keywords {
    pub(super) const fn insert(&mut self, name: Name) {
        self.0 |= name.bit();
    }

    pub(super) const fn remove(&mut self, name: Name) {
        self.0 &= !name.bit();
    }

    /// Whether the keyword may be there: a "no" is certain, and for keywords that
    /// have a bit a "yes" is too.
    pub(super) const fn may_have(self, name: Name) -> bool {
        name.bit() == 0 || self.0 & name.bit() != 0
    }
}

impl Name {
    /// What elements of arrays have instead of a name.
    pub(super) const NONE: Self = Self(u32::MAX);

    /// Its place in a list of all names.
    pub(super) const fn place(self) -> usize {
        self.0 as usize
    }

    /// Its bit in a set of keywords; none for most names.
    pub(super) const fn bit(self) -> u32 {
        if self.0 < u32::BITS { 1 << self.0 } else { 0 }
    }
}

/// All names that occur.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    texts: Vec<Cow<'a, str>>,
    numbers: HashMap<Cow<'a, str>, Name>,
}

impl<'a> Names<'a> {
    /// The number of a name, which gets one if it has none yet.
    pub(super) fn intern(&mut self, text: Cow<'a, str>) -> Name {
        if let Some(name) = self.find(&text) {
            return name;
        }
        let name = Name((TEXTS.len() + self.texts.len()) as u32);
        self.texts.push(text.clone());
        self.numbers.insert(text, name);
        name
    }

    /// The number of a name that occurs.
    pub(super) fn find(&self, text: &str) -> Option<Name> {
        known(text).or_else(|| self.numbers.get(text).copied())
    }

    /// Whether a condition holds for any name that is no keyword.
    pub(super) fn any(&self, holds: impl Fn(&str) -> bool) -> bool {
        self.texts.iter().any(|text| holds(text))
    }

    pub(super) fn text(&self, name: Name) -> &str {
        let place = name.0 as usize;
        match TEXTS.get(place) {
            Some(text) => text,
            None => self.texts.get(place - TEXTS.len()).map_or("", |text| text),
        }
    }
}

/// Names that no property may have, because Moonshot takes them for keywords
/// (validator).
pub(super) const RESERVED: [Name; 5] = [REF, DEFS, ANY_OF, REQUIRED, ADDITIONAL_PROPERTIES];

/// The same as text.
pub(super) const RESERVED_TEXTS: [&str; 5] =
    ["$ref", "$defs", "anyOf", "required", "additionalProperties"];

/// Keywords that decide together which properties an object has.
pub(super) const OBJECT_GROUP: [Name; 4] = [
    PROPERTIES,
    REQUIRED,
    ADDITIONAL_PROPERTIES,
    PATTERN_PROPERTIES,
];

/// Keywords that mean something else without one another.
const GROUPS: [&[Name]; 7] = [
    &OBJECT_GROUP,
    &[PREFIX_ITEMS, ITEMS, ADDITIONAL_ITEMS],
    &[CONTAINS, MIN_CONTAINS, MAX_CONTAINS],
    &[IF, THEN, ELSE],
    &[TYPE, ENUM],
    &[MINIMUM, EXCLUSIVE_MINIMUM],
    &[MAXIMUM, EXCLUSIVE_MAXIMUM],
];

/// Keywords for what is unevaluated by those beside them.
pub(super) const UNEVALUATED: [Name; 2] = [UNEVALUATED_PROPERTIES, UNEVALUATED_ITEMS];

/// Annotations that are removed from schemas that are too long, the least useful
/// first.
pub(super) const LONG_ANNOTATIONS: [Name; 4] = [EXAMPLES, COMMENT, TITLE, DESCRIPTION];

/// Whether a keyword may be on both sides of an `anyOf` or a `$ref` (validator).
pub(super) fn may_repeat(keyword: Name) -> bool {
    matches!(keyword, TITLE | DESCRIPTION)
}

/// The keywords that have to move together with this one, itself among them.
pub(super) fn group(keyword: Name) -> Vec<Name> {
    let group = GROUPS.into_iter().find(|group| group.contains(&keyword));
    group.map_or_else(|| vec![keyword], <[Name]>::to_vec)
}

/// Whether a keyword decides which values are admitted. All others annotate, and
/// nothing depends on which side of a schema they are.
pub(super) fn asserts(keyword: Name) -> bool {
    applies_to(keyword).is_some()
        || matches!(
            keyword,
            TYPE | ENUM
                | CONST
                | ALL_OF
                | ANY_OF
                | ONE_OF
                | NOT
                | IF
                | THEN
                | ELSE
                | REF
                | DYNAMIC_REF
                | RECURSIVE_REF
                | UNEVALUATED_ITEMS
                | UNEVALUATED_PROPERTIES
        )
}

/// The types of the values that a keyword judges, where it judges some only and
/// can move into a branch for them. What is unevaluated depends on the keywords
/// beside it, so those two don't move.
pub(super) fn applies_to(keyword: Name) -> Option<Types> {
    Some(match keyword {
        MIN_LENGTH | MAX_LENGTH | PATTERN | CONTENT_ENCODING | CONTENT_MEDIA_TYPE
        | CONTENT_SCHEMA => Types::STRING,
        FORMAT => Types::STRING.or(Types::NUMBER).or(Types::INTEGER),
        MINIMUM | MAXIMUM | EXCLUSIVE_MINIMUM | EXCLUSIVE_MAXIMUM | MULTIPLE_OF => {
            Types::NUMBER.or(Types::INTEGER)
        }
        ITEMS | PREFIX_ITEMS | ADDITIONAL_ITEMS | MIN_ITEMS | MAX_ITEMS | UNIQUE_ITEMS
        | CONTAINS | MIN_CONTAINS | MAX_CONTAINS => Types::ARRAY,
        PROPERTIES
        | REQUIRED
        | ADDITIONAL_PROPERTIES
        | PATTERN_PROPERTIES
        | PROPERTY_NAMES
        | MIN_PROPERTIES
        | MAX_PROPERTIES
        | DEPENDENT_REQUIRED
        | DEPENDENT_SCHEMAS
        | DEPENDENCIES => Types::OBJECT,
        _ => return None,
    })
}

/// What the value of a keyword is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A schema, or an array of schemas.
    Schema,
    /// An object whose keys are names, not keywords, and whose values are schemas.
    Map,
    /// A value that a schema speaks of, or an annotation.
    Data,
}

impl Place {
    /// What a member of an object in this place is made of.
    pub(super) fn of(self, keyword: Name) -> Self {
        match self {
            Self::Data => Self::Data,
            Self::Map => Self::Schema,
            Self::Schema => match keyword {
                PROPERTIES | PATTERN_PROPERTIES | DEFS | DEFINITIONS | DEPENDENT_SCHEMAS
                | DEPENDENT_REQUIRED | DEPENDENCIES => Self::Map,
                ENUM | CONST | DEFAULT | EXAMPLES | EXAMPLE | DISCRIMINATOR => Self::Data,
                _ => Self::Schema,
            },
        }
    }
}
