//! `$defs`, `$ref` and `$id`.

use serde_json::{Map, Value};

use super::Keywords;
use crate::emulator::schema::{SchemaError, refs::NO_STRING, steps};

impl Keywords<'_, '_> {
    pub(super) fn definitions(&self) -> Result<(), SchemaError> {
        let Some(value) = self.get("$defs") else {
            return Ok(());
        };
        let Some(definitions) = value.as_object() else {
            return self.fail_at("$defs", "$defs must be an object");
        };
        for (name, definition) in definitions {
            let Some(definition) = definition.as_object() else {
                return self.fail_at("$defs", "$defs schema must be object");
            };
            if name.is_empty() {
                return self.fail_at("$defs", "$defs property name cannot be empty");
            }
            if name.contains('/') {
                return self.fail_at("$defs", slash(name));
            }
            // The keys of a definition within another one were seen with that one.
            if self.node.aside {
                continue;
            }
            if let Some(key) = key_with_slash(definition) {
                return self.fail_at(&format!("$defs.{name}"), slash(key));
            }
        }
        Ok(())
    }

    pub(super) fn id(&self) -> Result<(), SchemaError> {
        match self.get("$id") {
            None | Some(Value::Null | Value::String(_)) => Ok(()),
            Some(_) => self.fail_at("$id", "$id must be a string"),
        }
    }

    pub(super) fn reference(&self) -> Result<(), SchemaError> {
        let target = match self.get("$ref") {
            None => return Ok(()),
            Some(Value::String(target)) => target,
            Some(_) => return self.fail_at("$ref", NO_STRING),
        };
        if target == "#" {
            return Ok(());
        }
        match target.strip_prefix("#/$defs/") {
            None => self.fail_at("$ref", "references must start with #/$defs/"),
            Some("") => self.fail_at("$ref", "definition name cannot be empty"),
            Some(_) if !self.tree.root().contains_key("$defs") => {
                self.fail_at("$ref", format!("$defs not found for reference: {target}"))
            }
            Some(_) => self.lookup("$ref"),
        }
    }
}

fn slash(name: &str) -> String {
    format!("$defs property name '{name}' cannot contain '/' character")
}

/// A key with a slash anywhere in a definition, which references can't tell from a
/// path. Arrays in arrays are not looked into.
fn key_with_slash(definition: &Map<String, Value>) -> Option<&str> {
    let mut rest = vec![definition];
    while let Some(object) = rest.pop() {
        steps::count(1 + object.len());
        for (key, value) in object {
            if key.contains('/') {
                return Some(key);
            }
            match value {
                Value::Object(below) => rest.push(below),
                Value::Array(items) => {
                    steps::count(items.len());
                    rest.extend(items.iter().filter_map(Value::as_object));
                }
                _ => {}
            }
        }
    }
    None
}
