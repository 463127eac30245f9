//! What one subschema may say, by itself and about its direct children.

use serde_json::{Map, Value};

use super::{
    SchemaError,
    tree::{Role, Tree, object},
};

/// The longest `enum`.
const MAX_ENUM: usize = 1_000;

/// The most branches of one `anyOf`.
const MAX_BRANCHES: usize = 500;

/// Names that no property may have, because walle takes them for keywords.
const RESERVED: [&str; 5] = ["$defs", "$ref", "additionalProperties", "anyOf", "required"];

/// Checks one subschema.
///
/// The order is walle's: the type first, then the keywords by name, then
/// clashes between an `anyOf` and what stands beside it.
pub(super) fn check(tree: &Tree<'_>, node: usize) -> Result<(), SchemaError> {
    let keywords = Keywords {
        tree,
        node,
        schema: tree.nodes()[node].schema,
    };
    keywords.combination()?;
    keywords.types()?;
    keywords.definitions()?;
    keywords.id()?;
    keywords.reference()?;
    keywords.additional_properties()?;
    keywords.any_of()?;
    keywords.string("description")?;
    keywords.enumeration()?;
    keywords.items()?;
    keywords.pattern()?;
    keywords.properties()?;
    keywords.required()?;
    keywords.any_of_conflicts()
}

/// Whether a keyword only annotates, and so may stand on both sides of an
/// `anyOf` or a `$ref`.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(keyword, "description" | "title")
}

/// The types a schema names, if it names any properly.
pub(super) fn types(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

struct Keywords<'t, 'a> {
    tree: &'t Tree<'a>,
    node: usize,
    schema: &'a Map<String, Value>,
}

impl Keywords<'_, '_> {
    fn fail(&self, message: impl Into<String>) -> Result<(), SchemaError> {
        Err(self.tree.error(self.node, message))
    }

    fn fail_at(&self, keyword: &str, message: impl Into<String>) -> Result<(), SchemaError> {
        Err(self.tree.error_at(self.node, keyword, message))
    }

    fn has(&self, keyword: &str) -> bool {
        self.schema.contains_key(keyword)
    }

    /// `type` may not stand beside `anyOf` or `$ref`.
    fn combination(&self) -> Result<(), SchemaError> {
        if !self.has("type") {
            return Ok(());
        }
        if self.has("anyOf") {
            return self.fail(
                "when using anyOf, type should be defined in anyOf items \
                 instead of the parent schema",
            );
        }
        if self.has("$ref") {
            return self.fail(
                "when using $ref, type should be defined in the referenced schema \
                 instead of the parent schema",
            );
        }
        Ok(())
    }

    fn types(&self) -> Result<(), SchemaError> {
        let known = |value: &Value| {
            matches!(
                value.as_str(),
                Some("string" | "number" | "integer" | "boolean" | "null" | "array" | "object")
            )
        };
        match self.schema.get("type") {
            None => Ok(()),
            Some(name @ Value::String(_)) if known(name) => Ok(()),
            Some(Value::String(_)) => self.fail("invalid type"),
            Some(Value::Array(names)) if names.is_empty() => {
                self.fail("type array cannot be empty")
            }
            Some(Value::Array(names)) if !names.iter().all(known) => {
                self.fail("invalid type in type array")
            }
            Some(Value::Array(names)) if names.len() > 1 => self.several_types(names.len()),
            Some(Value::Array(_)) => Ok(()),
            Some(_) => self.fail("type must be string or array of strings"),
        }
    }

    /// Several types tolerate nothing beside them, except that two of them
    /// tolerate an `enum`, and then anything.
    fn several_types(&self, count: usize) -> Result<(), SchemaError> {
        if self.has("enum") {
            let composite = types(self.schema)
                .into_iter()
                .find(|name| matches!(*name, "object" | "array"));
            if let Some(name) = composite {
                return self.fail(format!(
                    "type {name} is not allowed in combination with enum"
                ));
            }
            if count == 2 {
                return Ok(());
            }
        }
        let root = matches!(self.tree.nodes()[self.node].role, Role::Root);
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

    fn definitions(&self) -> Result<(), SchemaError> {
        let Some(value) = self.schema.get("$defs") else {
            return Ok(());
        };
        let Some(definitions) = value.as_object() else {
            return self.fail_at("$defs", "$defs must be an object");
        };
        for (name, definition) in definitions {
            if name.is_empty() {
                return self.fail_at("$defs", "$defs property name cannot be empty");
            }
            if name.contains('/') {
                return self.fail_at("$defs", slash(name));
            }
            if !definition.is_object() {
                return self.fail_at("$defs", format!("$defs schema must be object: {name}"));
            }
            // Inside another definition, the keys have been seen with that one.
            let seen = self.tree.nodes()[self.node].definition.is_some();
            let key = if seen {
                None
            } else {
                key_with_slash(definition)
            };
            if let Some(key) = key {
                return self.fail_at(&format!("$defs.{name}"), slash(key));
            }
        }
        Ok(())
    }

    fn id(&self) -> Result<(), SchemaError> {
        match self.schema.get("$id") {
            None | Some(Value::Null | Value::String(_)) => Ok(()),
            Some(_) => self.fail_at("$id", "$id must be a string"),
        }
    }

    fn reference(&self) -> Result<(), SchemaError> {
        let target = match self.schema.get("$ref") {
            None => return Ok(()),
            Some(Value::String(target)) => target,
            Some(_) => return self.fail_at("$ref", "$ref must be a string"),
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
            Some(_) => Ok(()),
        }
    }

    fn additional_properties(&self) -> Result<(), SchemaError> {
        match self.schema.get("additionalProperties") {
            None | Some(Value::Bool(_) | Value::Object(_)) => Ok(()),
            Some(_) => self.fail_at(
                "additionalProperties",
                "additionalProperties must be a boolean or an object",
            ),
        }
    }

    fn any_of(&self) -> Result<(), SchemaError> {
        let Some(value) = self.schema.get("anyOf") else {
            return Ok(());
        };
        let Some(branches) = value.as_array() else {
            return self.fail_at("anyOf", "anyOf must be an array");
        };
        if branches.is_empty() || branches.len() > MAX_BRANCHES {
            return self.fail_at("anyOf", format!("anyOf must have 1-{MAX_BRANCHES} items"));
        }
        if !branches.iter().all(Value::is_object) {
            return self.fail_at("anyOf", "schema in anyOf must be an object");
        }
        Ok(())
    }

    fn string(&self, keyword: &str) -> Result<(), SchemaError> {
        match self.schema.get(keyword) {
            None | Some(Value::String(_)) => Ok(()),
            Some(_) => self.fail_at(keyword, format!("{keyword} must be a string")),
        }
    }

    fn enumeration(&self) -> Result<(), SchemaError> {
        let Some(value) = self.schema.get("enum") else {
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
        if !self.has("type") {
            return self.fail("type is not defined");
        }
        let types = types(self.schema);
        if types.len() > 2 || (types.len() == 2 && !types.contains(&"null")) {
            return self.fail(
                "when type is array and enum is specified, currently only 2 types are supported, \
                 one must be null, and the other can be string/integer/number/boolean",
            );
        }
        let stray = values
            .iter()
            .find(|value| !types.iter().any(|name| has_type(value, name)));
        match stray {
            None => Ok(()),
            Some(value) => self.fail_at(
                "enum",
                format!(
                    "enum value ({}) does not match any type in [{}]",
                    printed(value),
                    types.join(" ")
                ),
            ),
        }
    }

    fn items(&self) -> Result<(), SchemaError> {
        match self.schema.get("items") {
            None | Some(Value::Object(_)) => Ok(()),
            Some(_) => self.fail_at("items", "items must be an object"),
        }
    }

    fn pattern(&self) -> Result<(), SchemaError> {
        match self.schema.get("pattern") {
            Some(Value::Null) => Ok(()),
            _ => self.string("pattern"),
        }
    }

    fn properties(&self) -> Result<(), SchemaError> {
        let Some(value) = self.schema.get("properties") else {
            return Ok(());
        };
        let Some(properties) = value.as_object() else {
            return self.fail_at("properties", "properties must be an object");
        };
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

    fn required(&self) -> Result<(), SchemaError> {
        let Some(value) = self.schema.get("required") else {
            return Ok(());
        };
        let Some(names) = value.as_array() else {
            return self.fail_at("required", "required must be an array");
        };
        let properties = object(self.schema, "properties");
        for name in names {
            let Some(name) = name.as_str() else {
                return self.fail_at("required", "items in required array must be strings");
            };
            if !properties.is_some_and(|properties| properties.contains_key(name)) {
                return self.fail_at(
                    "required",
                    format!("required property '{name}' is not defined in properties"),
                );
            }
        }
        Ok(())
    }

    /// A keyword may stand beside `anyOf` or in its branches, not both.
    fn any_of_conflicts(&self) -> Result<(), SchemaError> {
        let branches = self.schema.get("anyOf").and_then(Value::as_array);
        for branch in branches.into_iter().flatten().filter_map(Value::as_object) {
            let mut conflicts: Vec<&str> = branch
                .keys()
                .map(String::as_str)
                .filter(|key| *key != "anyOf" && !is_annotation(key) && self.has(key))
                .collect();
            if !conflicts.is_empty() {
                conflicts.sort_unstable();
                return self.fail(format!(
                    "conflicting keywords found in anyOf with parent: keywords ({}) are defined \
                     on the parent schema and inside anyOf; remove them from the parent or from \
                     anyOf branches",
                    conflicts.join(", ")
                ));
            }
        }
        Ok(())
    }
}

fn slash(name: &str) -> String {
    format!("$defs property name '{name}' cannot contain '/' character")
}

/// A key with a slash anywhere in a definition; references could not tell it
/// from a path.
fn key_with_slash(definition: &Value) -> Option<&str> {
    let mut rest = vec![definition];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(members) => {
                if let Some(key) = members.keys().find(|key| key.contains('/')) {
                    return Some(key);
                }
                rest.extend(members.values());
            }
            Value::Array(items) => rest.extend(items.iter().filter(|item| item.is_object())),
            _ => {}
        }
    }
    None
}

fn has_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
        Value::Number(number) => match name {
            "number" => true,
            "integer" => number.as_f64().is_some_and(|number| number.fract() == 0.0),
            _ => false,
        },
    }
}

/// A value as walle, a Go program, prints it.
fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "map".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
