//! sonic-rs's own `Value`, used like serde_json's.

use bytes::Bytes;
use sonic_rs::{JsonContainerTrait, JsonValueMutTrait, JsonValueTrait, Value};

use super::job::{FIXED, is_fixed};

pub(crate) fn rewrite(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let mut request: Value = sonic_rs::from_slice(body).ok()?;
    let fields = request.as_object_mut()?;
    if is_fixed(fields.get(&"model")?.as_str()?) {
        for (key, accepted) in FIXED {
            let number = fields.get(&key).and_then(|number| number.as_f64());
            if number.is_some_and(|number| number != accepted) {
                fields.remove(&key);
            }
        }
    }
    let messages = fields.get_mut(&"messages")?.as_array_mut()?;
    let text_only = messages.iter().all(|message| {
        let parts = message
            .get("content")
            .and_then(|content| content.as_array());
        parts.is_none_or(|parts| parts.iter().all(|part| part["type"] == "text"))
    });
    for message in messages.iter_mut() {
        if message.get("role").is_some_and(|role| role == "developer") {
            message["role"] = "system".into();
        }
        let parts = message
            .get("content")
            .and_then(|content| content.as_array());
        if let Some(parts) = parts.filter(|_| text_only) {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            let text: String = texts.collect();
            message["content"] = Value::from(&text);
        }
    }
    send(&sonic_rs::to_vec(&request).ok()?);
    Some(())
}
