//! Tool calls of earlier turns and the answers to them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{super::error::ApiError, field, messages::Message};

/// The calls of the last assistant message, each with whether it is answered.
#[derive(Debug, Default)]
pub(super) struct History<'a> {
    calls: BTreeMap<&'a str, bool>,
}

impl<'a> History<'a> {
    pub(super) fn add(&mut self, message: &Message<'a>) -> Result<(), ApiError> {
        if message.role == "tool" {
            return self.answer(field::string(message.fields, "tool_call_id")?.unwrap_or(""));
        }
        self.close()?;
        if message.role == "assistant" {
            for call in message.calls {
                self.call(call)?;
            }
        }
        Ok(())
    }

    /// Checks that nothing is left to answer.
    pub(super) fn close(&mut self) -> Result<(), ApiError> {
        let open = self.calls.iter().find(|(_, answered)| !**answered);
        if let Some((id, _)) = open {
            return Err(ApiError::invalid(format!(
                "Invalid request: an assistant message with tool_calls must be followed by a tool \
                 message for each tool_call_id, and there is none for {id}"
            )));
        }
        self.calls.clear();
        Ok(())
    }

    fn answer(&mut self, id: &str) -> Result<(), ApiError> {
        match self.calls.get_mut(id) {
            None => Err(ApiError::invalid(format!(
                "Invalid request: tool_call_id {id} is not found"
            ))),
            Some(true) => Err(ApiError::invalid(format!(
                "Invalid request: tool_call_id {id} is answered twice"
            ))),
            Some(answered) => {
                *answered = true;
                Ok(())
            }
        }
    }

    fn call(&mut self, call: &'a Value) -> Result<(), ApiError> {
        let Some(call) = call.as_object() else {
            return Err(ApiError::wrong_type("tool_calls[]", "type object", call));
        };
        let id = field::string(call, "id")?.unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !(1..=64).contains(&id.len()) || !id.bytes().all(plain) {
            return Err(ApiError::invalid(format!(
                "Invalid request: tool call id '{id}' is invalid, must have 1 to 64 letters, \
                 numbers, underscores and dashes"
            )));
        }
        if self.calls.insert(id, false).is_some() {
            return Err(ApiError::invalid(format!(
                "Invalid request: tool call id {id} is duplicated"
            )));
        }
        let Some(function) = field::object(call, "function")? else {
            return Err(ApiError::invalid(
                "Invalid request: a tool call must have a function",
            ));
        };
        for name in ["name", "arguments"] {
            if field::string(function, name)?.is_none() {
                return Err(ApiError::invalid(format!(
                    "Invalid request: a tool call's function must have a string {name}"
                )));
            }
        }
        Ok(())
    }
}
