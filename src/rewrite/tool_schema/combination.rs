//! Keywords that may not stand beside each other, or not on both sides of an
//! `anyOf`.

use std::{borrow::Cow, collections::HashSet};

use super::{
    repair::Repair,
    survey::Names,
    tree::{Id, Json, Key, MAX_BYTES},
    types::Types,
    vocabulary::{OBJECT_GROUP, applies_to, asserts, group, may_stand_twice},
    write::quoted_string,
};
use crate::json::Kind;

const TYPE_IN_BRANCHES: &str = "beside anyOf the type stands in the branches";
const TYPE_IN_TARGET: &str = "beside a reference no type may stand";
const ONE_TYPE: &str = "only one type may have other keywords beside it";
const SAME_TYPE: &str = "a type is named once";
const BOTH_SIDES: &str = "a keyword stands beside anyOf or in its branches, not both";
const NO_ROOM: &str = "there is no room for the properties in each branch";
const NOT_DEFINED: &str = "what is required must be one of the properties";

impl<'a> Repair<'a> {
    /// Settles what stands beside what, from the outside in: what moves into a
    /// branch is settled there.
    pub(super) fn combinations(&mut self) {
        let mut rest = vec![Id::ROOT];
        while let Some(id) = rest.pop() {
            self.type_beside_choice(id);
            self.enumeration(id);
            self.several_types(id);
            self.both_sides(id);
            self.required_properties(id);
            self.tree.each_part(id, |_, part| rest.push(part));
        }
    }

    /// The types that a schema names, if it names any.
    pub(super) fn types(&self, id: Id) -> Option<Types> {
        let value = self.tree.get(id, "type")?;
        let one = |id| self.tree.string(id).and_then(|name| Types::named(&name));
        if let Some(one) = one(value) {
            return Some(one);
        }
        let names = self.tree.elements(value).iter();
        let types = names.filter_map(|name| one(*name));
        Some(types.fold(Types::NONE, Types::or)).filter(|types| !types.is_empty())
    }

    pub(super) fn set_types(&mut self, id: Id, types: Types) {
        let value = self.type_value(id, types);
        self.tree.put(id, "type", "type", value);
    }

    fn type_value(&mut self, cause: Id, types: Types) -> Id {
        if types.count() == 1 {
            return self.tree.make_raw(cause, types.quoted());
        }
        // "null" is mostly named last.
        let nulls_last = types
            .each()
            .filter(|one| *one != Types::NULL)
            .chain(types.each().filter(|one| *one == Types::NULL));
        let names: Vec<Types> = nulls_last.collect();
        let names = names
            .into_iter()
            .map(|one| self.tree.make_raw(cause, one.quoted()))
            .collect();
        self.tree.make(cause, Json::Array(names))
    }

    /// `type` beside `anyOf` moves into the branches, beside `$ref` it is left to
    /// the target.
    fn type_beside_choice(&mut self, id: Id) {
        let Some(types) = self.types(id) else {
            return;
        };
        if self.tree.has(id, "$ref") {
            let there = self.target_types(id);
            if there.is_some_and(|there| types.admit(there)) && !self.tree.has(id, "enum") {
                self.tree.remove(id, "type");
            } else {
                self.conjoin(id, &["type", "enum"]);
            }
            self.note(id, "type", TYPE_IN_TARGET);
        }
        let Some(choice) = self
            .tree
            .get(id, "anyOf")
            .filter(|_| self.tree.has(id, "type"))
        else {
            return;
        };
        let mut stays = Vec::new();
        for branch in self.tree.elements(choice).to_vec() {
            let there = self.known_types(branch);
            let both = there.map_or(types, |there| there.and(types));
            if both.is_empty() {
                continue;
            }
            stays.push(branch);
            if there.is_none_or(|there| !types.admit(there)) {
                self.set_types(branch, both);
                self.tree.moved_into(branch);
            }
        }
        if stays.is_empty() {
            self.drop(id, "anyOf", TYPE_IN_BRANCHES);
            return;
        }
        if stays.len() < self.tree.elements(choice).len() {
            self.tree
                .change_elements(choice, |branches| *branches = stays);
        }
        self.tree.remove(id, "type");
        self.note(id, "type", TYPE_IN_BRANCHES);
    }

    /// The types that a schema can be seen to be of: those that it names, and
    /// those that its target names.
    pub(super) fn known_types(&self, id: Id) -> Option<Types> {
        match (self.types(id), self.target_types(id)) {
            (Some(here), Some(there)) => Some(here.and(there)),
            (here, there) => here.or(there),
        }
    }

    /// The types that the end of a chain of references names. A ring has none, and
    /// a very long chain is not followed.
    fn target_types(&self, id: Id) -> Option<Types> {
        const PATIENCE: usize = 64;
        let mut id = id;
        for _ in 0..PATIENCE {
            match self.referenced(id) {
                Some(target) => id = target,
                None => return self.types(id),
            }
        }
        None
    }

    /// A list of types can't have keywords beside it; each type becomes a branch
    /// with the keywords that are about it.
    pub(super) fn several_types(&mut self, id: Id) {
        let Some(value) = self.tree.get(id, "type") else {
            return;
        };
        let count = self.tree.elements(value).len();
        let Some(types) = self.types(id).filter(|_| count > 1) else {
            return;
        };
        let beside = |key: &str| {
            let at_root = id == Id::ROOT && matches!(key, "$defs" | "$id");
            key != "type" && !may_stand_twice(key) && !at_root
        };
        let members = self.tree.members(id);
        if self.tree.has(id, "enum") || !members.iter().any(|(key, _)| beside(&key.name)) {
            return;
        }
        if types.count() == 1 {
            self.set_types(id, types);
            self.note(id, "type", SAME_TYPE);
            return;
        }
        let mut moved: Vec<(Key<'a>, Id, Types)> = Vec::new();
        for (key, value) in members {
            if let Some(about) = applies_to(&key.name).map(|about| about.and(types)) {
                if !about.is_empty() {
                    moved.push((key.clone(), *value, about));
                }
            }
        }
        let mut branches = Vec::new();
        for one in types.each() {
            let name = self.tree.make_raw(value, one.quoted());
            let mut branch = vec![(Key::from("type"), name)];
            for (key, value, about) in &mut moved {
                if about.admit(one) {
                    let value = self.tree.copy_or_empty(*value);
                    branch.push((key.clone(), value));
                }
            }
            branches.push(self.tree.make(id, Json::Object(branch)));
        }
        self.tree.change_members(id, |members| {
            members.retain(|(key, _)| !moved.iter().any(|(moved, ..)| moved.name == key.name));
        });
        // "null" is mostly named last.
        if types.names(Types::NULL) {
            branches.rotate_left(1);
        }
        let choice = self.tree.make(id, Json::Array(branches));
        self.tree.put(id, "type", "anyOf", choice);
        self.note(id, "type", ONE_TYPE);
    }

    /// A keyword stands beside `anyOf` or in the branches.
    pub(super) fn both_sides(&mut self, id: Id) {
        let branches = self.tree.branches(id).to_vec();
        if branches.is_empty() {
            return;
        }
        if self.spreads_properties(id, &branches) && !self.spread_properties(id, &branches) {
            return;
        }
        loop {
            let here: Names<'_> = self.keywords(id).map(Cow::Borrowed).collect();
            let twice: HashSet<String> = branches
                .iter()
                .flat_map(|branch| self.keywords(*branch))
                .filter(|keyword| here.contains(keyword))
                .map(str::to_owned)
                .collect();
            if twice.is_empty() {
                return;
            }
            self.leave_one_side(id, &branches, twice);
        }
    }

    /// The keywords that may not stand on both sides of an `anyOf`.
    fn keywords(&self, id: Id) -> impl Iterator<Item = &str> {
        let names = self.tree.members(id).iter().map(|(key, _)| &*key.name);
        names.filter(|name| *name != "anyOf" && !may_stand_twice(name))
    }

    fn leave_one_side(&mut self, id: Id, branches: &[Id], mut twice: HashSet<String>) {
        self.note(id, "anyOf", BOTH_SIDES);
        if let Some(all) = self
            .tree
            .get(id, "allOf")
            .filter(|_| twice.contains("allOf"))
        {
            self.tree.remove(id, "allOf");
            for &branch in branches {
                for part in self.tree.elements(all).to_vec() {
                    let copy = self.tree.copy_or_empty(part);
                    self.conjoin_schema(branch, copy);
                    self.tree.moved_into(branch);
                }
            }
        }
        for keyword in ["unevaluatedProperties", "unevaluatedItems"] {
            if twice.contains(keyword) {
                self.drop(id, keyword, BOTH_SIDES);
            }
        }
        for keyword in twice.iter().filter(|keyword| asserts(keyword)) {
            if self.tree.has(id, keyword) {
                self.conjoin(id, group(&keyword.as_str()));
            }
        }
        // Which side has an annotation doesn't matter.
        twice.retain(|keyword| !asserts(keyword));
        for &branch in branches {
            if self.keywords(branch).any(|keyword| twice.contains(keyword)) {
                self.tree.change_members(branch, |members| {
                    members.retain(|(key, _)| !twice.contains(&*key.name));
                });
            }
        }
    }

    // === properties on both sides ===

    /// Whether the branches have to know the properties that are beside them.
    fn spreads_properties(&self, id: Id, branches: &[Id]) -> bool {
        if !self.tree.has(id, "properties") && !self.tree.has(id, "required") {
            return false;
        }
        if self.requires_unknown(id) {
            return true;
        }
        let here = OBJECT_GROUP
            .iter()
            .filter(|keyword| self.tree.has(id, keyword));
        let here: Vec<&str> = here.copied().collect();
        branches.iter().any(|branch| {
            here.iter().any(|keyword| self.tree.has(*branch, keyword))
                || self.requires_unknown(*branch)
        })
    }

    /// Whether something is required that is none of the properties.
    fn requires_unknown(&self, id: Id) -> bool {
        if !self.tree.has(id, "required") {
            return false;
        }
        let required = self.tree.required(id);
        let known = self.property_names(id);
        required.iter().any(|name| !known.contains(name))
    }

    fn property_names(&self, id: Id) -> Names<'_> {
        let properties = self.tree.object(id, "properties");
        let members = properties.map_or(&[][..], |properties| self.tree.members(properties));
        members
            .iter()
            .map(|(key, _)| Cow::Borrowed(&*key.name))
            .collect()
    }

    /// Gives every branch for objects the properties that stand beside `anyOf`.
    /// False if the branches are gone instead, for want of room.
    fn spread_properties(&mut self, id: Id, branches: &[Id]) -> bool {
        if !self.has_room_for_properties(id, branches) {
            // What all branches are of, the schema is of.
            let types = branches
                .iter()
                .map(|branch| self.known_types(*branch))
                .try_fold(Types::NONE, |all, one| Some(all.or(one?)));
            self.drop(id, "anyOf", NO_ROOM);
            if let Some(types) = types.filter(|types| types.count() == 1) {
                self.set_types(id, types);
            }
            return false;
        }
        for &branch in branches {
            let types = self.known_types(branch);
            if types.is_none_or(|types| types.names(Types::OBJECT)) {
                self.add_properties(id, branch);
                self.tree.moved_into(branch);
            }
        }
        for keyword in OBJECT_GROUP {
            self.tree.remove(id, keyword);
        }
        self.note(id, "properties", BOTH_SIDES);
        true
    }

    /// Whether the names alone of what stands beside `anyOf` don't make the schema
    /// too long if each branch repeats them.
    fn has_room_for_properties(&self, id: Id, branches: &[Id]) -> bool {
        let names = self.property_names(id);
        let length: usize = names
            .iter()
            .map(|name| name.len() + r#""":{},"#.len())
            .sum();
        length.saturating_mul(branches.len()) <= MAX_BYTES
    }

    /// Makes of a branch the conjunction of itself and the properties beside it.
    fn add_properties(&mut self, from: Id, to: Id) {
        for map in ["properties", "patternProperties"] {
            let Some(there) = self.tree.object(from, map) else {
                continue;
            };
            let here = match self.tree.object(to, map) {
                Some(here) => here,
                None => {
                    let here = self.tree.make_empty(there);
                    self.tree.set(to, map, here);
                    here
                }
            };
            let own: HashSet<String> = self
                .tree
                .members(here)
                .iter()
                .map(|(key, _)| key.name.to_string())
                .collect();
            let mut added = Vec::new();
            for (key, value) in self.tree.members(there).to_vec() {
                if own.contains(&*key.name) {
                    // The branch's own is mostly the closer one.
                    self.tree.set_altered(to);
                } else {
                    let value = self.tree.copy_or_empty(value);
                    added.push((key, value));
                }
            }
            self.tree.change_members(here, |members| {
                added.append(members);
                *members = added;
            });
        }
        if let Some(required) = self.tree.get(from, "required") {
            let known = self.tree.required(to);
            let names: Vec<String> = self
                .tree
                .elements(required)
                .iter()
                .filter_map(|name| self.tree.string(*name))
                .filter(|name| !known.contains(name))
                .map(|name| name.into_owned())
                .collect();
            let mut names: Vec<Id> = names
                .iter()
                .map(|name| self.tree.make_raw(required, quoted_string(name)))
                .collect();
            match self.tree.get(to, "required") {
                Some(own) => self.tree.change_elements(own, |own| {
                    names.append(own);
                    *own = names;
                }),
                None => {
                    let own = self.tree.make(required, Json::Array(names));
                    self.tree.set(to, "required", own);
                }
            }
        }
        let Some(there) = self.tree.get(from, "additionalProperties") else {
            if self.tree.has(to, "additionalProperties") {
                self.tree.set_altered(to);
            }
            return;
        };
        self.tree.set_altered(to);
        let own = self.tree.get(to, "additionalProperties");
        let closes = self.tree.kind(there) == Kind::False;
        let is_open = own.is_none_or(|own| self.tree.kind(own) == Kind::True);
        if closes || is_open {
            let copy = self.tree.copy_or_empty(there);
            self.tree.set(to, "additionalProperties", copy);
        }
    }

    // === required ===

    /// What is required and no property is told of becomes one.
    fn required_properties(&mut self, id: Id) {
        if !self.tree.has(id, "required") {
            return;
        }
        let properties = self.tree.object(id, "properties");
        let known = self.property_names(id);
        let required = self.tree.required(id);
        let missing: Vec<String> = required
            .iter()
            .filter(|name| !known.contains(name))
            .map(str::to_owned)
            .collect();
        if missing.is_empty() {
            return;
        }
        let properties = match properties {
            Some(properties) => properties,
            None => {
                let properties = self.tree.make_empty(id);
                self.tree.set(id, "properties", properties);
                properties
            }
        };
        let additional = self.tree.get(id, "additionalProperties");
        for name in missing {
            let property = match additional {
                Some(additional) if self.tree.is_object(additional) => {
                    self.tree.copy_or_empty(additional)
                }
                Some(additional) if self.tree.kind(additional) == Kind::False => {
                    self.tree.set_altered(id);
                    self.tree.make_empty(id)
                }
                _ => self.tree.make_empty(id),
            };
            self.tree.change_members(properties, |members| {
                members.push((Key::from(name), property));
            });
        }
        self.note(id, "required", NOT_DEFINED);
    }
}
