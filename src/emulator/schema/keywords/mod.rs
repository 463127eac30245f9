//! What one subschema may say, by itself and about its direct children.

mod branches;
mod objects;
mod references;
mod types;

use serde_json::{Map, Value};

pub(super) use self::types::type_names;
use super::{
    Enough, Faults, SchemaError, steps,
    tree::{Node, Tree},
};

/// Checks one subschema.
///
/// The order is the validator's: the type first, then the keywords by name, then
/// conflicts between an `anyOf` and the keywords beside it.
pub(super) fn check(tree: &Tree<'_>, index: usize, faults: &mut Faults) -> Result<(), Enough> {
    let node = &tree.nodes()[index];
    steps::count(node.object.len());
    let keywords = Keywords {
        tree,
        index,
        node,
        schema: node.object,
    };
    for verdict in [
        keywords.combination(),
        keywords.types(),
        keywords.definitions(),
        keywords.id(),
        keywords.reference(),
        keywords.additional_properties(),
        keywords.any_of(),
        keywords.description(),
        keywords.enumeration(),
        keywords.items(),
        keywords.pattern(),
        keywords.properties(),
        keywords.required(),
        keywords.kind_of_type(),
        keywords.any_of_conflicts(),
    ] {
        if let Err(fault) = verdict {
            faults.add(fault)?;
        }
    }
    Ok(())
}

/// Whether a keyword only annotates, and so may be on both sides of an `anyOf` or a
/// `$ref`.
pub(super) fn is_annotation(keyword: &str) -> bool {
    matches!(keyword, "description" | "title")
}

/// One subschema, with where it is.
struct Keywords<'t, 'a> {
    tree: &'t Tree<'a>,
    index: usize,
    node: &'t Node<'a>,
    schema: &'a Map<String, Value>,
}

impl<'a> Keywords<'_, 'a> {
    fn fail(&self, message: impl Into<String>) -> Result<(), SchemaError> {
        Err(self.tree.error(self.index, message))
    }

    fn fail_at(&self, keyword: &str, message: impl Into<String>) -> Result<(), SchemaError> {
        Err(self.tree.error_at(self.index, keyword, message))
    }

    fn has(&self, keyword: &str) -> bool {
        self.schema.contains_key(keyword)
    }

    fn get(&self, keyword: &str) -> Option<&'a Value> {
        self.schema.get(keyword)
    }

    /// A keyword for which the validator looks up its own subschema by path. It
    /// doesn't find the way past names that have braces.
    fn lookup(&self, keyword: &str) -> Result<(), SchemaError> {
        if !self.node.lost {
            return Ok(());
        }
        let path = self.tree.path(self.index);
        self.fail_at(keyword, format!("invalid path: {path}"))
    }

    fn description(&self) -> Result<(), SchemaError> {
        match self.get("description") {
            None | Some(Value::String(_)) => Ok(()),
            Some(_) => self.fail_at("description", "description must be a string"),
        }
    }

    fn items(&self) -> Result<(), SchemaError> {
        match self.get("items") {
            None | Some(Value::Object(_)) => Ok(()),
            Some(_) => self.fail_at("items", "items must be an object"),
        }
    }

    fn pattern(&self) -> Result<(), SchemaError> {
        match self.get("pattern") {
            None | Some(Value::Null | Value::String(_)) => Ok(()),
            Some(_) => self.fail_at("pattern", "pattern must be a string"),
        }
    }
}
