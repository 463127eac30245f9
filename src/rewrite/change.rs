//! What one edit was, and why.

use std::fmt;

use super::{
    Rule,
    chat::{Field, MessageField},
};

/// One change of a request body: the rule, the place and the reason.
///
/// Displayed as `temperature at /temperature: at most 1 is accepted`. It holds
/// nothing of the request's contents but the names of properties of tool
/// schemas, so it can be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub(super) rule: Rule,
    pub(super) place: Place,
    pub(super) why: &'static str,
}

impl Change {
    /// The rule that asked for it.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Where: a JSON Pointer (RFC 6901) into the body as it came, such as
    /// `/messages/3/content`. A message that was appended is at `/messages/-`.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.place.to_string()
    }

    /// Why, in a few words, such as `at most 1 is accepted`.
    #[must_use]
    pub const fn why(&self) -> &'static str {
        self.why
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.rule, self.place, self.why)
    }
}

/// A place in a chat request; written out only when somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Field(Field),
    Within(Field, &'static str),
    Message(usize, MessageField),
    Part(usize, usize),
    Call(usize, usize),
    NewMessage,
    Tool(usize),
    /// Within a schema, already written out.
    Schema(Box<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => write!(f, "/{}", field.name()),
            Self::Within(field, member) => write!(f, "/{}/{member}", field.name()),
            Self::Message(index, field) => write!(f, "/messages/{index}/{}", field.name()),
            Self::Part(message, part) => write!(f, "/messages/{message}/content/{part}"),
            Self::Call(message, call) => write!(f, "/messages/{message}/tool_calls/{call}/id"),
            Self::NewMessage => f.write_str("/messages/-"),
            Self::Tool(index) => write!(f, "/tools/{index}"),
            Self::Schema(pointer) => f.write_str(pointer),
        }
    }
}
