//! `properties`, `required` and `additionalProperties`.

use serde_json::Value;

use super::Keywords;
use crate::emulator::schema::{SchemaError, steps, tree::object};

/// Names that no property may have, because the validator takes them for keywords.
const RESERVED: [&str; 5] = ["$defs", "$ref", "additionalProperties", "anyOf", "required"];

impl Keywords<'_, '_> {
    pub(super) fn additional_properties(&self) -> Result<(), SchemaError> {
        match self.get("additionalProperties") {
            None | Some(Value::Bool(_) | Value::Object(_)) => Ok(()),
            Some(_) => self.fail_at(
                "additionalProperties",
                "additionalProperties must be a boolean or an object",
            ),
        }
    }

    pub(super) fn properties(&self) -> Result<(), SchemaError> {
        let Some(value) = self.get("properties") else {
            return Ok(());
        };
        let Some(properties) = value.as_object() else {
            return self.fail_at("properties", "properties must be an object");
        };
        steps::count(properties.len());
        for (name, property) in properties {
            if RESERVED.contains(&name.as_str()) {
                return self.fail_at(
                    "properties",
                    format!("property name '{name}' is reserved for JSON Schema keywords"),
                );
            }
            if !property.is_object() {
                return self.fail_at(
                    "properties",
                    format!("property schema for '{name}' must be an object"),
                );
            }
        }
        Ok(())
    }

    pub(super) fn required(&self) -> Result<(), SchemaError> {
        let Some(value) = self.get("required") else {
            return Ok(());
        };
        let Some(names) = value.as_array() else {
            return self.fail_at("required", "required must be an array");
        };
        if names.is_empty() {
            return Ok(());
        }
        steps::count(names.len());
        if !names.iter().all(Value::is_string) {
            return self.fail_at("required", "items in required array must be strings");
        }
        self.lookup("required")?;
        let properties = object(self.schema, "properties");
        let defined = |name: &str| properties.is_some_and(|all| all.contains_key(name));
        match names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| !defined(name))
        {
            None => Ok(()),
            Some(name) => self.fail_at(
                "required",
                format!("required property '{name}' is not defined in properties"),
            ),
        }
    }
}
