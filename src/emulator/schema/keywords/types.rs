//! `type` and `enum`.

use serde_json::{Map, Value};

use super::{Keywords, is_annotation};
use crate::emulator::schema::{SchemaError, steps, tree::Step};

/// The longest `enum`.
const MAX_ENUM: usize = 1_000;

/// The types that a schema names.
pub(in crate::emulator::schema) fn type_names(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => {
            steps::count(names.len());
            names.iter().filter_map(Value::as_str).collect()
        }
        _ => Vec::new(),
    }
}

impl Keywords<'_, '_> {
    pub(super) fn types(&self) -> Result<(), SchemaError> {
        let known = |value: &Value| {
            matches!(
                value.as_str(),
                Some("string" | "number" | "integer" | "boolean" | "null" | "array" | "object")
            )
        };
        match self.get("type") {
            Some(name @ Value::String(_)) if !known(name) => self.fail("invalid type"),
            Some(Value::Array(names)) => {
                steps::count(names.len());
                if names.len() > 1 && self.has("enum") {
                    self.no_composite_type()?;
                }
                if names.is_empty() {
                    self.fail("type array cannot be empty")
                } else if !names.iter().all(known) {
                    self.fail("invalid type in type array")
                } else if names.len() > 1 {
                    self.several_types(names.len())
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        }
    }

    /// Anything but a string or an array is only refused after the other keywords.
    pub(super) fn kind_of_type(&self) -> Result<(), SchemaError> {
        match self.get("type") {
            None | Some(Value::String(_) | Value::Array(_)) => Ok(()),
            Some(_) => self.fail("type must be string or array of strings"),
        }
    }

    fn no_composite_type(&self) -> Result<(), SchemaError> {
        let names = type_names(self.schema);
        let mut composite = names
            .iter()
            .filter(|name| matches!(**name, "object" | "array"));
        match composite.next() {
            None => Ok(()),
            Some(name) => self.fail(format!(
                "type {name} is not allowed in combination with enum"
            )),
        }
    }

    /// Several types allow nothing beside them, except that two of them allow an
    /// `enum`, and with it anything.
    fn several_types(&self, count: usize) -> Result<(), SchemaError> {
        if count == 2 && self.get("enum").is_some_and(|values| !values.is_null()) {
            return Ok(());
        }
        let root = self.node.step == Step::Root;
        for keyword in self.schema.keys() {
            let top = root && matches!(keyword.as_str(), "$defs" | "$id");
            if keyword != "type" && !is_annotation(keyword) && !top {
                return self.fail(format!(
                    "keyword {keyword} is not allowed in combination with multiple types"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn enumeration(&self) -> Result<(), SchemaError> {
        let Some(value) = self.get("enum") else {
            return Ok(());
        };
        let Some(values) = value.as_array() else {
            return self.fail_at("enum", "enum must be an array");
        };
        if values.is_empty() {
            return self.fail_at("enum", "enum array cannot be empty");
        }
        if values.len() > MAX_ENUM {
            return self.fail_at(
                "enum",
                format!("enum array cannot have more than {MAX_ENUM} items"),
            );
        }
        self.lookup("enum")?;
        let types = type_names(self.schema);
        match self.get("type") {
            None => return self.fail("type is not defined"),
            Some(Value::String(_) | Value::Array(_)) => {}
            Some(_) => return self.fail("invalid type value"),
        }
        if types.len() > 2 || (types.len() == 2 && !types.contains(&"null")) {
            return self.fail(
                "when type is array and enum is specified, currently only 2 types are supported, \
                 one must be null, and the other can be string/integer/number/boolean",
            );
        }
        if types == ["null", "null"] {
            return self.fail("invalid type combination with enum:  + null");
        }
        for value in values {
            steps::count(1);
            self.value(value, &types)?;
        }
        Ok(())
    }

    /// Checks one value of an `enum`, with the types in the order in which they are
    /// named: a type for numbers refuses any other value at once.
    fn value(&self, value: &Value, types: &[&str]) -> Result<(), SchemaError> {
        for name in types {
            let number = value.as_f64();
            let matches = match *name {
                "null" => value.is_null(),
                "boolean" => value.is_boolean(),
                "string" => value.is_string(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                "integer" if number.is_none_or(|number| number.fract() != 0.0) => {
                    return self.fail_at("enum", "not a valid integer");
                }
                "number" if number.is_none() => {
                    return self.fail_at("enum", "not a valid number");
                }
                _ => true,
            };
            if matches {
                return Ok(());
            }
        }
        self.fail_at(
            "enum",
            format!(
                "enum value ({}) does not match any type in [{}]",
                printed(value),
                types.join(" ")
            ),
        )
    }
}

/// A value as Go prints it; arrays and objects only by their kind.
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "map".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
