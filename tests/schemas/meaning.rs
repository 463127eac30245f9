//! What a schema means: which values it admits, by the crate `jsonschema`, which
//! shares no code with the rule.

use std::{collections::HashSet, error::Error};

use jsonschema::{Draft, Retrieve, Uri, Validator};
use serde_json::{Map, Value, json};

/// A schema that can be asked, by which of the two readings.
pub(crate) struct Meaning {
    pub(crate) admits: Validator,
    pub(crate) lenient: bool,
}

impl Meaning {
    /// What a schema says as it stands or, where it is no schema at all, what is
    /// left of it without the keywords that mean nothing. `None` where opinions
    /// differ, or where a validator would not come to an end.
    pub(crate) fn of(schema: &Value) -> Option<Self> {
        if goes_round(schema) {
            return None;
        }
        if let Some(admits) = compile(schema, Some(Draft::Draft202012)) {
            return Some(Self {
                admits,
                lenient: false,
            });
        }
        let admits = Self::leniently(schema)?;
        Some(Self {
            admits,
            lenient: true,
        })
    }

    /// The reading of a repaired schema that fits that of its original.
    pub(crate) fn like(&self, schema: &Value) -> Result<Validator, String> {
        if goes_round(schema) {
            return Err("references go round without end".to_owned());
        }
        let read = if self.lenient {
            Self::leniently(schema)
        } else {
            compile(schema, Some(Draft::Draft202012))
        };
        read.ok_or_else(|| "no schema any more".to_owned())
    }

    fn leniently(schema: &Value) -> Option<Validator> {
        let plain = Lenient { root: schema }.read(schema)?;
        compile(&plain, Some(Draft::Draft202012))
    }
}

/// Compiles a schema. Whatever is remote admits everything; without a draft
/// `$schema` decides.
pub(crate) fn compile(schema: &Value, draft: Option<Draft>) -> Option<Validator> {
    let mut schema = schema.clone();
    escape_references(&mut schema);
    let mut options = jsonschema::options().with_retriever(Anything);
    if let Some(draft) = draft {
        options = options.with_draft(draft);
    }
    options.build(&schema).ok()
}

struct Anything;

impl Retrieve for Anything {
    fn retrieve(&self, _: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        Ok(json!({}))
    }
}

/// Moonshot takes the name in a reference as it stands, `jsonschema` wants a URI.
fn escape_references(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                let escape = |character: char| match character {
                    '[' => "%5B".to_owned(),
                    ']' => "%5D".to_owned(),
                    '<' => "%3C".to_owned(),
                    '>' => "%3E".to_owned(),
                    '{' => "%7B".to_owned(),
                    '}' => "%7D".to_owned(),
                    ' ' => "%20".to_owned(),
                    '`' => "%60".to_owned(),
                    other => other.to_string(),
                };
                *reference = reference.chars().map(escape).collect();
            }
            members.values_mut().for_each(escape_references);
        }
        Value::Array(items) => items.iter_mut().for_each(escape_references),
        _ => {}
    }
}

/// What a local reference leads to.
pub(crate) fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    let pointer = reference.strip_prefix('#')?;
    let pointer = pointer.replace("%5B", "[").replace("%5D", "]");
    root.pointer(&pointer)
}

/// Whether some value would be judged by the same subschema again and again: a
/// validator may follow such references until its stack ends.
fn goes_round(root: &Value) -> bool {
    fn visit<'a>(
        root: &'a Value,
        schema: &'a Value,
        open: &mut HashSet<*const Value>,
        done: &mut HashSet<*const Value>,
    ) -> bool {
        let address: *const Value = schema;
        if done.contains(&address) {
            return false;
        }
        if !open.insert(address) {
            return true;
        }
        let mut next: Vec<&Value> = Vec::new();
        for keyword in ["anyOf", "oneOf", "allOf"] {
            next.extend(schema[keyword].as_array().into_iter().flatten());
        }
        for keyword in ["not", "if", "then", "else"] {
            next.extend(schema.get(keyword));
        }
        let reference = schema.get("$ref").and_then(Value::as_str);
        next.extend(reference.and_then(|reference| resolve(root, reference)));
        let round = next.into_iter().any(|next| visit(root, next, open, done));
        open.remove(&address);
        done.insert(address);
        round
    }
    let mut done = HashSet::new();
    let mut rest = vec![root];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(members) => {
                if visit(root, value, &mut HashSet::new(), &mut done) {
                    return true;
                }
                rest.extend(members.values());
            }
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    false
}

const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

/// Reads a broken schema: a keyword of the wrong JSON type says nothing, nor does
/// a reference that leads nowhere.
struct Lenient<'a> {
    root: &'a Value,
}

impl Lenient<'_> {
    fn read(&self, schema: &Value) -> Option<Value> {
        let members = match schema {
            Value::Bool(_) => return Some(schema.clone()),
            Value::Object(members) => members,
            _ => return Some(json!(true)),
        };
        let mut plain = Map::new();
        for (keyword, value) in members {
            if let Some(value) = self.keyword(keyword, value)? {
                plain.insert(keyword.clone(), value);
            }
        }
        Some(Value::Object(plain))
    }

    fn list(&self, value: &Value) -> Option<Option<Value>> {
        match value.as_array() {
            Some(items) if !items.is_empty() => {
                let items: Option<Vec<Value>> = items.iter().map(|item| self.read(item)).collect();
                Some(Some(Value::Array(items?)))
            }
            _ => Some(None),
        }
    }

    /// The outer `None` is for what can be read in more than one way.
    fn keyword(&self, keyword: &str, value: &Value) -> Option<Option<Value>> {
        let keep_if = |good: bool| Some(good.then(|| value.clone()));
        match keyword {
            "type" => match value {
                Value::String(name) => {
                    let name = name.to_lowercase();
                    let known = TYPES.contains(&name.as_str());
                    Some(known.then_some(Value::String(name)))
                }
                Value::Array(names) => {
                    let mut known: Vec<String> = Vec::new();
                    for name in names {
                        let name = name.as_str()?.to_lowercase();
                        if !TYPES.contains(&name.as_str()) {
                            return None;
                        }
                        if !known.contains(&name) {
                            known.push(name);
                        }
                    }
                    Some((!known.is_empty()).then(|| json!(known)))
                }
                _ => Some(None),
            },
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                let Some(members) = value.as_object() else {
                    return Some(None);
                };
                let mut plain = Map::new();
                for (name, schema) in members {
                    plain.insert(name.clone(), self.read(schema)?);
                }
                Some(Some(Value::Object(plain)))
            }
            "required" => Some(value.as_array().map(|names| {
                let mut plain: Vec<&Value> = Vec::new();
                for name in names {
                    if name.is_string() && !plain.contains(&name) {
                        plain.push(name);
                    }
                }
                json!(plain)
            })),
            // A tuple: the drafts differ in what may follow it.
            "items" if value.is_array() => None,
            "prefixItems" | "anyOf" | "oneOf" | "allOf" => self.list(value),
            "items"
            | "not"
            | "if"
            | "then"
            | "else"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "propertyNames"
            | "contains" => {
                if value.is_object() || value.is_boolean() {
                    Some(Some(self.read(value)?))
                } else {
                    Some(None)
                }
            }
            "$ref" => {
                let Some(reference) = value.as_str() else {
                    return Some(None);
                };
                if resolve(self.root, reference).is_some() || reference.starts_with("http") {
                    return Some(Some(value.clone()));
                }
                // Such a reference may mean a definition further in.
                let name = reference.rsplit('/').next().unwrap_or_default();
                let name = name
                    .replace("~1", "/")
                    .replace("%5B", "[")
                    .replace("%5D", "]");
                if self.root.to_string().contains(&format!("\"{name}\":")) {
                    return None;
                }
                Some(None)
            }
            "enum" | "examples" => keep_if(value.is_array()),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                keep_if(value.is_number())
            }
            "multipleOf" => keep_if(value.as_f64().is_some_and(|divisor| divisor > 0.0)),
            "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
            | "maxProperties" => keep_if(value.is_u64()),
            "title" | "description" | "pattern" | "format" | "$comment" | "$id" => {
                keep_if(value.is_string())
            }
            "uniqueItems" | "nullable" | "deprecated" => keep_if(value.is_boolean()),
            _ => Some(Some(value.clone())),
        }
    }
}
