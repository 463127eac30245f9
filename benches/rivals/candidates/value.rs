//! The usual way: parse, change, serialize.

use bytes::Bytes;
use serde_json::Value;

use super::job::{FIXED, is_fixed};

pub(crate) fn rewrite(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let fields = request.as_object_mut()?;
    if is_fixed(fields.get("model")?.as_str()?) {
        for (key, accepted) in FIXED {
            let number = fields.get(key).and_then(Value::as_f64);
            if number.is_some_and(|number| number != accepted) {
                fields.remove(key);
            }
        }
    }
    let messages = fields.get_mut("messages")?.as_array_mut()?;
    let text_only = messages.iter().all(|message| {
        let parts = message["content"].as_array();
        parts.is_none_or(|parts| parts.iter().all(|part| part["type"] == "text"))
    });
    for message in messages {
        if message["role"] == "developer" {
            message["role"] = "system".into();
        }
        if let Some(parts) = message["content"].as_array().filter(|_| text_only) {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            message["content"] = texts.collect::<String>().into();
        }
    }
    send(&serde_json::to_vec(&request).ok()?);
    Some(())
}
