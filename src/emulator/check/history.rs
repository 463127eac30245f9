//! Checks the tool calls of earlier turns and the answers to them.

use std::collections::HashMap;

use serde_json::Value;

use super::{super::error::ApiError, Object, field, message::Message};

/// The tool calls so far. Ids are looked up by hash, so that a history of any
/// length is checked in linear time.
#[derive(Debug, Default)]
pub(super) struct History<'a> {
    /// The ids of the whole request, each with the number of its call.
    ids: HashMap<&'a str, usize>,
    /// How many calls there were before those of the last assistant message.
    earlier: usize,
    /// The calls of the last assistant message.
    calls: Vec<Call<'a>>,
}

#[derive(Debug)]
struct Call<'a> {
    id: &'a str,
    answered: bool,
}

impl<'a> History<'a> {
    pub(super) fn add(&mut self, message: &Message<'a>) -> Result<(), ApiError> {
        if message.role == "tool" {
            return self.answer(message.fields);
        }
        self.close()?;
        if message.role == "assistant" {
            for call in message.calls {
                self.call(call)?;
            }
        }
        Ok(())
    }

    /// Checks that every call has an answer.
    pub(super) fn close(&mut self) -> Result<(), ApiError> {
        let open = self.calls.iter().filter(|call| !call.answered);
        let open: Vec<&str> = open.map(|call| call.id).collect();
        if !open.is_empty() {
            return Err(ApiError::invalid(format!(
                "Invalid request: an assistant message with 'tool_calls' must be followed by tool \
                 messages responding to each 'tool_call_id'. The following tool_call_ids did not \
                 have response messages: {}",
                open.join(", ")
            )));
        }
        self.earlier += self.calls.len();
        self.calls.clear();
        Ok(())
    }

    fn answer(&mut self, message: &Object) -> Result<(), ApiError> {
        let id = field::string(message, "tool_call_id")?.unwrap_or_default();
        if id.is_empty() {
            return Err(not_found(id));
        }
        if self.calls.is_empty() {
            return Err(ApiError::invalid(
                "Invalid request: messages with role 'tool' must be a response to a preceeding \
                 message with 'tool_calls'",
            ));
        }
        let number = self.ids.get(id).copied();
        let position = number.and_then(|number| number.checked_sub(self.earlier));
        let Some(call) = position.and_then(|position| self.calls.get_mut(position)) else {
            return Err(not_found(id));
        };
        if call.answered {
            return Err(ApiError::invalid(format!(
                "Invalid request: tool_call_id {id} is answered twice"
            )));
        }
        call.answered = true;
        Ok(())
    }

    fn call(&mut self, call: &'a Value) -> Result<(), ApiError> {
        let Some(call) = call.as_object() else {
            return Err(ApiError::wrong_type("tool_calls[]", "type object", call));
        };
        // Kimi's own ids, like `functions.weather:0`, have dots and colons, so
        // no character is refused, and no length.
        let id = field::string(call, "id")?.unwrap_or_default();
        if id.is_empty() {
            return Err(not_found(id));
        }
        let number = self.earlier + self.calls.len();
        if self.ids.insert(id, number).is_some() {
            return Err(ApiError::invalid(format!(
                "Invalid request: tool call id {id} is duplicated"
            )));
        }
        self.calls.push(Call {
            id,
            answered: false,
        });
        check_function(call)
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::invalid(format!("Invalid request: tool_call_id {id} is not found"))
}

fn check_function(call: &Object) -> Result<(), ApiError> {
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
