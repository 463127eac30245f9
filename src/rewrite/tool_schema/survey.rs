//! The subschemas that Moonshot reads.

use std::borrow::Cow;

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

/// Names, for looking some up: sorted, each once.
#[derive(Debug)]
pub(super) struct Names<'t>(Vec<Cow<'t, str>>);

impl<'t> Names<'t> {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.binary_search_by(|known| (**known).cmp(name)).is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}

impl<'t> FromIterator<Cow<'t, str>> for Names<'t> {
    fn from_iter<I: IntoIterator<Item = Cow<'t, str>>>(names: I) -> Self {
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self(names)
    }
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
        let [mut definitions, mut properties, mut required] = [None; 3];
        let [mut items, mut additional, mut branches] = [None; 3];
        for (key, value) in self.members(id) {
            let place = match &*key.name {
                "$defs" => &mut definitions,
                "properties" => &mut properties,
                "required" => &mut required,
                "items" => &mut items,
                "additionalProperties" => &mut additional,
                "anyOf" => &mut branches,
                _ => continue,
            };
            *place = Some(*value);
        }
        if let Some(definitions) = definitions {
            self.each_named(definitions, |_, id| found(Role::Definition, id));
        }
        if let Some(properties) = properties {
            let required = self.names(required);
            self.each_named(properties, |name, id| {
                let required = required.contains(name);
                found(Role::Property { required }, id);
            });
        }
        for (value, role) in [(items, Role::Items), (additional, Role::Additional)] {
            if let Some(value) = value.filter(|value| self.is_object(*value)) {
                found(role, value);
            }
        }
        for &branch in branches.map_or(&[][..], |branches| self.elements(branches)) {
            if self.is_object(branch) {
                found(Role::Branch, branch);
            }
        }
    }

    /// The subschemas in a map, by their names.
    fn each_named(&self, map: Id, mut found: impl FnMut(&str, Id)) {
        let mut members: Vec<_> = self
            .members(map)
            .iter()
            .filter(|(_, value)| self.is_object(*value))
            .collect();
        members.sort_unstable_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        for (key, value) in members {
            found(&key.name, *value);
        }
    }

    /// The branches of `anyOf`.
    pub(super) fn branches(&self, id: Id) -> &[Id] {
        self.get(id, "anyOf")
            .map_or(&[], |branches| self.elements(branches))
    }

    /// The names that are required.
    pub(super) fn required(&self, id: Id) -> Names<'_> {
        self.names(self.get(id, "required"))
    }

    /// The strings in an array.
    fn names(&self, array: Option<Id>) -> Names<'_> {
        let names = array.map_or(&[][..], |array| self.elements(array));
        names.iter().filter_map(|name| self.string(*name)).collect()
    }
}
