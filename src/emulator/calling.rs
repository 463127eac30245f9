//! Decides which tool the emulator calls.

use std::collections::HashSet;

use serde_json::{Deserializer, Map, Value};

use super::{
    check::{Choice, Tools},
    conversation,
};

/// Returns the function to call, if any.
///
/// A model that has to call works through its tools, one a turn of an agent's
/// loop: it calls the first that was not called since the user spoke, or the last
/// if all were. So a loop that waits for a certain tool comes to an end.
///
/// A model that is free to choose calls the tools that the user names, one a turn. If the
/// user gives arguments for some of them, it calls only those: agents add text of their own
/// that may name others.
pub(super) fn pick<'a>(tools: &Tools<'a>, messages: &[Value]) -> Option<&'a Map<String, Value>> {
    let functions = || tools.functions.iter().copied();
    let next = || {
        let called = called_since_user(messages);
        functions()
            .find(|function| !called.contains(name(function)))
            .or(functions().next_back())
    };
    match tools.choice {
        Choice::None => None,
        Choice::Named(function) => Some(function),
        Choice::Required => next(),
        Choice::Auto if conversation::ends_with_nudge(messages) => next(),
        Choice::Auto => {
            let last = messages.last()?;
            if !conversation::is_user(last) && !conversation::is_tool(last) {
                return None;
            }
            let text = conversation::last_user_turn(messages);
            let words: HashSet<&str> = text.split(|c| !is_name(c)).collect();
            let named = || functions().filter(|function| words.contains(name(function)));
            let is_given =
                |function: &&Map<String, Value>| given_arguments(name(function), &text).is_some();
            let some_are_given = named().any(|function| is_given(&function));
            let called = called_since_user(messages);
            named()
                .filter(|function| !called.contains(name(function)))
                .find(|function| !some_are_given || is_given(function))
        }
    }
}

pub(super) fn name(function: &Map<String, Value>) -> &str {
    let name = function.get("name").and_then(Value::as_str);
    name.unwrap_or_default()
}

/// Returns the arguments that the user gives for a function, as they are written: the JSON
/// object that follows its name.
pub(super) fn given_arguments<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    text.match_indices(name).find_map(|(start, _)| {
        if text[..start].ends_with(is_name) {
            return None;
        }
        let rest = text[start + name.len()..].trim_start();
        let mut values = Deserializer::from_str(rest).into_iter::<Map<String, Value>>();
        values.next()?.ok()?;
        Some(&rest[..values.byte_offset()])
    })
}

/// Returns `count` ids in the form of Kimi's own: the name of the function and the number
/// of the call in the conversation.
pub(super) fn ids(count: usize, name: &str, messages: &[Value]) -> Vec<String> {
    let calls = || messages.iter().flat_map(calls);
    let taken: HashSet<&str> = calls()
        .filter_map(|call| call.get("id").and_then(Value::as_str))
        .collect();
    (calls().count()..)
        .map(|number| format!("functions.{name}:{number}"))
        .filter(|id| !taken.contains(id.as_str()))
        .take(count)
        .collect()
}

/// The names of the functions that were called since the last message of a user,
/// apart from the message that asks for a call.
fn called_since_user(messages: &[Value]) -> HashSet<&str> {
    let messages = conversation::without_nudge(messages).iter().rev();
    messages
        .take_while(|message| !conversation::is_user(message))
        .flat_map(calls)
        .filter_map(|call| call.pointer("/function/name").and_then(Value::as_str))
        .collect()
}

fn calls(message: &Value) -> &[Value] {
    let calls = message.get("tool_calls").and_then(Value::as_array);
    calls.map_or(&[], Vec::as_slice)
}

/// Whether names of functions have this character. Words of a text end at others.
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}
