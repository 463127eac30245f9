//! The conversation.

use serde_json::Value;

use super::{
    super::error::ApiError,
    Object,
    content::{self, Content},
    field,
    history::History,
    thinking::Thinking,
};

pub(super) fn check(body: &Object, thinking: &Thinking) -> Result<(), ApiError> {
    let messages = field::array(body, "messages")?.unwrap_or_default();
    if messages.is_empty() {
        return Err(ApiError::invalid(
            "Invalid request: messages must not be empty",
        ));
    }
    let only_text = !messages.iter().any(content::has_other_than_text);
    let mut history = History::default();
    for (index, message) in messages.iter().enumerate() {
        let Some(message) = message.as_object() else {
            return Err(ApiError::wrong_type(
                &format!("messages[{index}]"),
                "type object",
                message,
            ));
        };
        let message = Message {
            index,
            role: role(message)?,
            fields: message,
            calls: field::array(message, "tool_calls")?.unwrap_or_default(),
        };
        history.add(&message)?;
        message.check_content(only_text)?;
        message.check_reasoning(thinking)?;
    }
    history.close()
}

/// One message, as far as it is understood.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) index: usize,
    pub(super) role: &'a str,
    pub(super) fields: &'a Object,
    pub(super) calls: &'a [Value],
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

impl Message<'_> {
    /// Only what somebody says, not what he is told, has to have content; tool
    /// calls or the start of an answer to continue will do instead.
    fn check_content(&self, only_text: bool) -> Result<(), ApiError> {
        let speaks = matches!(self.role, "user" | "assistant");
        let partial = field::boolean(self.fields, "partial")?.unwrap_or(false);
        let needed = speaks && self.calls.is_empty() && !partial;

        let content = content::read(self.fields.get("content"))?;
        if matches!(content, Content::Absent) && self.role != "assistant" {
            return Err(ApiError::wrong_type(
                "content",
                "type string or array",
                &Value::Null,
            ));
        }
        if needed && content.is_empty() {
            return Err(ApiError::invalid(format!(
                "Invalid request: the message at position {} with role '{}' must not be empty",
                self.index, self.role
            )));
        }
        match content {
            Content::Parts { .. } if only_text => Err(ApiError::invalid(format!(
                "Invalid request: the content of the message at position {} must be a string, \
                 because no part of the request is anything but text",
                self.index
            ))),
            Content::Parts { empty: 1.., .. } => Err(ApiError::invalid("text content is empty")),
            _ => Ok(()),
        }
    }

    /// A model that thinks has to be told its thoughts of earlier turns.
    fn check_reasoning(&self, thinking: &Thinking) -> Result<(), ApiError> {
        let reasoning = field::string(self.fields, "reasoning_content")?;
        let missing = reasoning.unwrap_or_default().is_empty();
        if self.role != "assistant" || !thinking.on || !missing {
            return Ok(());
        }
        if thinking.keeps_all {
            return Err(ApiError::invalid(format!(
                "preserved thinking (thinking.keep=all) requires reasoning_content on every \
                 assistant message, but assistant message at index {} is missing \
                 reasoning_content",
                self.index
            )));
        }
        if !self.calls.is_empty() {
            return Err(ApiError::invalid(format!(
                "thinking is enabled but reasoning_content is missing in assistant tool call \
                 message at index {}",
                self.index
            )));
        }
        Ok(())
    }
}
