//! Where references lead, and what may stand beside them.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::{
    SchemaError,
    keywords::is_annotation,
    tree::{Role, Tree},
};

/// A schema with its references resolved.
#[derive(Debug)]
pub(super) struct Definitions<'t, 'a> {
    pub(super) tree: &'t Tree<'a>,
    /// For each subschema the one that its `$ref` names.
    pub(super) targets: Vec<Option<usize>>,
}

impl<'t, 'a> Definitions<'t, 'a> {
    /// Resolves every reference, those in unused definitions too.
    pub(super) fn of(tree: &'t Tree<'a>) -> Result<Self, SchemaError> {
        let mut named = HashMap::from([("#".to_owned(), 0)]);
        for (index, node) in tree.nodes().iter().enumerate() {
            match node.role {
                Role::Definition(name) if node.parent == 0 => {
                    named.insert(format!("#/$defs/{name}"), index);
                }
                _ => {}
            }
        }
        let mut targets = Vec::with_capacity(tree.nodes().len());
        for node in tree.nodes() {
            let target = match node.schema.get("$ref").and_then(Value::as_str) {
                None => None,
                Some(name) => match named.get(name) {
                    Some(target) => Some(*target),
                    None => {
                        return Err(SchemaError::at_root(format!("invalid $ref path: {name}")));
                    }
                },
            };
            targets.push(target);
        }
        Ok(Self { tree, targets })
    }

    /// The references outside of definitions, with what they lead to: of those
    /// inside, Moonshot only asks that they lead somewhere.
    pub(super) fn used(&self) -> impl Iterator<Item = (usize, usize)> {
        let nodes = self.tree.nodes().iter().zip(&self.targets).enumerate();
        nodes.filter_map(|(index, (node, target))| match node.definition {
            None => target.map(|target| (index, target)),
            Some(_) => None,
        })
    }

    /// Beside a `$ref` only what its target does not say.
    pub(super) fn check_siblings(&self) -> Result<(), SchemaError> {
        for (node, target) in self.used() {
            let here = self.tree.nodes()[node].schema;
            let there = self.end_of(target);
            let said_here = |key: &str| key != "$ref" && here.contains_key(key);
            let twice = shared(there, |key| !is_annotation(key) && said_here(key));
            if !twice.is_empty() {
                return Err(self.tree.error(
                    node,
                    format!(
                        "conflicting keywords found after $ref expansion: keywords ({twice}) are \
                         defined both alongside \"$ref\" and in the referenced schema; remove the \
                         duplicates"
                    ),
                ));
            }
            if here.contains_key("anyOf") && there.contains_key("type") {
                return Err(self.tree.error(
                    node,
                    "invalid schema after $ref expansion: (when using anyOf, type should be \
                     defined in anyOf items instead of the parent schema)",
                ));
            }
            let branches = there.get("anyOf").and_then(Value::as_array);
            for branch in branches.into_iter().flatten().filter_map(Value::as_object) {
                let twice = shared(branch, |key| {
                    key != "anyOf" && !is_annotation(key) && said_here(key)
                });
                if !twice.is_empty() {
                    return Err(self.tree.error(
                        node,
                        format!("conflicting keywords found in anyOf after ref expansion: {twice}"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Follows definitions that only name another one.
    fn end_of(&self, mut target: usize) -> &'a Map<String, Value> {
        let mut seen = BTreeSet::from([target]);
        while let Some(next) = self.targets[target] {
            let schema = self.tree.nodes()[target].schema;
            let bare = schema.keys().all(|key| key == "$ref" || is_annotation(key));
            if !bare || !seen.insert(next) {
                break;
            }
            target = next;
        }
        self.tree.nodes()[target].schema
    }
}

/// The keys of a schema that meet a condition, sorted and joined.
fn shared(schema: &Map<String, Value>, meets: impl Fn(&str) -> bool) -> String {
    let keys: BTreeSet<&str> = schema
        .keys()
        .map(String::as_str)
        .filter(|key| meets(key))
        .collect();
    keys.into_iter().collect::<Vec<_>>().join(", ")
}
