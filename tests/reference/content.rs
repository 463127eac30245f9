//! `role`, `content` and `empty_content`.

use serde_json::Value;

use super::{Family, Object, Reference, calls_tools, elements, get, messages};

pub(super) fn role(_: &Reference, _: Family, request: &mut Object) {
    for message in messages(request) {
        if get(message, "role") == "developer" {
            message.insert("role".into(), "system".into());
        }
    }
}

pub(super) fn content(_: &Reference, _: Family, request: &mut Object) {
    // If any part is not text, all arrays stay.
    let all_text = messages(request)
        .flat_map(|message| elements(get(message, "content")))
        .all(|part| text_of(part).is_some());
    if !all_text {
        return;
    }
    for message in messages(request) {
        if let Some(Value::Array(parts)) = message.get("content") {
            let joined: String = parts.iter().filter_map(text_of).collect();
            message.insert("content".into(), joined.into());
        }
    }
}

pub(super) fn empty_content(_: &Reference, _: Family, request: &mut Object) {
    for message in messages(request) {
        let content = get(message, "content");
        let is_empty = match content {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(parts) => parts.iter().all(is_empty_text),
            _ => false,
        };
        if is_empty && must_speak(message) {
            message.insert("content".into(), " ".into());
            continue;
        }
        let Value::Array(parts) = content else {
            continue;
        };
        // The array would be empty.
        let replaced = if is_empty && (calls_tools(message) || !parts.is_empty()) {
            "".into()
        } else {
            let rest = parts.iter().filter(|part| !is_empty_text(part));
            rest.cloned().collect()
        };
        message.insert("content".into(), replaced);
    }
}

/// Whether a message must have content.
fn must_speak(message: &Object) -> bool {
    let role = get(message, "role").as_str();
    // A system message that declares tools must not have content.
    let declares = role == Some("system") && !get(message, "tools").is_null();
    matches!(role, Some("user" | "system" | "assistant"))
        && !declares
        && !calls_tools(message)
        && get(message, "partial") != true
}

/// The text of a text part.
fn text_of(part: &Value) -> Option<&str> {
    match part["type"].as_str()? {
        "text" => part["text"].as_str(),
        "refusal" => part["refusal"].as_str(),
        _ => None,
    }
}

fn is_empty_text(part: &Value) -> bool {
    text_of(part) == Some("")
}
