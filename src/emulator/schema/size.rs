//! The limit on a schema's length.

use serde_json::{Map, Number, Value, map};

use super::{SchemaError, steps};

/// The longest schema that Moonshot reads, in bytes of compact JSON as Go writes it.
pub(super) const MAX_BYTES: usize = 120_000;

/// Checks the length first, because it bounds the work of every later check.
///
/// Stops as soon as the limit is exceeded, so its own work and memory are bounded
/// whatever the schema is.
pub(super) fn check(schema: &Map<String, Value>) -> Result<(), SchemaError> {
    let mut length = Length::default();
    // Not `serde_json::to_vec`: it recurses, and a `Value` built by hand may be
    // nested more deeply than the stack is.
    let mut open = vec![Rest::Members(schema.iter())];
    length.add(2);
    while let Some(rest) = open.last_mut() {
        if length.exceeded() {
            return Err(SchemaError::at_root("schema exceeds maximum allowed size"));
        }
        steps::count(1);
        let (value, more) = match rest {
            Rest::Members(members) => match members.next() {
                Some((key, value)) => {
                    length.string(key);
                    length.add(1);
                    (value, members.len() > 0)
                }
                None => {
                    open.pop();
                    continue;
                }
            },
            Rest::Items(items) => match items.next() {
                Some(value) => (value, items.len() > 0),
                None => {
                    open.pop();
                    continue;
                }
            },
        };
        length.add(usize::from(more));
        match value {
            Value::Null => length.add(4),
            Value::Bool(yes) => length.add(if *yes { 4 } else { 5 }),
            Value::Number(number) => length.number(number),
            Value::String(text) => length.string(text),
            Value::Array(items) => {
                length.add(2);
                open.push(Rest::Items(items.iter()));
            }
            Value::Object(members) => {
                length.add(2);
                open.push(Rest::Members(members.iter()));
            }
        }
    }
    if length.exceeded() {
        return Err(SchemaError::at_root("schema exceeds maximum allowed size"));
    }
    Ok(())
}

/// What is left of an object or array.
enum Rest<'a> {
    Members(map::Iter<'a>),
    Items(std::slice::Iter<'a, Value>),
}

/// The bytes counted so far.
#[derive(Default)]
struct Length(usize);

impl Length {
    fn add(&mut self, bytes: usize) {
        self.0 += bytes;
    }

    fn exceeded(&self) -> bool {
        self.0 > MAX_BYTES
    }

    /// Adds a string, which Go also escapes for HTML and JavaScript.
    fn string(&mut self, text: &str) {
        self.add(2 + text.len());
        if self.exceeded() {
            return;
        }
        steps::count(text.len());
        for byte in text.bytes() {
            self.add(match byte {
                b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
                0..=0x1f | b'<' | b'>' | b'&' => 5,
                _ => 0,
            });
        }
        // Three bytes become `\u2028` or `\u2029`.
        let separators = text.matches(['\u{2028}', '\u{2029}']).count();
        self.add(3 * separators);
    }

    /// Adds a number, which Go reads and writes as an `f64`.
    fn number(&mut self, number: &Number) {
        let value = number.as_f64().unwrap_or_default();
        let magnitude = value.abs();
        let exponent = magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude);
        self.add(if exponent {
            // Go writes the plus sign of an exponent.
            format!("{value:e}").len() + usize::from(magnitude >= 1.0)
        } else {
            format!("{value}").len()
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Length, MAX_BYTES, check};

    fn is_short_enough(schema: &Value) -> bool {
        check(schema.as_object().unwrap()).is_ok()
    }

    fn of_length(bytes: usize) -> Value {
        let empty = json!({"description": ""}).to_string().len();
        json!({"description": "x".repeat(bytes - empty)})
    }

    #[test]
    fn the_limit_is_the_length_of_the_compact_json() {
        assert!(is_short_enough(&of_length(MAX_BYTES)));
        assert!(!is_short_enough(&of_length(MAX_BYTES + 1)));
    }

    #[test]
    fn the_length_is_the_one_that_go_writes() {
        for (value, written) in [
            (
                json!({"a\"\n\u{1}é": [null, true, false]}),
                r#"{"a\"\n\u0001é":[null,true,false]}"#,
            ),
            (
                json!({"a": [1, -2.5, "", [], {}], "b": {"c": {}}}),
                r#"{"a":[1,-2.5,"",[],{}],"b":{"c":{}}}"#,
            ),
            (json!({"a": "<b> & c"}), r#"{"a":"\u003cb\u003e \u0026 c"}"#),
            (
                json!({"a": "\u{2028}\u{2029}\u{7f}"}),
                "{\"a\":\"\\u2028\\u2029\u{7f}\"}",
            ),
            (json!({"a": 1.0}), r#"{"a":1}"#),
            (
                json!({"a": [1e300, 1e-7, -1.5e21, 1e20]}),
                r#"{"a":[1e+300,1e-7,-1.5e+21,100000000000000000000]}"#,
            ),
            (
                json!({"a": 18_446_744_073_709_551_615_u64}),
                r#"{"a":18446744073709552000}"#,
            ),
        ] {
            let padding = "x".repeat(MAX_BYTES - written.len() - r#","p":"""#.len());
            let mut padded = value.clone();
            padded["p"] = json!(padding);
            assert!(is_short_enough(&padded), "{value}");
            padded["p"] = json!(format!("{padding}x"));
            assert!(!is_short_enough(&padded), "{value}");
        }
    }

    #[test]
    fn a_long_string_is_not_read_to_its_end() {
        let mut length = Length::default();
        crate::emulator::schema::steps::taken();
        length.string(&"x".repeat(10_000_000));
        assert!(length.exceeded());
        assert_eq!(crate::emulator::schema::steps::taken(), 0);
    }
}
