//! Reads the messages of an accepted request.

use serde_json::{Map, Value};

/// The message that asks for a tool call where `tool_choice` is not supported, in
/// the words of Moonshot's guide to migrating from OpenAI.
const NUDGE: &str = "Please select a tool to handle the current issue.";

pub(super) fn messages(body: &Map<String, Value>) -> &[Value] {
    let messages = body.get("messages").and_then(Value::as_array);
    messages.map_or(&[], Vec::as_slice)
}

pub(super) fn ends_with_nudge(messages: &[Value]) -> bool {
    let last = messages.last();
    last.is_some_and(|last| is_user(last) && text(last) == NUDGE)
}

/// The messages without a final one that only asks for a tool call.
pub(super) fn without_nudge(messages: &[Value]) -> &[Value] {
    match messages.split_last() {
        Some((_, rest)) if ends_with_nudge(messages) => rest,
        _ => messages,
    }
}

pub(super) fn last_user_text(messages: &[Value]) -> String {
    let last = messages.iter().rev().find(|message| is_user(message));
    last.map(text).unwrap_or_default()
}

/// The text of the last messages of the user that follow one another, each on a line.
pub(super) fn last_user_turn(messages: &[Value]) -> String {
    let newest_first = messages
        .iter()
        .rev()
        .skip_while(|message| !is_user(message));
    let mut texts: Vec<String> = newest_first
        .take_while(|message| is_user(message))
        .map(text)
        .collect();
    texts.reverse();
    texts.join("\n")
}

pub(super) fn is_user(message: &Value) -> bool {
    has_role(message, "user")
}

pub(super) fn is_tool(message: &Value) -> bool {
    has_role(message, "tool")
}

pub(super) fn is_assistant(message: &Value) -> bool {
    has_role(message, "assistant")
}

fn has_role(message: &Value, role: &str) -> bool {
    message.get("role").and_then(Value::as_str) == Some(role)
}

/// The text of a message. The texts of parts are joined without a separator.
pub(super) fn text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text").and_then(Value::as_str))
            .collect(),
        _ => String::new(),
    }
}
