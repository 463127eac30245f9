//! Sets of JSON types.

use crate::json::Kind;

/// A set of types, as `type` names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

/// The names in quotes, by their bits.
const QUOTED: [&str; 7] = [
    "\"null\"",
    "\"boolean\"",
    "\"integer\"",
    "\"number\"",
    "\"string\"",
    "\"array\"",
    "\"object\"",
];

impl Types {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(1 << 1);
    pub(super) const INTEGER: Self = Self(1 << 2);
    pub(super) const NUMBER: Self = Self(1 << 3);
    pub(super) const STRING: Self = Self(1 << 4);
    pub(super) const ARRAY: Self = Self(1 << 5);
    pub(super) const OBJECT: Self = Self(1 << 6);
    /// Every type; integers are numbers.
    pub(super) const ALL: Self = Self(0b111_1011);

    /// The type with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    /// The narrowest type of a value. A number whose spelling doesn't say at
    /// once that it is an integer may be one.
    pub(super) fn of(kind: Kind, raw: &str) -> Self {
        match kind {
            Kind::Null => Self::NULL,
            Kind::True | Kind::False => Self::BOOLEAN,
            Kind::String => Self::STRING,
            Kind::Array => Self::ARRAY,
            Kind::Object => Self::OBJECT,
            Kind::Number => match raw.parse::<f64>() {
                Ok(number) if number.fract() == 0.0 => Self::INTEGER,
                _ => Self::NUMBER,
            },
        }
    }

    /// The names in this set, each as a set of its own.
    pub(super) fn each(self) -> impl Iterator<Item = Self> {
        (0..QUOTED.len())
            .map(|bit| Self(1 << bit))
            .filter(move |one| self.0 & one.0 != 0)
    }

    /// The name in quotes, of a set of one.
    pub(super) const fn quoted(self) -> &'static str {
        QUOTED[self.0.trailing_zeros() as usize % QUOTED.len()]
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn count(self) -> u32 {
        self.0.count_ones()
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether this names `other`.
    pub(super) const fn names(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether every value of `other` has one of these types.
    pub(super) const fn admit(self, other: Self) -> bool {
        self.with_integers().names(other)
    }

    /// The types that values of both sets have.
    pub(super) const fn and(self, other: Self) -> Self {
        let both = Self(self.with_integers().0 & other.with_integers().0);
        if both.names(Self::NUMBER) {
            Self(both.0 & !Self::INTEGER.0)
        } else {
            both
        }
    }

    const fn with_integers(self) -> Self {
        if self.names(Self::NUMBER) {
            self.or(Self::INTEGER)
        } else {
            self
        }
    }
}

/// Types in an order, each once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TypeList {
    types: [Types; QUOTED.len()],
    count: usize,
}

impl TypeList {
    /// Adds a type, unless it is there.
    pub(super) fn push(&mut self, one: Types) {
        if !self.contains(&one) {
            self.types[self.count] = one;
            self.count += 1;
        }
    }

    /// All in one set.
    pub(super) fn all(self) -> Types {
        self.iter().copied().fold(Types::NONE, Types::or)
    }
}

impl std::ops::Deref for TypeList {
    type Target = [Types];

    fn deref(&self) -> &[Types] {
        &self.types[..self.count]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_numbers() {
        assert!(Types::NUMBER.admit(Types::INTEGER));
        assert!(!Types::INTEGER.admit(Types::NUMBER));
        assert_eq!(Types::INTEGER.and(Types::NUMBER), Types::INTEGER);
        assert_eq!(Types::NUMBER.and(Types::NUMBER), Types::NUMBER);
        assert_eq!(Types::of(Kind::Number, "1.0e0"), Types::INTEGER);
        assert_eq!(Types::of(Kind::Number, "1e999"), Types::NUMBER);
        assert!(Types::ALL.admit(Types::INTEGER));
    }

    #[test]
    fn names_are_those_of_the_specification() {
        for quoted in QUOTED {
            let one = Types::named(quoted.trim_matches('"')).unwrap();
            assert_eq!((one.quoted(), one.count()), (quoted, 1));
        }
        assert_eq!(Types::named("String"), None);
        assert_eq!(Types::ALL.each().count(), 6);
    }
}
