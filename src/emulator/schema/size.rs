//! The limit on a schema's length.

use serde_json::Value;

use super::SchemaError;

/// The longest schema Moonshot reads, in bytes of compact JSON.
const MAX_BYTES: usize = 120_000;

/// Checks the length first, because it bounds the work of every later check.
pub(super) fn check(schema: &Value) -> Result<(), SchemaError> {
    let mut bytes = 0;
    let mut rest = vec![schema];
    // Not `serde_json::to_vec`: it recurses, and a `Value` built by hand may be
    // nested more deeply than the stack is.
    while let Some(value) = rest.pop() {
        bytes += match value {
            Value::Null => 4,
            Value::Bool(yes) => 5 - usize::from(*yes),
            Value::Number(number) => number.to_string().len(),
            Value::String(text) => quoted(text),
            Value::Array(items) => {
                rest.extend(items);
                1 + items.len().max(1)
            }
            Value::Object(members) => {
                rest.extend(members.values());
                let keys: usize = members.keys().map(|key| quoted(key) + 1).sum();
                keys + 1 + members.len().max(1)
            }
        };
        if bytes > MAX_BYTES {
            return Err(SchemaError::at_root("schema exceeds maximum allowed size"));
        }
    }
    Ok(())
}

/// The length of a string in JSON.
fn quoted(text: &str) -> usize {
    let escapes: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
            0..=0x1f => 5,
            _ => 0,
        })
        .sum();
    text.len() + escapes + 2
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MAX_BYTES, check};

    fn of_length(bytes: usize) -> Value {
        let empty = json!({"description": ""}).to_string().len();
        json!({"description": "x".repeat(bytes - empty)})
    }

    #[test]
    fn the_limit_is_the_length_of_the_compact_json() {
        assert!(check(&of_length(MAX_BYTES)).is_ok());
        assert!(check(&of_length(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn the_length_is_the_one_that_serde_json_writes() {
        let rich = json!({
            "a\"\n\u{1}é": [null, true, false, 1, -2.5, "", [], {}],
            "b": {"c": [1, 2], "d": {}},
        });
        let written = rich.to_string().len();
        let padding = "x".repeat(MAX_BYTES - written - r#","p":"""#.len());
        let mut padded = rich;
        padded["p"] = json!(padding);
        assert_eq!(padded.to_string().len(), MAX_BYTES);
        assert!(check(&padded).is_ok());
        padded["p"] = json!(format!("{padding}x"));
        assert!(check(&padded).is_err());
    }
}
