//! A schema as a flat list of its subschemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{SchemaError, keywords};

/// What walle calls the schema itself.
pub(super) const ROOT: &str = "root";

/// How many objects may lie inside each other.
pub(super) const MAX_DEPTH: usize = 30;

/// How many properties all objects of a schema may have together.
const MAX_PROPERTIES: usize = 3_000;

/// Every subschema that Moonshot looks at, each after the one that holds it.
///
/// A list with indices to parents instead of recursion, so that no schema can
/// overflow the stack, and that the path of a place, which may be long, is only
/// written out for an error.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
}

/// One subschema.
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) schema: &'a Map<String, Value>,
    /// The subschema that holds this one; the root holds itself.
    pub(super) parent: usize,
    pub(super) role: Role<'a>,
    /// How many objects lie around it.
    pub(super) depth: usize,
    /// The definition that it is, or is part of.
    pub(super) definition: Option<usize>,
    /// Whether some `additionalProperties` holds it.
    pub(super) additional: bool,
}

/// What a subschema is to the one that holds it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role<'a> {
    Root,
    Definition(&'a str),
    Property { name: &'a str, required: bool },
    Items,
    Additional,
    Branch(usize),
}

impl<'a> Tree<'a> {
    /// Lists the subschemas, checking each one by itself.
    pub(super) fn plant(root: &'a Map<String, Value>) -> Result<Self, SchemaError> {
        let mut tree = Self {
            nodes: vec![Node {
                schema: root,
                parent: 0,
                role: Role::Root,
                depth: 0,
                definition: None,
                additional: false,
            }],
        };
        let mut properties = 0;
        let mut next = 0;
        while next < tree.nodes.len() {
            let node = &tree.nodes[next];
            let schema = node.schema;
            if node.depth > MAX_DEPTH {
                return Err(tree.error(next, too_deep()));
            }
            keywords::check(&tree, next)?;
            properties += object(schema, "properties").map_or(0, Map::len);
            if properties > MAX_PROPERTIES {
                return Err(tree.error(
                    next,
                    format!(
                        "total number of properties keys({properties}) across all objects \
                         exceeds maximum limit of {MAX_PROPERTIES}"
                    ),
                ));
            }
            tree.grow(next);
            next += 1;
        }
        Ok(tree)
    }

    /// Appends the subschemas that one holds. Those of other keywords (`oneOf`,
    /// `allOf`, `not`, `prefixItems` …) go unread, as they do at Moonshot.
    fn grow(&mut self, parent: usize) {
        let schema = self.nodes[parent].schema;
        for (name, value) in object(schema, "$defs").into_iter().flatten() {
            self.push(parent, Role::Definition(name), value);
        }
        let required = schema.get("required").and_then(Value::as_array);
        let required: BTreeSet<&str> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, value) in object(schema, "properties").into_iter().flatten() {
            let required = required.contains(name.as_str());
            self.push(parent, Role::Property { name, required }, value);
        }
        if let Some(value) = schema.get("items") {
            self.push(parent, Role::Items, value);
        }
        if let Some(value) = schema.get("additionalProperties") {
            self.push(parent, Role::Additional, value);
        }
        let branches = schema.get("anyOf").and_then(Value::as_array);
        for (index, value) in branches.into_iter().flatten().enumerate() {
            self.push(parent, Role::Branch(index), value);
        }
    }

    fn push(&mut self, parent: usize, role: Role<'a>, value: &'a Value) {
        let Some(schema) = value.as_object() else {
            return;
        };
        let holder = &self.nodes[parent];
        let definition = match role {
            Role::Definition(_) => Some(self.nodes.len()),
            _ => holder.definition,
        };
        self.nodes.push(Node {
            schema,
            parent,
            role,
            depth: holder.depth + usize::from(matches!(role, Role::Property { .. })),
            definition,
            additional: holder.additional || matches!(role, Role::Additional),
        });
    }

    pub(super) fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    pub(super) fn root(&self) -> &'a Map<String, Value> {
        self.nodes[0].schema
    }

    /// An error about one subschema.
    pub(super) fn error(&self, node: usize, message: impl Into<String>) -> SchemaError {
        self.error_below(node, None, message)
    }

    /// An error about one keyword of a subschema.
    pub(super) fn error_at(
        &self,
        node: usize,
        keyword: &str,
        message: impl Into<String>,
    ) -> SchemaError {
        self.error_below(node, Some(keyword), message)
    }

    fn error_below(
        &self,
        mut node: usize,
        keyword: Option<&str>,
        message: impl Into<String>,
    ) -> SchemaError {
        let mut steps: Vec<String> = keyword.map(str::to_owned).into_iter().collect();
        loop {
            match self.nodes[node].role {
                Role::Root => break,
                Role::Definition(name) => steps.push(format!("$defs.{name}")),
                Role::Property { name, .. } => steps.push(format!("properties.{name}")),
                Role::Items => steps.push("items".to_owned()),
                Role::Additional => steps.push("additionalProperties".to_owned()),
                Role::Branch(index) => steps.push(format!("anyOf{{{index}}}")),
            }
            node = self.nodes[node].parent;
        }
        if steps.is_empty() {
            return SchemaError::at_root(message);
        }
        steps.reverse();
        SchemaError::new(steps.join("."), message)
    }
}

/// What Moonshot says of a schema that is nested too deeply.
pub(super) fn too_deep() -> String {
    format!("schema depth exceeds maximum limit of {MAX_DEPTH}")
}

/// The object that a keyword holds, if it holds one.
pub(super) fn object<'a>(
    schema: &'a Map<String, Value>,
    keyword: &str,
) -> Option<&'a Map<String, Value>> {
    schema.get(keyword).and_then(Value::as_object)
}
