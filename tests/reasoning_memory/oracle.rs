//! When two conversations are the same, judged on parsed values. It shares no code and no
//! form with the library: conversations become lists of words, which are compared.

use std::collections::BTreeMap;

use serde_json::Value;

/// A conversation up to the last of these messages.
pub(crate) fn conversation(messages: &[Value]) -> Vec<String> {
    messages
        .iter()
        .filter(|message| message.is_object())
        .filter(|message| !matches!(message["role"].as_str(), Some("system" | "developer")))
        .flat_map(message)
        .collect()
}

fn message(message: &Value) -> Vec<String> {
    let mut words = vec![format!("role {:?}", message["role"].as_str().unwrap_or(""))];
    words.extend(content(&message["content"]));
    for call in message["tool_calls"].as_array().into_iter().flatten() {
        let function = call.get("function").or(call.get("custom"));
        let function = function.unwrap_or(&Value::Null);
        words.push(format!(
            "call {:?}",
            function["name"].as_str().unwrap_or("")
        ));
        let arguments = function.get("arguments").or(function.get("input"));
        words.push(match arguments {
            None | Some(Value::Null) => arguments_in(""),
            Some(Value::String(text)) => arguments_in(text),
            Some(value) => format!("value {}", plain(value)),
        });
    }
    words
}

fn arguments_in(text: &str) -> String {
    match text.trim() {
        "" => "value {}".to_owned(),
        text => match serde_json::from_str::<Value>(text) {
            Ok(value) => format!("value {}", plain(&value)),
            Err(_) => format!("text {text:?}"),
        },
    }
}

/// Something that a content consists of.
enum Item {
    Text(String),
    Other(String),
}

fn content(content: &Value) -> Vec<String> {
    let items = match content {
        Value::Null => Vec::new(),
        Value::String(text) => vec![Item::Text(text.clone())],
        Value::Array(parts) => parts.iter().filter_map(part).collect(),
        other => vec![Item::Other(format!("json {}", plain(other)))],
    };
    let mut words = Vec::new();
    let mut text = String::new();
    for item in items {
        match item {
            Item::Text(more) => text.push_str(&more),
            Item::Other(word) => {
                words.push(std::mem::take(&mut text));
                words.push(word);
            }
        }
    }
    words.push(text);
    words
        .iter()
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}

fn part(part: &Value) -> Option<Item> {
    if let Value::String(text) = part {
        return Some(Item::Text(text.clone()));
    }
    let kind = part.get("type").and_then(Value::as_str);
    let text = part.get("text").and_then(Value::as_str);
    let text = text.or(part.get("refusal").and_then(Value::as_str));
    Some(match (kind, text) {
        (Some("thinking" | "reasoning"), _) => return None,
        (None | Some("text" | "refusal" | "input_text" | "output_text"), Some(text)) => {
            Item::Text(text.to_owned())
        }
        (Some(kind @ ("image_url" | "video_url")), _) => {
            let media = &part[kind];
            let url = media.as_str().or(media["url"].as_str()).unwrap_or("");
            Item::Other(format!("{kind} {:?}", url.trim()))
        }
        _ => {
            let mut part = part.clone();
            if let Some(part) = part.as_object_mut() {
                part.remove("cache_control");
            }
            Item::Other(format!("json {}", plain(&part)))
        }
    })
}

/// A value with sorted keys, and with numbers as what they are worth.
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("{:?}", number.as_f64().unwrap() + 0.0),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let members: BTreeMap<&String, String> = members
                .iter()
                .map(|(key, value)| (key, plain(value)))
                .collect();
            format!("{members:?}")
        }
        other => other.to_string(),
    }
}
