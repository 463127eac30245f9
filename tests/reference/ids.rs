//! `tool_call_id`: every call gets an id of its own, and its answer the same.

use std::collections::HashSet;

use serde_json::Value;

use super::{Family, Object, Reference, get, messages};

/// A call that has no answer yet.
struct Open {
    turn: usize,
    came_with: Id,
    has: String,
}

/// The id that a call or an answer was sent with. Empty, null and absent are all `None`.
#[derive(PartialEq)]
enum Id {
    None,
    Some(String),
}

pub(super) fn tool_call_id(_: &Reference, _: Family, request: &mut Object) {
    let mut taken = HashSet::new();
    let mut open: Vec<Open> = Vec::new();
    for (turn, message) in messages(request).enumerate() {
        if get(message, "role") == "tool" {
            let Some(named) = id(get(message, "tool_call_id")) else {
                continue;
            };
            // The answer belongs to the latest turn with such a call, and there to the first.
            let waiting = open.iter().filter(|call| call.came_with == named);
            let Some(latest) = waiting.map(|call| call.turn).max() else {
                continue;
            };
            let is_meant = |call: &Open| call.turn == latest && call.came_with == named;
            if let Some(first) = open.iter().position(is_meant) {
                let call = open.remove(first);
                message.insert("tool_call_id".into(), call.has.into());
            }
        } else if get(message, "role") == "assistant" {
            if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
                open.extend(name_calls(turn, calls, &mut taken));
            }
        }
    }
}

/// Reads an id. `None` if it has another type.
fn id(value: &Value) -> Option<Id> {
    match value {
        Value::Null => Some(Id::None),
        Value::String(text) if text.is_empty() => Some(Id::None),
        Value::String(text) => Some(Id::Some(text.clone())),
        _ => None,
    }
}

/// Gives each call of a message an id that no earlier call has.
fn name_calls(turn: usize, calls: &mut [Value], taken: &mut HashSet<String>) -> Vec<Open> {
    let ids = calls.iter().filter_map(|call| call["id"].as_str());
    let of_this_message: HashSet<String> = ids.map(str::to_owned).collect();
    let mut open = Vec::new();
    for call in calls.iter_mut().filter_map(Value::as_object_mut) {
        let Some(came_with) = id(get(call, "id")) else {
            continue;
        };
        let has = match &came_with {
            Id::Some(own) if !taken.contains(own) => own.clone(),
            _ => {
                let name = get(call, "function")["name"].as_str();
                // An element without an id and a name is not a call.
                if name.is_none() && !call.contains_key("id") {
                    continue;
                }
                let name = name.unwrap_or("call");
                let is_free = |id: &String| !taken.contains(id) && !of_this_message.contains(id);
                let mut native = (0..).map(|index| format!("functions.{name}:{index}"));
                let fresh = native.find(is_free).unwrap_or_default();
                call.insert("id".into(), fresh.clone().into());
                fresh
            }
        };
        taken.insert(has.clone());
        open.push(Open {
            turn,
            came_with,
            has,
        });
    }
    open
}
