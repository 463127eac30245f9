//! What a schema may have at most.

use std::collections::HashSet;

use super::{
    recursion::MAX_DEPTH,
    repair::Repair,
    tree::{Id, Json, MAX_BYTES},
    write::quoted_string,
};
use crate::json::Kind;

/// How many properties all objects of a schema may have together.
const MAX_PROPERTIES: usize = 3_000;

const TOO_DEEP: &str = "at most 30 objects may lie inside each other";
const TOO_MANY: &str = "at most 3000 properties are taken";
const TOO_LONG: &str = "at most 120000 bytes are taken";
const UNEVALUATED: &str = "what is unevaluated can't be told any more";

impl Repair<'_> {
    pub(super) fn limits(&mut self) {
        self.depth();
        self.deep_references();
        self.property_count();
    }

    /// Of objects at the greatest depth nothing is told but that they are.
    fn depth(&mut self) {
        for part in self.tree.survey() {
            let properties = self.tree.object(part.id, "properties");
            let any = properties.is_some_and(|map| !self.tree.members(map).is_empty());
            if part.depth == MAX_DEPTH && any {
                self.forget_properties(part.id, TOO_DEEP, |_| true);
                self.admit_more(part.id);
            }
        }
    }

    /// Leaves the first properties, from the outside in.
    fn property_count(&mut self) {
        if self.tree.ids().len() <= MAX_PROPERTIES {
            return;
        }
        let parts = self.tree.survey();
        let mut room = MAX_PROPERTIES;
        let mut gone = vec![false; parts.len()];
        let mut forgotten = HashSet::new();
        for (place, part) in parts.iter().enumerate() {
            gone[place] = gone[part.holder] || forgotten.contains(&part.id);
            let Some(properties) = self.tree.object(part.id, "properties") else {
                continue;
            };
            let members = self.tree.members(properties);
            if gone[place] || members.len() <= room {
                room -= if gone[place] { 0 } else { members.len() };
                continue;
            }
            forgotten.extend(members[room..].iter().map(|(_, value)| *value));
            let names = members[room..].iter().map(|(key, _)| key.name.to_string());
            let names: HashSet<String> = names.collect();
            self.forget_properties(part.id, TOO_MANY, |name| names.contains(name));
            self.admit_more(part.id);
            room = 0;
        }
    }

    /// Where something is not told any more, what is left over is not known.
    pub(super) fn evaluations(&mut self) {
        if !self.unevaluated || !self.tree.ids().any(|id| self.tree.is_altered(id)) {
            return;
        }
        for part in self.tree.survey() {
            for keyword in ["unevaluatedProperties", "unevaluatedItems"] {
                let value = self.tree.get(part.id, keyword);
                if value.is_some_and(|value| self.tree.kind(value) != Kind::True) {
                    self.drop(part.id, keyword, UNEVALUATED);
                }
            }
        }
    }

    /// Takes annotations out of a schema that is too long, the least useful ones
    /// first. None if it is too long without them.
    pub(super) fn length(&mut self) -> Option<()> {
        let at_most = self.tree.length_at_most();
        debug_assert!(self.compact_length(Id::ROOT) <= at_most);
        if at_most <= MAX_BYTES {
            return Some(());
        }
        let mut length = self.compact_length(Id::ROOT);
        if length <= MAX_BYTES {
            return Some(());
        }
        for keyword in ["examples", "$comment", "title", "description"] {
            for part in self.tree.survey().into_iter().rev() {
                let Some(value) = self.tree.remove(part.id, keyword) else {
                    continue;
                };
                self.note(part.id, keyword, TOO_LONG);
                length -= self.compact_length(value);
                if length <= MAX_BYTES {
                    return Some(());
                }
            }
        }
        None
    }

    /// The length of a value in compact JSON, as Moonshot counts it.
    fn compact_length(&self, id: Id) -> usize {
        let mut length = 0;
        for id in self.tree.below(id) {
            length += match self.tree.json(id) {
                Json::Object(members) => {
                    let keys = members
                        .iter()
                        .map(|(key, _)| quoted_string(&key.name).len() + 1);
                    keys.sum::<usize>() + members.len().max(1) + 1
                }
                Json::Array(elements) => elements.len().max(1) + 1,
                Json::Scalar(raw) => match self.tree.string(id) {
                    Some(text) => quoted_string(&text).len(),
                    None => serde_json::from_str::<serde_json::Value>(raw)
                        .map_or(raw.len(), |number| number.to_string().len()),
                },
            };
        }
        length
    }
}
