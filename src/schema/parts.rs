//! The subschemas that Moonshot validates.

use super::{
    keyword::{ADDITIONAL_PROPERTIES, ANY_OF, DEFS, ITEMS, PROPERTIES, REQUIRED},
    tree::{Id, Tree},
};

/// What a subschema is to the one that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Root,
    Definition,
    Property,
    Items,
    Additional,
    Branch,
}

/// A subschema and where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) id: Id,
    pub(super) role: Role,
    /// The place in the list of the one that holds this one; the root holds itself.
    pub(super) holder: usize,
    /// How many objects are around it.
    pub(super) depth: usize,
    /// The place in the list of the definition that it is part of.
    pub(super) definition: Option<usize>,
    /// Whether Moonshot asks for the end of a recursion here: not in
    /// `additionalProperties`, nor below an object that says it requires nothing
    /// (validator).
    pub(super) has_to_end: bool,
}

impl Tree<'_> {
    /// Every subschema that Moonshot validates, each behind the one that holds it:
    /// those in `$defs`, `properties`, `items`, `additionalProperties` and `anyOf`
    /// (validator).
    pub(super) fn parts(&self) -> Vec<Part> {
        const FEW: usize = 32;
        let mut parts = Vec::with_capacity(FEW);
        parts.push(Part {
            id: Id::ROOT,
            role: Role::Root,
            holder: 0,
            depth: 0,
            definition: None,
            has_to_end: true,
        });
        let mut next = 0;
        while let Some(&holder) = parts.get(next) {
            let requires_nothing = self
                .get(holder.id, REQUIRED)
                .is_some_and(|required| self.elements(required).next().is_none());
            self.each_part(holder.id, |role, id| {
                let definition = match role {
                    Role::Definition => Some(parts.len()),
                    _ => holder.definition,
                };
                let is_free = match role {
                    Role::Additional => true,
                    Role::Property => requires_nothing,
                    _ => false,
                };
                parts.push(Part {
                    id,
                    role,
                    holder: next,
                    depth: holder.depth + usize::from(role == Role::Property),
                    definition,
                    has_to_end: holder.has_to_end && !is_free,
                });
            });
            next += 1;
        }
        parts
    }

    /// The subschemas that one holds.
    pub(super) fn each_part(&self, id: Id, mut found: impl FnMut(Role, Id)) {
        for (keyword, role) in [(DEFS, Role::Definition), (PROPERTIES, Role::Property)] {
            let Some(map) = self.object(id, keyword) else {
                continue;
            };
            for value in self.members(map).filter(|value| self.is_object(*value)) {
                found(role, value);
            }
        }
        for (keyword, role) in [
            (ITEMS, Role::Items),
            (ADDITIONAL_PROPERTIES, Role::Additional),
        ] {
            if let Some(value) = self.object(id, keyword) {
                found(role, value);
            }
        }
        for branch in self.branches(id).filter(|branch| self.is_object(*branch)) {
            found(Role::Branch, branch);
        }
    }

    /// The branches of `anyOf`.
    pub(super) fn branches(&self, id: Id) -> impl Iterator<Item = Id> {
        let branches = self.get(id, ANY_OF).into_iter();
        branches.flat_map(|branches| self.elements(branches))
    }
}
