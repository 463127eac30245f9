//! Builds the smallest value that a schema admits.

use serde_json::{Map, Value, json};

/// The depth to which values are built. Deeper ones become null, so that a schema
/// that requires itself endlessly does not exhaust the stack.
const MAX_DEPTH: usize = 40;

/// The number of values and characters that are built. A schema with references
/// can require exponentially many.
const MAX_SIZE: usize = 10_000;

/// Builds a value with only the required properties, the first value of each
/// `enum`, the simplest branch, and the least number, length or count that is
/// allowed. `pattern`, `format`, `multipleOf`, `not` and conditions are ignored.
pub(super) fn of(schema: &Value) -> Value {
    let mut builder = Builder {
        root: schema,
        left: MAX_SIZE,
    };
    builder.build(schema, MAX_DEPTH)
}

struct Builder<'a> {
    root: &'a Value,
    left: usize,
}

impl<'a> Builder<'a> {
    fn build(&mut self, schema: &'a Value, depth: usize) -> Value {
        let Some(depth) = depth.checked_sub(1) else {
            return Value::Null;
        };
        if !self.spend(1) {
            return Value::Null;
        }

        let first = || schema.get("enum").and_then(|values| values.get(0));
        if let Some(value) = schema.get("const").or_else(first) {
            return if self.spend(value.to_string().len()) {
                value.clone()
            } else {
                Value::Null
            };
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return match resolve(self.root, target) {
                Some(target) => self.build(target, depth),
                None => Value::Null,
            };
        }
        for keyword in ["anyOf", "oneOf"] {
            let branches = schema.get(keyword).and_then(Value::as_array);
            let smallest = branches
                .into_iter()
                .flatten()
                .min_by_key(|branch| weight(branch));
            if let Some(branch) = smallest {
                let value = self.build(branch, depth);
                return self.merge(value, schema, depth);
            }
        }
        match kind(schema) {
            Some("object") => self.merge(json!({}), schema, depth),
            Some("array") => {
                let one = schema.get("items").unwrap_or(&Value::Null);
                let items = 0..least(schema, "minItems").min(self.left);
                items.map(|_| self.build(one, depth)).collect()
            }
            Some("string") => {
                let length = least(schema, "minLength").min(self.left);
                self.spend(length);
                json!("x".repeat(length))
            }
            Some("integer" | "number") => number(schema),
            Some("boolean") => json!(false),
            _ => Value::Null,
        }
    }

    /// Spends part of the size that is left, and returns whether it was enough.
    fn spend(&mut self, size: usize) -> bool {
        let left = self.left.checked_sub(size);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Adds the members that `allOf` and `required` ask for.
    fn merge(&mut self, value: Value, schema: &'a Value, depth: usize) -> Value {
        let Value::Object(mut members) = value else {
            return value;
        };
        for part in schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Value::Object(more) = self.build(part, depth) {
                members.extend(more);
            }
        }
        self.add_required(&mut members, schema, depth);
        Value::Object(members)
    }

    fn add_required(&mut self, members: &mut Map<String, Value>, schema: &'a Value, depth: usize) {
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if self.left == 0 {
                return;
            }
            let property = schema.get("properties").and_then(|all| all.get(name));
            let value = self.build(property.unwrap_or(&Value::Null), depth);
            members.insert(name.to_owned(), value);
        }
    }
}

/// Returns what a reference names: the root, or an object within the root's `$defs`.
///
/// As in the schema's check, this is no JSON pointer: keys are never escaped, and lead
/// through objects only.
fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    if reference == "#" {
        return Some(root);
    }
    let keys = reference.strip_prefix("#/$defs/")?.split('/');
    std::iter::once("$defs")
        .chain(keys)
        .try_fold(root, |value, key| value.as_object()?.get(key))
        .filter(|target| target.is_object())
}

/// The type of the value to build. If there is none, other keywords imply it.
fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => Some(name),
        Some(Value::Array(names)) => names.first().and_then(Value::as_str),
        _ if schema.get("properties").is_some() || schema.get("allOf").is_some() => Some("object"),
        _ if schema.get("items").is_some() => Some("array"),
        _ => None,
    }
}

/// Ranks branches, so that recursion ends where possible.
fn weight(branch: &Value) -> u8 {
    match kind(branch) {
        _ if branch.get("$ref").is_some() => 3,
        Some("object") => 2,
        Some("array") => 1,
        _ => 0,
    }
}

fn least(schema: &Value, keyword: &str) -> usize {
    let least = schema.get(keyword).and_then(Value::as_u64).unwrap_or(0);
    usize::try_from(least).unwrap_or(usize::MAX)
}

fn number(schema: &Value) -> Value {
    let bound = |keyword: &str| schema.get(keyword).filter(|value| value.is_number());
    let integer = schema.get("type").and_then(Value::as_str) == Some("integer");
    if let Some(minimum) = bound("minimum") {
        return match minimum.as_f64() {
            Some(least) if integer && least.fract() != 0.0 => whole(least.ceil()),
            _ => minimum.clone(),
        };
    }
    if let Some(minimum) = bound("exclusiveMinimum").and_then(Value::as_f64) {
        return whole(minimum.floor() + 1.0);
    }
    match bound("maximum").and_then(Value::as_f64) {
        Some(most) if most < 0.0 => whole(most.floor()),
        _ => json!(0),
    }
}

/// An integer, written without a decimal point.
fn whole(number: f64) -> Value {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and no schema in earnest goes beyond an i64"
    )]
    let number = number as i64;
    json!(number)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::schema::check_schema, of};

    #[test]
    fn the_smallest_value_has_what_is_required_and_nothing_else() {
        for (schema, smallest) in [
            (json!({"type": "object"}), json!({})),
            (
                json!({
                    "type": "object",
                    "properties": {
                        "s": {"type": "string"}, "n": {"type": "number", "minimum": 0.5},
                        "i": {"type": "integer", "minimum": 1.5}, "b": {"type": "boolean"},
                        "e": {"type": "string", "enum": ["x", "y"]}, "c": {"const": 7},
                        "a": {"type": "array", "items": {"type": "string", "minLength": 2}, "minItems": 2},
                        "o": {"type": "object", "properties": {"in": {"type": "null"}}, "required": ["in"]},
                        "free": {}, "more": {"type": "integer", "exclusiveMinimum": 3},
                        "optional": {"type": "string"}
                    },
                    "required": ["s", "n", "i", "b", "e", "c", "a", "o", "free", "more"]
                }),
                json!({
                    "s": "", "n": 0.5, "i": 2, "b": false, "e": "x", "c": 7, "a": ["xx", "xx"],
                    "o": {"in": null}, "free": null, "more": 4
                }),
            ),
            (
                json!({
                    "$ref": "#/$defs/A",
                    "$defs": {"A": {
                        "type": "object",
                        "properties": {"next": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}},
                        "required": ["next"]
                    }}
                }),
                json!({"next": null}),
            ),
            (
                json!({"type": "object", "allOf": [
                    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
                ]}),
                json!({"a": ""}),
            ),
        ] {
            assert_eq!(of(&schema), smallest, "{schema}");
        }
    }

    #[test]
    fn references_lead_where_the_check_of_schemas_sees_them_lead() {
        let with_reference = |reference: &str| {
            json!({
                "type": "object",
                "properties": {"a": {"$ref": reference}},
                "required": ["a"],
                "$defs": {
                    "a~1b": {"type": "string", "enum": ["escaped"]},
                    "a/b": {"type": "string", "enum": ["one key"]},
                    "a": {
                        "type": "object",
                        "properties": {"b": {"type": "string", "enum": ["nested"]}},
                        "anyOf": [{"type": "string", "enum": ["in an array"]}]
                    },
                    "~0": {"type": "string", "enum": ["tilde"]}
                }
            })
        };
        for (reference, expected) in [
            ("#/$defs/a~1b", json!("escaped")),
            ("#/$defs/a/properties/b", json!("nested")),
            ("#/$defs/~0", json!("tilde")),
            ("#/$defs/", Value::Null),
            ("#/$defs/~", Value::Null),
            ("#/$defs/a/b", Value::Null),
            ("#/$defs/a/anyOf/0", Value::Null),
            ("#/$defs/a/properties/b/enum", Value::Null),
            ("#/$defs", Value::Null),
            ("#/properties/a", Value::Null),
            ("#/", Value::Null),
        ] {
            let mut schema = with_reference(reference);
            assert_eq!(of(&schema)["a"], expected, "{reference}");
            // Without the definitions that are themselves outside the dialect.
            let definitions = schema["$defs"].as_object_mut().unwrap();
            definitions.remove("a/b");
            definitions["a"].as_object_mut().unwrap().remove("anyOf");
            let verdict = check_schema(&schema);
            assert_eq!(
                verdict.is_ok(),
                !expected.is_null(),
                "{reference}: {verdict:?}"
            );
        }
    }

    #[test]
    fn a_schema_that_demands_without_end_gets_an_end() {
        let endless = json!({
            "type": "object",
            "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}},
            "required": ["a", "b"]
        });
        assert!(of(&endless).is_object());
        let loud = json!({
            "type": "array", "minItems": 1000, "items": {"const": "x".repeat(1000)}
        });
        assert!(of(&loud).to_string().len() < 20_000);
        let long = json!({"type": "array", "items": {"type": "null"}, "minItems": u64::MAX});
        assert!(
            of(&long)
                .as_array()
                .is_some_and(|items| items.len() <= 10_000)
        );
        assert_eq!(of(&Value::Bool(true)), Value::Null);
    }
}
