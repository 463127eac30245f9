//! `reasoning_content`: where it is required, and where other clients put it.

use serde_json::Value;

use super::{Family, Object, Reference, elements, get, messages};

pub(super) fn reasoning_content(_: &Reference, family: Family, request: &mut Object) {
    if !family.thinks(request) {
        return;
    }
    let keeps_all = family == Family::K27 || get(request, "thinking")["keep"] == "all";
    for message in messages(request) {
        let calls_tools = !elements(get(message, "tool_calls")).is_empty();
        let needs = get(message, "role") == "assistant" && (keeps_all || calls_tools);
        let is_missing = match get(message, "reasoning_content") {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        if needs && is_missing {
            let thoughts = take_thoughts(message).unwrap_or_else(|| " ".into());
            message.insert("reasoning_content".into(), thoughts.into());
        }
    }
}

/// Removes and returns the thoughts from the first place that has any.
fn take_thoughts(message: &mut Object) -> Option<String> {
    take_text(message, "reasoning")
        .or_else(|| {
            let fields = message.get_mut("provider_specific_fields")?;
            take_text(fields.as_object_mut()?, "reasoning_content")
        })
        .or_else(|| {
            let details = elements(get(message, "reasoning_details"));
            let texts = details.iter().filter_map(|detail| detail["text"].as_str());
            let thoughts = non_empty(texts.collect())?;
            message.remove("reasoning_details");
            Some(thoughts)
        })
        .or_else(|| {
            let parts = message.get_mut("content")?.as_array_mut()?;
            let thoughts = non_empty(parts.iter().filter_map(thought_of).collect())?;
            parts.retain(|part| !is_thought(part));
            Some(thoughts)
        })
        .or_else(|| {
            let parts = message.get_mut("content")?.as_array_mut()?;
            let texts = parts.iter_mut().filter(|part| part["type"] == "text");
            texts
                .filter_map(Value::as_object_mut)
                .find_map(|part| take_text(part, "reasoning_content"))
        })
}

fn is_thought(part: &Value) -> bool {
    part["type"] == "thinking" || part["type"] == "reasoning"
}

fn thought_of(part: &Value) -> Option<&str> {
    let keys = ["thinking", "reasoning", "text"];
    let text = keys.iter().find_map(|&key| part[key].as_str());
    text.filter(|_| is_thought(part))
}

fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Removes and returns a member, if it is a string that is not empty.
fn take_text(object: &mut Object, key: &str) -> Option<String> {
    let text = non_empty(get(object, key).as_str()?.to_owned())?;
    object.remove(key);
    Some(text)
}
