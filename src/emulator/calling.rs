//! Which tool the emulator calls.

use serde_json::{Map, Value};

use super::{
    check::{Choice, Tools},
    conversation,
};

/// Picks the function to call, if any.
///
/// A model that has to call gets through all of its tools, one a turn of an
/// agent's loop: the first that it has not called since the user spoke, and when
/// it has called them all, the last. So a loop that goes on until a certain tool
/// is called comes to its end.
///
/// A model that may choose calls what the user tells it to by name.
pub(super) fn pick<'a>(tools: &Tools<'a>, messages: &[Value]) -> Option<&'a Map<String, Value>> {
    let functions = || tools.functions.iter().copied();
    let next = || {
        let called = called_since_user(messages);
        functions()
            .find(|function| !called.contains(&name(function)))
            .or(functions().next_back())
    };
    match tools.choice {
        Choice::None => None,
        Choice::Named(function) => Some(function),
        Choice::Required => next(),
        Choice::Auto if conversation::ends_with_nudge(messages) => next(),
        Choice::Auto => {
            let told = messages.last().filter(|last| conversation::is_user(last));
            let told = conversation::text(told?);
            functions().find(|function| has_word(&told, name(function)))
        }
    }
}

pub(super) fn name(function: &Map<String, Value>) -> &str {
    let name = function.get("name").and_then(Value::as_str);
    name.unwrap_or_default()
}

/// The names of the functions that were called since the last message of a user.
/// The one that only asks for a call is none of his.
fn called_since_user(messages: &[Value]) -> Vec<&str> {
    let messages = conversation::without_nudge(messages).iter().rev();
    messages
        .take_while(|message| !conversation::is_user(message))
        .filter_map(|message| message.get("tool_calls").and_then(Value::as_array))
        .flatten()
        .filter_map(|call| call.pointer("/function/name").and_then(Value::as_str))
        .collect()
}

/// Whether a name stands in a text, and not as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.split(|c| !is_name(c)).any(|found| found == word)
}
