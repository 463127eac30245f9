//! The definitions of a schema: `$defs` at its root, with names that a reference
//! can spell (validator).

use std::collections::HashMap;

use super::{
    keyword::{DEFINITIONS, DEFS, Name},
    numbers::{Map, Set},
    repair::Repair,
    resolve::DEFINITION,
    tree::Id,
    walked::Walked,
};
use crate::json::Kind;

const NOT_AN_OBJECT: &str = "must be an object";
const NOT_A_SCHEMA: &str = "a subschema must be an object";
pub(super) const NAME: &str = "the name of a definition can't be empty or have a slash";
const MOVED: &str = "definitions belong in $defs at the root";

/// The definitions that references can name.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    names: Map<Id, Name>,
    by_name: Map<Name, Id>,
    taken: Set<Name>,
    /// The last number that was tried behind a name.
    numbers: HashMap<String, usize>,
    /// Those that came to `$defs` and have not been looked at there.
    pub(super) hoisted: Vec<Id>,
    /// Definitions that are copies of subschemas which are elsewhere.
    copies: Map<Id, Id>,
}

impl Definitions {
    /// The definition that stands in for a subschema, which may be itself.
    pub(super) fn of(&self, id: Id) -> Id {
        self.copies.get(&id).copied().unwrap_or(id)
    }

    fn insert(&mut self, id: Id, name: Name) {
        self.taken.insert(name);
        self.by_name.insert(name, id);
        if let Some(earlier) = self
            .names
            .insert(id, name)
            .filter(|earlier| *earlier != name)
        {
            self.by_name.remove(&earlier);
        }
    }

    /// Forgets a definition that is removed.
    pub(super) fn forget(&mut self, id: Id) {
        if let Some(name) = self.names.remove(&id) {
            self.by_name.remove(&name);
        }
    }

    /// What a reference to a subschema calls it.
    pub(super) fn name(&self, id: Id) -> Option<Name> {
        self.names.get(&self.of(id)).copied()
    }
}

/// Whether a letter is spelled as itself in a reference.
fn is_plain(letter: char) -> bool {
    matches!(letter, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' | '.')
}

impl Repair<'_> {
    /// What a reference leads to as Moonshot reads it: without escapes, and through
    /// objects only (validator).
    pub(super) fn literal_target(&self, reference: &str) -> Option<Id> {
        if reference == "#" {
            return Some(Id::ROOT);
        }
        let mut path = reference.strip_prefix(DEFINITION)?.split('/');
        let name = self.tree.names.find(path.next()?)?;
        let definition = *self.definitions.by_name.get(&name)?;
        if !self.tree.is_object(definition) {
            return None;
        }
        path.try_fold(definition, |id, step| {
            self.tree.object(id, self.tree.names.find(step)?)
        })
    }

    /// Keeps note of the definitions that there are.
    pub(super) fn name_definitions(&mut self) {
        let Some(all) = self.tree.object(Id::ROOT, DEFS) else {
            return;
        };
        for definition in self.tree.members(all) {
            self.definitions
                .insert(definition, self.tree.key(definition));
        }
    }

    /// A name like this one that is not taken and that a reference can spell.
    fn free_name(&mut self, like: &str) -> Name {
        let plain = |letter| if is_plain(letter) { letter } else { '_' };
        let mut plain: String = like.chars().map(plain).collect();
        if plain.is_empty() {
            plain.push_str("definition");
        }
        let mut name = self.tree.names.intern(plain.clone().into());
        while !self.definitions.taken.insert(name) {
            self.tree.charge(1);
            let number = self.definitions.numbers.entry(plain.clone()).or_insert(1);
            *number += 1;
            let numbered = format!("{plain}_{number}");
            name = self.tree.names.intern(numbered.into());
        }
        name
    }

    /// Moves the root's `definitions` to `$defs` if they hold a reference that
    /// Moonshot refuses there: it looks for references in `definitions`, too
    /// (validator).
    pub(super) fn old_definitions(&mut self) {
        let Some(all) = self.tree.object(Id::ROOT, DEFINITIONS) else {
            return;
        };
        if !self.any_reference && !self.tree.has(all, super::keyword::REF) {
            return;
        }
        let walked = Walked::of(self, all);
        if !walked.any_is_refused(self) {
            return;
        }
        if self.tree.has(Id::ROOT, DEFS) && self.tree.object(Id::ROOT, DEFS).is_none() {
            self.drop(Id::ROOT, DEFS, NOT_AN_OBJECT);
        }
        let definitions: Vec<Id> = self.tree.members(all).collect();
        for definition in definitions {
            if self.definitions.name(definition).is_none() {
                self.hoist(definition);
            }
        }
        if !self.tree.has_members(all) && self.tree.key(all) == DEFINITIONS {
            self.tree.remove(Id::ROOT, all);
        }
    }

    /// Gives the `$defs` of a schema the right form.
    pub(super) fn definition_values(&mut self, id: Id) {
        let Some(all) = self.tree.get(id, DEFS) else {
            return;
        };
        if !self.tree.is_object(all) {
            self.drop(id, DEFS, NOT_AN_OBJECT);
            return;
        }
        let members: Vec<Id> = self.tree.members(all).collect();
        for definition in members {
            if !self.tree.is_object(definition) {
                let is_boolean = super::repair::is_boolean(self.tree.kind(definition));
                self.become_schema(definition);
                self.note(definition, None, NOT_A_SCHEMA);
                if !is_boolean {
                    self.alter(definition);
                }
            }
            let name = self.tree.name(self.tree.key(definition));
            if name.is_empty() || name.contains('/') {
                let like = name.to_owned();
                let name = self.free_name(&like);
                self.tree.rename(all, definition, name);
                if id == Id::ROOT {
                    self.definitions.insert(definition, name);
                }
                self.note(definition, None, NAME);
            }
        }
    }

    /// Gives a definition a name that a reference can spell, if it has another.
    pub(super) fn make_plain(&mut self, target: Id, why: &'static str) {
        let id = self.definitions.of(target);
        let Some(name) = self.definitions.name(id) else {
            return;
        };
        let like = self.tree.name(name).to_owned();
        if like.chars().all(is_plain) && !like.is_empty() {
            return;
        }
        let Some(all) = self.tree.object(Id::ROOT, DEFS) else {
            return;
        };
        let name = self.free_name(&like);
        self.tree.rename(all, id, name);
        self.definitions.insert(id, name);
        self.note(id, None, why);
    }

    /// Makes a subschema a definition at the root: one that was written as a
    /// definition moves, of any other a copy is made.
    pub(super) fn hoist(&mut self, id: Id) {
        let key = self.tree.key(id);
        let like = if key == Name::NONE {
            String::new()
        } else {
            self.tree.name(key).to_owned()
        };
        let map = self.tree.holder(id).filter(|_| self.is_definition(id));
        if map.is_some_and(|map| self.rename_definitions(map)) {
            return;
        }
        let definition = match map {
            Some(map) => {
                let taken = self.take(map, id);
                self.remove_if_empty(map);
                taken
            }
            None => {
                let copy = self.copy_or_empty(id);
                self.definitions.copies.insert(id, copy);
                copy
            }
        };
        self.become_schema(definition);
        self.define(definition, &like);
        self.note(id, None, MOVED);
    }

    /// Makes a schema a definition at the root.
    pub(super) fn define(&mut self, definition: Id, like: &str) {
        let name = self.free_name(like);
        let all = self.tree.object(Id::ROOT, DEFS).unwrap_or_else(|| {
            let all = self.tree.make_object(Id::ROOT);
            self.tree.set(Id::ROOT, DEFS, all);
            all
        });
        self.tree.append(all, name, definition);
        self.definitions.insert(definition, name);
        self.definitions.hoisted.push(definition);
    }

    /// If there are no `$defs` yet, the root's `definitions` become them.
    fn rename_definitions(&mut self, map: Id) -> bool {
        let is_first =
            !self.tree.has(Id::ROOT, DEFS) && self.tree.object(Id::ROOT, DEFINITIONS) == Some(map);
        if is_first {
            self.note(Id::ROOT, DEFINITIONS, MOVED);
            self.tree.rename(Id::ROOT, map, DEFS);
            self.name_definitions();
            self.definition_values(Id::ROOT);
            self.definitions.hoisted.extend(self.tree.members(map));
        }
        is_first
    }

    /// Makes an object of a schema that may be a boolean.
    pub(super) fn become_schema(&mut self, id: Id) {
        match self.tree.kind(id) {
            Kind::Object => {}
            Kind::False => self.become_nothing(id),
            _ => self.tree.become_object(id),
        }
    }

    /// Removes a map of definitions that is left without any.
    pub(super) fn remove_if_empty(&mut self, map: Id) {
        let holder = self.tree.holder(map);
        let Some(holder) = holder.filter(|_| !self.tree.has_members(map)) else {
            return;
        };
        if self.tree.get(holder, self.tree.key(map)) == Some(map) {
            self.tree.remove(holder, map);
        }
    }
}
