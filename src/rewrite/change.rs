//! A change of the request, as it is reported.

use std::fmt;

use super::{
    Rule,
    keys::{Field, JsonSchemaField, MessageField, ThinkingField},
};

/// The reason of a change that inserted a space for reasoning that was not found.
/// [`Report::lost_thoughts`](crate::Report::lost_thoughts) counts these changes.
pub(super) const LOST_THOUGHTS: &str = "reasoning_content is required and no reasoning was found";

/// One change of a request body: the rule, the place and the reason.
///
/// Displayed as `temperature at /temperature: at most 1 is accepted`. Of the request's
/// contents, it holds only the names of properties of tool schemas, so it can be
/// logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub(super) rule: Rule,
    pub(super) place: Place,
    pub(super) why: &'static str,
}

impl Change {
    /// The rule that made the change.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// The place of the change: a JSON Pointer (RFC 6901) into the body as the caller
    /// sent it, such as `/messages/3/content`. An appended message is at
    /// `/messages/-`.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.place.to_string()
    }

    /// The reason in a few words, such as `at most 1 is accepted`. Meant for people: the
    /// wording may change in any release.
    #[must_use]
    pub const fn why(&self) -> &str {
        self.why
    }

    /// Whether a space was inserted for reasoning that was not found.
    pub(crate) fn lost_thoughts(&self) -> bool {
        self.rule == Rule::ReasoningContent && self.why == LOST_THOUGHTS
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.rule, self.place, self.why)
    }
}

/// A place in a chat request. It is formatted as a pointer only when somebody asks for
/// it.
// A tag of one byte would leave padding beside it. With four, a change is copied in
// whole words.
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
    /// A member of `json_schema` in `response_format`.
    JsonSchema(JsonSchemaField),
    /// Any other place, as a pointer.
    Written(Box<Box<str>>),
}

// The walk rejects texts of 4 GiB and more, so every index fits 32 bits.
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

    /// The parameters of a tool in the request's `tools`.
    pub(super) const fn parameters(tool: usize) -> Self {
        Self::Parameters(tool as u32)
    }

    pub(super) const fn message_tool(message: usize, tool: usize) -> Self {
        Self::MessageTool(message as u32, tool as u32)
    }

    /// Any other place, given as a JSON Pointer.
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
