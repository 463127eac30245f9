//! The subschemas that Moonshot reads.

use std::collections::HashSet;

use super::tree::{Id, Tree};

/// What a subschema is to the one that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Definition,
    Property { required: bool },
    Items,
    Additional,
    Branch,
}

/// A subschema and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) id: Id,
    pub(super) role: Role,
    /// The place in the survey of the one that holds this one; the root holds
    /// itself.
    pub(super) holder: usize,
    /// How many objects lie around it.
    pub(super) depth: usize,
    /// The place in the survey of the definition that it is part of.
    pub(super) definition: Option<usize>,
    /// Whether some `additionalProperties` is around it.
    pub(super) additional: bool,
}

impl Tree<'_> {
    /// Every subschema that Moonshot reads, each behind the one that holds it. It
    /// doesn't look into `oneOf`, `allOf`, `not` and the like.
    pub(super) fn survey(&self) -> Vec<Part> {
        let mut parts = vec![Part {
            id: Id::ROOT,
            role: Role::Root,
            holder: 0,
            depth: 0,
            definition: None,
            additional: false,
        }];
        let mut next = 0;
        while let Some(&holder) = parts.get(next) {
            self.each_part(holder.id, |role, id| {
                let definition = match role {
                    Role::Definition => Some(parts.len()),
                    _ => holder.definition,
                };
                parts.push(Part {
                    id,
                    role,
                    holder: next,
                    depth: holder.depth + usize::from(matches!(role, Role::Property { .. })),
                    definition,
                    additional: holder.additional || role == Role::Additional,
                });
            });
            next += 1;
        }
        parts
    }

    /// The subschemas that one holds, in Moonshot's order.
    pub(super) fn each_part(&self, id: Id, mut found: impl FnMut(Role, Id)) {
        let mut each = |keyword: &str, role: &dyn Fn(&str) -> Role| {
            let Some(map) = self.get(id, keyword) else {
                return;
            };
            let mut members: Vec<_> = self.members(map).iter().collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.name.cmp(&b.name));
            for (key, value) in members {
                if self.is_object(*value) {
                    found(role(&key.name), *value);
                }
            }
        };
        each("$defs", &|_| Role::Definition);
        let required = self.required(id);
        each("properties", &|name| Role::Property {
            required: required.contains(name),
        });
        for (keyword, role) in [
            ("items", Role::Items),
            ("additionalProperties", Role::Additional),
        ] {
            if let Some(value) = self.object(id, keyword) {
                found(role, value);
            }
        }
        for &branch in self.branches(id) {
            if self.is_object(branch) {
                found(Role::Branch, branch);
            }
        }
    }

    /// The branches of `anyOf`.
    pub(super) fn branches(&self, id: Id) -> &[Id] {
        self.get(id, "anyOf")
            .map_or(&[], |branches| self.elements(branches))
    }

    /// The names that are required.
    pub(super) fn required(&self, id: Id) -> HashSet<String> {
        let Some(required) = self.get(id, "required") else {
            return HashSet::new();
        };
        let names = self.elements(required).iter();
        names
            .filter_map(|name| self.string(*name))
            .map(|name| name.into_owned())
            .collect()
    }
}
