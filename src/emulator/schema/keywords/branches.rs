//! `anyOf`, and what may be beside it.

use serde_json::Value;

use super::{Keywords, is_annotation};
use crate::emulator::schema::{SchemaError, steps, tree::array};

/// The most branches of one `anyOf`.
const MAX_BRANCHES: usize = 500;

impl Keywords<'_, '_> {
    /// `type` may be beside neither `anyOf` nor `$ref`.
    pub(super) fn combination(&self) -> Result<(), SchemaError> {
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

    pub(super) fn any_of(&self) -> Result<(), SchemaError> {
        let Some(value) = self.get("anyOf") else {
            return Ok(());
        };
        let Some(branches) = value.as_array() else {
            return self.fail_at("anyOf", "anyOf must be an array");
        };
        if branches.is_empty() || branches.len() > MAX_BRANCHES {
            return self.fail_at("anyOf", format!("anyOf must have 1-{MAX_BRANCHES} items"));
        }
        steps::count(branches.len());
        if !branches.iter().all(Value::is_object) {
            return self.fail_at("anyOf", "schema in anyOf must be an object");
        }
        self.lookup("anyOf")
    }

    /// A keyword may be beside `anyOf` or in its branches, not both.
    pub(super) fn any_of_conflicts(&self) -> Result<(), SchemaError> {
        let branches = array(self.schema, "anyOf").unwrap_or_default();
        for branch in branches.iter().filter_map(Value::as_object) {
            steps::count(1 + branch.len());
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
