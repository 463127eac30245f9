//! Parses YAML to a tree whose nodes know their line and column.
//!
//! The configuration is read key by key, so that the keys left over can be reported
//! with their places. A derived `Deserialize` loses either the keys or the places.

use std::{
    fmt,
    str::{self, Utf8Error},
};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned, UserMessageFormatter};

/// A message about a place in a file.
///
/// It never quotes the text at that place, which may be an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line: u64,
    /// In characters, counted from 1.
    pub column: u64,
    /// What is wrong, and what is accepted.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(at: Location, message: impl Into<String>) -> Self {
        Self {
            line: at.line(),
            column: at.column(),
            message: message.into(),
        }
    }

    fn not_utf8(text: &[u8], error: Utf8Error) -> Self {
        let before = &text[..error.valid_up_to()];
        let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let characters = String::from_utf8_lossy(&before[start..]).chars().count();
        Self {
            line: memchr::memchr_iter(b'\n', before).count() as u64 + 1,
            column: characters as u64 + 1,
            message: "the file is not UTF-8".to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = (self.line, self.column);
        write!(f, "line {line}, column {column}: {}", self.message)
    }
}

impl std::error::Error for Problem {}

/// A value and its place.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: Location,
}

#[derive(Clone)]
pub(crate) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// A number or a boolean. No key that is read has such a value.
    Other,
}

impl Node {
    /// Reads a document. Merge keys (`<<`) are resolved.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Problem> {
        let text = str::from_utf8(text).map_err(|error| Problem::not_utf8(text, error))?;
        // A snippet would quote lines of the file, which contain API keys.
        let options = serde_saphyr::options! { with_snippet: false };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let message = error.render_with_formatter(&UserMessageFormatter);
            let at = error.location().unwrap_or(Location::UNKNOWN);
            // `Problem` already names the place.
            let place = format!(" at line {}, column {}", at.line(), at.column());
            Problem::new(at, message.replace(&place, ""))
        })
    }

    pub(crate) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.at, message)
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// Returns the text of a string.
    ///
    /// # Errors
    ///
    /// The value of `name` is not a string.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Problem> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Other => Err(self.problem(format!(
                "{name} has to be a string; put the value in quotes"
            ))),
            _ => Err(self.problem(format!("{name} has to be a string"))),
        }
    }

    pub(crate) fn list(&self, name: &str) -> Result<&[Self], Problem> {
        match &self.value {
            Value::List(list) => Ok(list),
            _ => Err(self.problem(format!("{name} has to be a list"))),
        }
    }

    /// Returns a mapping, to read its keys one by one. Null is an empty mapping.
    pub(crate) fn section(&self, name: &str) -> Result<Section<'_>, Problem> {
        match &self.value {
            Value::Map(members) => Ok(Section {
                at: self.at,
                unread: members.iter().collect(),
            }),
            // `litellm_settings:` with nothing after it.
            Value::Null => Ok(Section {
                at: self.at,
                unread: Vec::new(),
            }),
            _ => Err(self.problem(format!("{name} has to be a mapping (key: value)"))),
        }
    }
}

/// A mapping that keeps track of the keys that were read.
pub(crate) struct Section<'a> {
    pub(crate) at: Location,
    unread: Vec<&'a (Node, Node)>,
}

impl<'a> Section<'a> {
    /// Returns the value of a key; `None` also if it is null.
    pub(crate) fn read(&mut self, name: &str) -> Option<&'a Node> {
        let is_it =
            |(key, _): &&(Node, Node)| matches!(&key.value, Value::Text(key) if key == name);
        let index = self.unread.iter().position(is_it)?;
        let (_, value) = self.unread.remove(index);
        (!value.is_null()).then_some(value)
    }

    /// Returns the keys that were not read and their places. A key that is not a string
    /// is `None`.
    pub(crate) fn unread(&self) -> impl Iterator<Item = (Option<&'a str>, Location)> {
        self.unread.iter().map(|(key, _)| match &key.value {
            Value::Text(name) => (Some(name.as_str()), key.at),
            _ => (None, key.at),
        })
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self {
            value: spanned.value,
            at: spanned.referenced,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut list = Vec::new();
                while let Some(element) = seq.next_element()? {
                    list.push(element);
                }
                Ok(Value::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Value::Map(members))
            }
        }

        deserializer.deserialize_any(Any)
    }
}
