//! Puts another model into a request.

use std::{borrow::Cow, collections::HashMap};

use bytes::Bytes;
use serde_json::{Value, value::RawValue};

/// Returns the request with this model; its other bytes stay. `None` if the request is not
/// an object.
pub(super) fn with_model(text: &Bytes, model: &str) -> Option<Bytes> {
    let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(text).ok()?;
    let model = Value::from(model).to_string();
    let (start, end, new) = match members.get("model") {
        Some(old) => {
            let old = old.get();
            let start = old.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
            (start, start + old.len(), model)
        }
        None => {
            let start = text.iter().position(|byte| *byte == b'{')? + 1;
            let comma = if members.is_empty() { "" } else { "," };
            (start, start, format!("\"model\":{model}{comma}"))
        }
    };
    Some(
        [&text[..start], new.as_bytes(), &text[end..]]
            .concat()
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_model_changes() {
        for (text, expected) in [
            ("{}", r#"{"model":"m\""}"#),
            (r#" {"a": 1 } "#, r#" {"model":"m\"","a": 1 } "#),
            (
                r#"{"b":{"model":1}, "model" : "kimi-k3"}"#,
                r#"{"b":{"model":1}, "model" : "m\""}"#,
            ),
        ] {
            let changed = with_model(&Bytes::from(text), "m\"").unwrap();
            assert_eq!(changed, expected);
        }
        assert_eq!(with_model(&Bytes::from("[]"), "m"), None);
    }
}
