//! Keywords on both sides of an `anyOf`, and what is required and not defined.
//!
//! A keyword other than `title` and `description` may not be both in a schema and in
//! a branch of its `anyOf`, and what is required has to be among the properties
//! beside it (validator).

use std::collections::HashSet;

use super::{
    keyword::{
        ADDITIONAL_PROPERTIES, ALL_OF, ANY_OF, Name, OBJECT_GROUP, PATTERN_PROPERTIES, PROPERTIES,
        REQUIRED, UNEVALUATED, asserts, group, may_repeat,
    },
    numbers::Set,
    read::MAX_BYTES,
    repair::Repair,
    tree::{Id, quoted},
    types::Types,
};
use crate::json::Kind;

const BOTH_SIDES: &str = "a keyword is beside anyOf or in its branches, not both";
const NO_ROOM: &str = "there is no room for the properties in each branch";
const NOT_DEFINED: &str = "what is required must be one of the properties";

impl Repair<'_> {
    /// Leaves each keyword on one side of an `anyOf`.
    pub(super) fn both_sides(&mut self, id: Id) {
        let branches: Vec<Id> = self.tree.branches(id).collect();
        if branches.is_empty() {
            return;
        }
        if self.spreads_properties(id, &branches) && !self.spread_properties(id, &branches) {
            return;
        }
        loop {
            let here: Set<Name> = self.keywords(id).collect();
            let twice: Set<Name> = branches
                .iter()
                .flat_map(|branch| self.keywords(*branch))
                .filter(|keyword| here.contains(keyword))
                .collect();
            if twice.is_empty() {
                return;
            }
            self.leave_one_side(id, &branches, twice);
        }
    }

    /// The keywords that may not be on both sides of an `anyOf`.
    fn keywords(&self, id: Id) -> impl Iterator<Item = Name> {
        let names = self.tree.members(id).map(|member| self.tree.key(member));
        names.filter(|name| *name != ANY_OF && !may_repeat(*name))
    }

    fn leave_one_side(&mut self, id: Id, branches: &[Id], mut twice: Set<Name>) {
        self.note(id, ANY_OF, BOTH_SIDES);
        if twice.contains(&ALL_OF) {
            if let Some(all) = self.tree.remove_member(id, ALL_OF) {
                let parts: Vec<Id> = self.tree.elements(all).collect();
                for &branch in branches {
                    for &part in &parts {
                        let copy = self.copy_or_empty(part);
                        self.conjoin_schema(branch, copy);
                    }
                    self.narrowed.insert(branch);
                }
            }
        }
        for keyword in UNEVALUATED {
            if twice.contains(&keyword) {
                self.drop(id, keyword, BOTH_SIDES);
            }
        }
        let mut asserting: Vec<Name> = twice
            .iter()
            .copied()
            .filter(|name| asserts(*name))
            .collect();
        asserting.sort_unstable();
        for keyword in asserting {
            if self.tree.has(id, keyword) {
                self.conjoin(id, &group(keyword));
            }
        }
        // Which side has an annotation doesn't matter.
        twice.retain(|keyword| !asserts(*keyword));
        if twice.is_empty() {
            return;
        }
        for &branch in branches {
            let members: Vec<Id> = self.tree.members(branch).collect();
            for member in members {
                if twice.contains(&self.tree.key(member)) {
                    self.tree.remove(branch, member);
                }
            }
        }
    }

    // === properties on both sides ===

    /// Whether the branches have to know the properties that are beside them.
    fn spreads_properties(&self, id: Id, branches: &[Id]) -> bool {
        if !self.tree.has(id, PROPERTIES) && !self.tree.has(id, REQUIRED) {
            return false;
        }
        if self.requires_unknown(id) {
            return true;
        }
        let here = OBJECT_GROUP
            .into_iter()
            .filter(|keyword| self.tree.has(id, *keyword));
        let here: Vec<Name> = here.collect();
        branches.iter().any(|branch| {
            here.iter().any(|keyword| self.tree.has(*branch, *keyword))
                || self.requires_unknown(*branch)
        })
    }

    /// The elements of `required` that are none of the properties, in their order.
    fn unknown_required(&self, id: Id) -> Vec<Id> {
        let Some(required) = self.tree.get(id, REQUIRED) else {
            return Vec::new();
        };
        let mut seen = self.property_names(id);
        let mut unknown: HashSet<String> = HashSet::new();
        let names = self.tree.elements(required);
        names
            .filter(|name| match self.required_name(*name) {
                Some(name) => seen.insert(name),
                None => {
                    let text = self.tree.string(*name).unwrap_or_default();
                    unknown.insert(text.into_owned())
                }
            })
            .collect()
    }

    fn requires_unknown(&self, id: Id) -> bool {
        let Some(required) = self.tree.get(id, REQUIRED) else {
            return false;
        };
        let known = self.property_names(id);
        let mut names = self.tree.elements(required);
        names.any(|name| {
            self.required_name(name)
                .is_none_or(|name| !known.contains(&name))
        })
    }

    fn property_names(&self, id: Id) -> Set<Name> {
        let properties = self.tree.object(id, PROPERTIES).into_iter();
        let members = properties.flat_map(|properties| self.tree.members(properties));
        members.map(|member| self.tree.key(member)).collect()
    }

    /// Gives every branch for objects the properties that are beside `anyOf`. False
    /// if the branches are gone instead, for want of room.
    fn spread_properties(&mut self, id: Id, branches: &[Id]) -> bool {
        if !self.has_room_for_properties(id, branches) {
            // What all branches are of, the schema is of.
            let types = branches.iter().map(|branch| self.known_types(*branch));
            let types = types.reduce(|all, one| Some(all?.or(one?))).flatten();
            self.drop(id, ANY_OF, NO_ROOM);
            if let Some(types) = types.filter(|types| types.count() == 1) {
                self.set_types(id, &[types]);
            }
            return false;
        }
        for &branch in branches {
            let types = self.known_types(branch);
            if types.is_none_or(|types| types.names(Types::OBJECT)) {
                self.add_properties(id, branch);
                self.narrowed.insert(branch);
            }
        }
        for keyword in OBJECT_GROUP {
            self.tree.remove_member(id, keyword);
        }
        self.note(id, PROPERTIES, BOTH_SIDES);
        true
    }

    /// Whether the names alone of what is beside `anyOf` don't make the schema too
    /// long if each branch repeats them.
    fn has_room_for_properties(&self, id: Id, branches: &[Id]) -> bool {
        let names = self.property_names(id);
        let lengths = names
            .iter()
            .map(|name| self.tree.name(*name).len() + r#""":{},"#.len());
        let length: usize = lengths.sum();
        let room = MAX_BYTES.min(self.tree.room() + length);
        length.saturating_mul(branches.len()) <= room
    }

    /// Makes of a branch the conjunction of itself and the properties beside it.
    fn add_properties(&mut self, from: Id, to: Id) {
        for map in [PROPERTIES, PATTERN_PROPERTIES] {
            let Some(there) = self.tree.object(from, map) else {
                continue;
            };
            let own: Vec<Id> = match self.tree.object(to, map) {
                Some(own) => self.tree.take_all(own),
                None => Vec::new(),
            };
            let own_names: Set<Name> = own.iter().map(|id| self.tree.key(*id)).collect();
            let here = match self.tree.object(to, map) {
                Some(here) => here,
                None => {
                    let here = self.tree.make_object(there);
                    self.tree.set(to, map, here);
                    here
                }
            };
            let members: Vec<Id> = self.tree.members(there).collect();
            for member in members {
                let key = self.tree.key(member);
                if own_names.contains(&key) {
                    // The branch's own is mostly the closer one (judgement).
                    self.alter(to);
                } else {
                    let value = self.copy_or_empty(member);
                    self.tree.append(here, key, value);
                }
            }
            for member in own {
                let key = self.tree.key(member);
                self.tree.append(here, key, member);
            }
        }
        self.add_required(from, to);
        let Some(there) = self.tree.get(from, ADDITIONAL_PROPERTIES) else {
            if self.tree.has(to, ADDITIONAL_PROPERTIES) {
                self.alter(to);
            }
            return;
        };
        self.alter(to);
        let own = self.tree.get(to, ADDITIONAL_PROPERTIES);
        let closes = self.tree.kind(there) == Kind::False;
        let is_open = own.is_none_or(|own| self.tree.kind(own) == Kind::True);
        if closes || is_open {
            let copy = self.copy_or_empty(there);
            self.tree.set(to, ADDITIONAL_PROPERTIES, copy);
        }
    }

    /// Requires in a branch what is required beside it, first.
    fn add_required(&mut self, from: Id, to: Id) {
        let Some(required) = self.tree.get(from, REQUIRED) else {
            return;
        };
        let own: Vec<Id> = match self.tree.get(to, REQUIRED) {
            Some(own) => self.tree.take_all(own),
            None => Vec::new(),
        };
        let text = |repair: &Self, id| repair.tree.string(id).unwrap_or_default().into_owned();
        let known: HashSet<String> = own.iter().map(|name| text(self, *name)).collect();
        let names: Vec<Id> = self.tree.elements(required).collect();
        let mut all = Vec::new();
        for name in names {
            let name_text = text(self, name);
            if !known.contains(&name_text) {
                all.push(self.tree.make_raw(name, &quoted(&name_text)));
            }
        }
        all.extend(own);
        let all = self.tree.make_array(required, all);
        self.tree.set(to, REQUIRED, all);
    }

    // === required ===

    /// Declares properties that `required` names but `properties` lacks.
    pub(super) fn required_properties(&mut self, id: Id) {
        let missing = self.unknown_required(id);
        if missing.is_empty() {
            return;
        }
        let properties = self.tree.object(id, PROPERTIES).unwrap_or_else(|| {
            let properties = self.tree.make_object(id);
            self.tree.set(id, PROPERTIES, properties);
            properties
        });
        let additional = self.tree.get(id, ADDITIONAL_PROPERTIES);
        // A pattern may match the name, and then `additionalProperties` says nothing of it.
        let any_pattern = self.tree.has(id, PATTERN_PROPERTIES);
        for name in missing {
            let text = self.tree.string(name).unwrap_or_default().into_owned();
            let property = match additional {
                Some(additional) if self.tree.is_object(additional) && !any_pattern => {
                    self.copy_or_empty(additional)
                }
                Some(additional) if any_pattern || self.tree.kind(additional) == Kind::False => {
                    self.alter(id);
                    self.tree.make_object(name)
                }
                _ => self.tree.make_object(name),
            };
            let key = self.tree.names.intern(text.into());
            self.tree.append(properties, key, property);
        }
        self.note(id, REQUIRED, NOT_DEFINED);
    }
}
