//! `tool_call_id`: every call has an id of its own, and its answer has the same.

use std::collections::HashSet;

use serde_json::Value;

use super::{Family, Object, Reference, get, messages};

/// A call that has no answer yet: the id that it came with, if any, and the one that
/// it has now.
struct Open {
    came_with: Option<String>,
    has: String,
}

pub(super) fn tool_call_id(_: &Reference, _: Family, request: &mut Object) {
    let mut taken = HashSet::new();
    let mut open: Vec<Open> = Vec::new();
    for message in messages(request) {
        if get(message, "role") == "tool" {
            let Some(named) = id(get(message, "tool_call_id")) else {
                continue;
            };
            if let Some(first) = open.iter().position(|call| call.came_with == named) {
                let call = open.remove(first);
                message.insert("tool_call_id".into(), call.has.into());
            }
        } else if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
            open = name_calls(calls, &mut taken);
        }
    }
}

/// Reads an id: none if it is empty, null or absent. One of another type is none of
/// our business.
#[allow(clippy::option_option, reason = "three cases, as told")]
fn id(value: &Value) -> Option<Option<String>> {
    match value {
        Value::Null => Some(None),
        Value::String(text) if text.is_empty() => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        _ => None,
    }
}

/// Gives each call of one message an id that no call before it has.
fn name_calls(calls: &mut [Value], taken: &mut HashSet<String>) -> Vec<Open> {
    let ids = calls.iter().filter_map(|call| call["id"].as_str());
    let of_this_message: HashSet<String> = ids.map(str::to_owned).collect();
    let mut open = Vec::new();
    for call in calls.iter_mut().filter_map(Value::as_object_mut) {
        let Some(came_with) = id(get(call, "id")) else {
            continue;
        };
        let has = match &came_with {
            Some(own) if !taken.contains(own) => own.clone(),
            _ => {
                let Some(name) = get(call, "function")["name"].as_str() else {
                    continue;
                };
                let is_free = |id: &String| !taken.contains(id) && !of_this_message.contains(id);
                let mut native = (0..).map(|index| format!("functions.{name}:{index}"));
                let Some(fresh) = native.find(is_free) else {
                    continue;
                };
                call.insert("id".into(), fresh.clone().into());
                fresh
            }
        };
        taken.insert(has.clone());
        open.push(Open { came_with, has });
    }
    open
}
