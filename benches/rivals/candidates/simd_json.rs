//! simd-json's borrowed `Value`, used like serde_json's. It parses in place, so the body
//! is copied first.

use bytes::Bytes;
use simd_json::{BorrowedValue as Value, prelude::*};

use super::job::{FIXED, is_fixed};

pub(crate) fn rewrite(body: &Bytes, send: &mut dyn FnMut(&[u8])) -> Option<()> {
    let mut text = body.to_vec();
    let mut request = simd_json::to_borrowed_value(&mut text).ok()?;
    let fields = request.as_object_mut()?;
    if is_fixed(fields.get("model")?.as_str()?) {
        for (key, accepted) in FIXED {
            let number = fields.get(key).and_then(|number| number.cast_f64());
            if number.is_some_and(|number| number != accepted) {
                fields.remove(key);
            }
        }
    }
    let messages = fields.get_mut("messages")?.as_array_mut()?;
    let text_only = messages.iter().all(|message| {
        let parts = message.get_array("content");
        parts.is_none_or(|parts| {
            parts
                .iter()
                .all(|part| part.get_str("type") == Some("text"))
        })
    });
    for message in messages.iter_mut() {
        if message.get_str("role") == Some("developer") {
            message.insert("role", "system").ok()?;
        }
        if let Some(parts) = message.get_array("content").filter(|_| text_only) {
            let texts = parts.iter().filter_map(|part| part.get_str("text"));
            let text: String = texts.collect();
            message.insert("content", Value::from(text)).ok()?;
        }
    }
    let mut out = Vec::with_capacity(body.len());
    request.write(&mut out).ok()?;
    send(&out);
    Some(())
}
