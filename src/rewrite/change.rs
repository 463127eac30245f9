//! What one edit was, and why.

use std::fmt;

use super::{
    Rule,
    chat::{Field, MessageField},
    reasoning_content::LOST,
    words::{JsonSchemaField, ThinkingField},
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

    /// Whether a space was inserted in place of reasoning that was nowhere found.
    pub(crate) fn lost_thoughts(&self) -> bool {
        self.rule == Rule::ReasoningContent && self.why == LOST
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.rule, self.place, self.why)
    }
}

/// A place in a chat request; written out only when somebody asks. It is kept
/// small: changes are moved while their request waits.
// The tag is a whole word, so that a change is moved in whole words: a byte that is
// read back as part of a word stalls.
#[derive(Clone, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Place {
    Field(Field),
    Message(u32, MessageField),
    Part(u32, u32),
    Call(u32, u32),
    NewMessage,
    Tool(u32),
    Parameters(u32),
    MessageTool(u32, u32),
    Thinking(ThinkingField),
    /// In the `json_schema` of `response_format`.
    JsonSchema(JsonSchemaField),
    /// Anywhere else, already written out.
    Written(Box<Box<str>>),
}

// The walk refuses texts whose offsets don't fit 32 bits, so these casts never cut.
impl Place {
    pub(super) const fn message(index: usize, field: MessageField) -> Self {
        Self::Message(index as u32, field)
    }

    pub(super) const fn part(message: usize, part: usize) -> Self {
        Self::Part(message as u32, part as u32)
    }

    pub(super) const fn call(message: usize, call: usize) -> Self {
        Self::Call(message as u32, call as u32)
    }

    pub(super) const fn tool(index: usize) -> Self {
        Self::Tool(index as u32)
    }

    /// The parameters of one of the request's tools.
    pub(super) const fn parameters(tool: usize) -> Self {
        Self::Parameters(tool as u32)
    }

    pub(super) const fn message_tool(message: usize, tool: usize) -> Self {
        Self::MessageTool(message as u32, tool as u32)
    }

    /// A place that is written out as a JSON Pointer.
    pub(super) fn written(pointer: String) -> Self {
        Self::Written(Box::new(pointer.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => write!(f, "/{}", field.name()),
            Self::Message(index, field) => write!(f, "/messages/{index}/{}", field.name()),
            Self::Part(message, part) => write!(f, "/messages/{message}/content/{part}"),
            Self::Call(message, call) => write!(f, "/messages/{message}/tool_calls/{call}/id"),
            Self::NewMessage => f.write_str("/messages/-"),
            Self::Tool(index) => write!(f, "/tools/{index}"),
            Self::Parameters(tool) => write!(f, "/tools/{tool}/function/parameters"),
            Self::MessageTool(message, tool) => write!(f, "/messages/{message}/tools/{tool}"),
            Self::Thinking(field) => write!(f, "/thinking/{}", field.name()),
            Self::JsonSchema(field) => {
                write!(f, "/response_format/json_schema/{}", field.name())
            }
            Self::Written(pointer) => f.write_str(pointer),
        }
    }
}
