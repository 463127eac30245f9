//! Reads and checks one message.

use serde_json::Value;

use super::{
    super::{error::ApiError, family::Family},
    Object,
    content::{self, Content},
    field,
    thinking::{Preserved, Thinking},
};

/// One message and what the checks need to know about it.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) index: usize,
    pub(super) role: &'a str,
    pub(super) fields: &'a Object,
    pub(super) calls: &'a [Value],
    declares_tools: bool,
    content: Content<'a>,
}

impl<'a> Message<'a> {
    /// Reads the message at a position of the list, and refuses values of the wrong
    /// type, and roles and parts that Moonshot does not know.
    pub(super) fn read(index: usize, message: &'a Value) -> Result<Self, ApiError> {
        let Some(fields) = message.as_object() else {
            return Err(ApiError::wrong_type(
                &format!("messages[{index}]"),
                "type object",
                message,
            ));
        };
        Ok(Self {
            index,
            role: role(fields)?,
            fields,
            calls: field::array(fields, "tool_calls")?.unwrap_or_default(),
            declares_tools: field::array(fields, "tools")?.is_some_and(|tools| !tools.is_empty()),
            content: content::read(fields.get("content"))?,
        })
    }

    /// Every message needs content, except for answers of tools, which may be
    /// empty, assistant messages with tool calls or `partial`, and system messages
    /// with tools.
    pub(super) fn check_content(&self, parts_allowed: bool) -> Result<(), ApiError> {
        let needed = match self.role {
            "user" => true,
            "system" => !self.declares_tools,
            "assistant" => {
                let partial = field::boolean(self.fields, "partial")?.unwrap_or(false);
                // An empty list is refused even beside tool calls.
                let empty_list = matches!(self.content, Content::Parts { all: 0, .. });
                !partial && (self.calls.is_empty() || empty_list)
            }
            _ => false,
        };
        if needed && self.content.is_empty() {
            return Err(ApiError::invalid(format!(
                "Invalid request: the message at position {} with role '{}' must not be empty",
                self.index, self.role
            )));
        }
        match self.content {
            Content::Absent if self.role == "tool" => Err(ApiError::wrong_type(
                "content",
                "type string or array",
                &Value::Null,
            )),
            Content::Parts { .. } if !parts_allowed => Err(ApiError::invalid(format!(
                "Invalid request: the content of the message at position {} must be a string, \
                 because all parts of the request are text",
                self.index
            ))),
            Content::Parts { empty: 1.., .. } => Err(ApiError::invalid("text content is empty")),
            _ => Ok(()),
        }
    }

    /// Checks that tools are declared where they may be. The tools themselves are
    /// checked together with those of the request.
    pub(super) fn check_tools(&self, family: Family) -> Result<(), ApiError> {
        if !self.declares_tools {
            return Ok(());
        }
        if self.role != "system" {
            return Err(ApiError::invalid(format!(
                "Invalid request: the message at position {} with role '{}' must not have tools, \
                 only messages with role 'system' may have them",
                self.index, self.role
            )));
        }
        if !self.content.is_empty() {
            return Err(ApiError::invalid(format!(
                "Invalid request: the message at position {} must not have both tools and content",
                self.index
            )));
        }
        if family != Family::K3 {
            return Err(ApiError::invalid("tokenization failed"));
        }
        Ok(())
    }

    /// A model that thinks needs its earlier thoughts.
    pub(super) fn check_reasoning(&self, thinking: &Thinking) -> Result<(), ApiError> {
        let reasoning = field::string(self.fields, "reasoning_content")?;
        let missing = reasoning.unwrap_or_default().is_empty();
        if self.role != "assistant" || !thinking.on || !missing {
            return Ok(());
        }
        match thinking.preserved {
            Preserved::Calls if self.calls.is_empty() => Ok(()),
            Preserved::Calls | Preserved::ByModel if !self.calls.is_empty() => {
                Err(ApiError::invalid(format!(
                    "thinking is enabled but reasoning_content is missing in assistant tool call \
                     message at index {}",
                    self.index
                )))
            }
            _ => Err(ApiError::invalid(format!(
                "preserved thinking (thinking.keep=all) requires reasoning_content on every \
                 assistant message, but assistant message at index {} is missing \
                 reasoning_content",
                self.index
            ))),
        }
    }
}

fn role(message: &Object) -> Result<&str, ApiError> {
    match message.get("role") {
        Some(Value::String(role)) => match role.as_str() {
            "system" | "user" | "assistant" | "tool" => Ok(role),
            _ => Err(ApiError::invalid(format!("role '{role}' is not allowed"))),
        },
        other => Err(ApiError::wrong_type(
            "role",
            "one of system, user, assistant and tool",
            other.unwrap_or(&Value::Null),
        )),
    }
}
