//! What a schema may have at most (validator).

use super::{
    keyword::{
        ADDITIONAL_PROPERTIES, LONG_ANNOTATIONS, Name, PATTERN_PROPERTIES, PROPERTIES, UNEVALUATED,
    },
    numbers::Set,
    read::MAX_BYTES,
    repair::{Repair, Stop},
    tree::Id,
};
use crate::json::Kind;

/// How many objects may be inside each other.
pub(super) const MAX_DEPTH: usize = 30;

/// How many properties all objects of a schema may have together.
const MAX_PROPERTIES: usize = 3_000;

/// How much longer Go may write a text at most: each byte that it escapes, or digits
/// for an exponent.
const STRETCH: usize = 6;

const TOO_DEEP: &str = "at most 30 objects may be inside each other";
const TOO_MANY: &str = "at most 3000 properties are accepted";
const TOO_LONG: &str = "at most 120000 bytes are accepted";
const NOT_EVALUATED: &str = "what is unevaluated is not known any more";
const SLASH: &str = "in a definition no key may have a slash";

impl Repair<'_> {
    pub(super) fn limits(&mut self) -> Result<(), Stop> {
        self.depth();
        self.deep_references()?;
        self.property_count();
        Ok(())
    }

    /// Objects at the greatest depth lose their properties.
    fn depth(&mut self) {
        for part in self.tree.parts() {
            let properties = self.tree.object(part.id, PROPERTIES);
            let any = properties.is_some_and(|map| self.tree.has_members(map));
            if part.depth == MAX_DEPTH && any {
                self.forget_properties(part.id, TOO_DEEP, |_, _| true);
                self.admit_more(part.id);
            }
        }
    }

    /// Leaves the first properties, from the outside in.
    fn property_count(&mut self) {
        if self.tree.count() <= MAX_PROPERTIES {
            return;
        }
        let parts = self.tree.parts();
        let mut room = MAX_PROPERTIES;
        let mut gone = vec![false; parts.len()];
        let mut forgotten: Set<Id> = Set::default();
        for (place, part) in parts.iter().enumerate() {
            gone[place] = gone[part.holder] || forgotten.contains(&part.id);
            let Some(properties) = self.tree.object(part.id, PROPERTIES) else {
                continue;
            };
            if gone[place] {
                continue;
            }
            let members: Vec<Id> = self.tree.members(properties).collect();
            if members.len() <= room {
                room -= members.len();
                continue;
            }
            let names: Set<Name> = members[room..]
                .iter()
                .map(|id| self.tree.key(*id))
                .collect();
            forgotten.extend(&members[room..]);
            self.forget_properties(part.id, TOO_MANY, |_, name| names.contains(&name));
            self.admit_more(part.id);
            room = 0;
        }
    }

    /// Where something may be anything now, what is left over is not known.
    pub(super) fn evaluations(&mut self) {
        if !self.any_unevaluated || !self.is_altered {
            return;
        }
        for part in self.tree.parts() {
            for keyword in UNEVALUATED {
                let value = self.tree.get(part.id, keyword);
                if value.is_some_and(|value| self.tree.kind(value) != Kind::True) {
                    self.drop(part.id, keyword, NOT_EVALUATED);
                }
            }
        }
    }

    /// Takes annotations out of a schema that is too long, the least useful ones
    /// first. It is hopeless if it is too long without them.
    pub(super) fn length(&mut self) -> Result<(), Stop> {
        if self.tree.written_at_most() <= MAX_BYTES / STRETCH {
            return Ok(());
        }
        let mut length = self.tree.compact_length(Id::ROOT);
        if length <= MAX_BYTES {
            return Ok(());
        }
        let parts = self.tree.parts();
        for keyword in LONG_ANNOTATIONS {
            for part in parts.iter().rev() {
                let Some(value) = self.tree.remove_member(part.id, keyword) else {
                    continue;
                };
                self.note(part.id, keyword, TOO_LONG);
                length -= self.tree.compact_length(value);
                if length <= MAX_BYTES {
                    return Ok(());
                }
            }
        }
        Err(Stop::Hopeless)
    }

    /// Takes keys with a slash out of definitions. References to those that could
    /// be written out were.
    pub(super) fn slashes(&mut self) {
        let slashes = self.tree.any_name(|name| name.contains('/'));
        if !slashes {
            return;
        }
        let parts = self.tree.parts();
        let named: Set<Id> = parts
            .iter()
            .filter_map(|part| self.referenced(part.id))
            .collect();
        let has_slash = self.holders_of_slashes();
        for part in parts.iter().filter(|part| part.definition.is_none()) {
            let Some(all) = self.tree.object(part.id, super::keyword::DEFS) else {
                continue;
            };
            let definitions: Vec<Id> = self.tree.members(all).collect();
            for definition in definitions {
                if !has_slash.contains(&definition) {
                    continue;
                }
                if named.contains(&definition) {
                    self.take_out_slashes(definition, &has_slash);
                } else {
                    self.tree.remove(all, definition);
                    self.definitions.forget(definition);
                    self.note(definition, None, SLASH);
                }
            }
            if !self.tree.has_members(all) {
                self.tree.remove(part.id, all);
            }
        }
    }

    /// Everything that a key with a slash is in, as far as the validator sees: it
    /// looks into objects, and into the objects that are elements of a member.
    fn holders_of_slashes(&self) -> Set<Id> {
        let mut found = Set::default();
        for id in self.tree.containers(Id::ROOT).into_iter().rev() {
            let is_held = self.tree.children(id).any(|child| {
                let key = self.tree.key(child);
                let is_slash = key != Name::NONE && self.tree.name(key).contains('/');
                let is_seen = self.tree.is_object(id) || self.tree.is_object(child);
                is_slash || is_seen && found.contains(&child)
            });
            if is_held {
                found.insert(id);
            }
        }
        found
    }

    fn take_out_slashes(&mut self, definition: Id, has_slash: &Set<Id>) {
        let mut rest = vec![definition];
        while let Some(id) = rest.pop() {
            if !has_slash.contains(&id) {
                continue;
            }
            self.tree.each_part(id, |_, part| rest.push(part));
            let has = |repair: &Self, name| repair.tree.name(name).contains('/');
            let properties = self.tree.object(id, PROPERTIES).into_iter();
            let mut members = properties.flat_map(|properties| self.tree.members(properties));
            let any_property = members.any(|member| has(self, self.tree.key(member)));
            if any_property {
                self.forget_properties(id, SLASH, has);
                self.admit_more(id);
            }
            let members: Vec<Id> = self.tree.members(id).collect();
            for member in members {
                let key = self.tree.key(member);
                let is_validated = matches!(
                    key,
                    PROPERTIES
                        | ADDITIONAL_PROPERTIES
                        | super::keyword::ITEMS
                        | super::keyword::ANY_OF
                );
                if is_validated || !(has(self, key) || has_slash.contains(&member)) {
                    continue;
                }
                self.tree.remove(id, member);
                self.note_altered(id, key, SLASH);
                if key == PATTERN_PROPERTIES {
                    self.admit_more(id);
                }
            }
        }
    }
}
