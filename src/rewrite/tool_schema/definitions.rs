//! The definitions of a schema: `$defs` at its root, with names that a reference
//! can spell.

use std::collections::{HashMap, HashSet};

use super::{
    repair::Repair,
    tree::{Id, Json, Key, Tree},
};
use crate::json::Kind;

const NOT_AN_OBJECT: &str = "must be an object";
const NOT_A_SCHEMA: &str = "a subschema must be an object";
const NAME: &str = "the name of a definition can't be empty or have a slash";
const MOVED: &str = "definitions stand in $defs at the root";
const SLASH: &str = "in a definition no key may have a slash";

/// The definitions that references can name.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    names: HashMap<Id, String>,
    taken: HashSet<String>,
    /// The last number that was tried behind a name.
    numbers: HashMap<String, usize>,
    /// Those that came to `$defs` and have not been looked at there.
    pub(super) hoisted: Vec<Id>,
    /// Definitions that are copies of subschemas which stand elsewhere.
    copies: HashMap<Id, Id>,
}

impl Definitions {
    /// The definition that stands for a subschema, which may be itself.
    pub(super) fn of(&self, id: Id) -> Id {
        self.copies.get(&id).copied().unwrap_or(id)
    }

    /// What a reference to a subschema calls it.
    pub(super) fn name(&self, id: Id) -> Option<&str> {
        self.names.get(&self.of(id)).map(String::as_str)
    }

    /// A name like this one that is not taken and that a reference can spell.
    pub(super) fn free_name(&mut self, like: &str) -> String {
        let mut plain: String = like
            .chars()
            .map(|letter| if is_plain(letter) { letter } else { '_' })
            .collect();
        if plain.is_empty() {
            plain.push_str("definition");
        }
        let mut name = plain.clone();
        while !self.taken.insert(name.clone()) {
            let number = self.numbers.entry(plain.clone()).or_insert(1);
            *number += 1;
            name = format!("{plain}_{number}");
        }
        name
    }
}

/// Whether a letter stands for itself in a reference.
fn is_plain(letter: char) -> bool {
    matches!(letter, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' | '.')
}

impl<'a> Repair<'a> {
    /// Gives the `$defs` of a schema the right form.
    pub(super) fn definitions(&mut self, id: Id) {
        let Some(all) = self.tree.get(id, "$defs") else {
            return;
        };
        if !self.tree.is_object(all) {
            self.drop(id, "$defs", NOT_AN_OBJECT);
            return;
        }
        let is_root = id == Id::ROOT;
        let members = self.tree.members(all).to_vec();
        if is_root {
            let names = members.iter().map(|(key, _)| key.name.to_string());
            self.definitions.taken = names.collect();
        }
        let mut renamed = HashMap::new();
        for (index, (key, definition)) in members.into_iter().enumerate() {
            match self.tree.kind(definition) {
                Kind::Object => {}
                Kind::True => {
                    self.tree.become_json(definition, Json::Object(Vec::new()));
                    self.note(definition, "", NOT_A_SCHEMA);
                }
                Kind::False => {
                    let anything = self.tree.make_empty(definition);
                    let nothing = Json::Object(vec![("not".into(), anything)]);
                    self.tree.become_json(definition, nothing);
                    self.note(definition, "", NOT_A_SCHEMA);
                }
                _ => {
                    self.tree.become_json(definition, Json::Object(Vec::new()));
                    self.note_altered(definition, "", NOT_A_SCHEMA);
                }
            }
            let mut name = key.name.into_owned();
            if name.is_empty() || name.contains('/') {
                name = self.definitions.free_name(&name);
                renamed.insert(index, name.clone());
                self.note(definition, "", NAME);
            }
            if is_root {
                self.definitions.names.insert(definition, name);
            }
        }
        if !renamed.is_empty() {
            self.tree.change_members(all, |members| {
                for (index, name) in renamed {
                    members[index].0 = Key::from(name);
                }
            });
        }
    }

    /// Gives a definition a name that a reference can spell, if it has another.
    pub(super) fn make_plain(&mut self, id: Id) {
        let Some(name) = self.definitions.names.get(&id) else {
            return;
        };
        if name.chars().all(is_plain) && !name.is_empty() {
            return;
        }
        let like = name.clone();
        let name = self.definitions.free_name(&like);
        if let Some(all) = self.tree.get(Id::ROOT, "$defs") {
            self.tree.change_members(all, |members| {
                for (key, definition) in members {
                    if *definition == id {
                        *key = Key::from(name.clone());
                    }
                }
            });
        }
        self.note(id, "", NAME);
        self.definitions.names.insert(id, name);
    }

    /// Whether a subschema was written as a definition, wherever that was.
    pub(super) fn is_definition(&self, id: Id) -> bool {
        let map = self.tree.holder(id).map(|(map, _)| map);
        let keyword = map.and_then(|map| self.tree.holder(map));
        keyword.is_some_and(|(_, key)| matches!(&*key.name, "$defs" | "definitions" | "schemas"))
    }

    /// Makes a subschema a definition at the root: one that was written as a
    /// definition moves, of any other a copy is made.
    pub(super) fn hoist(&mut self, id: Id) {
        let holder = self.tree.holder(id);
        let like = holder.as_ref().map_or("", |(_, key)| &key.name).to_owned();
        let moves = self.is_definition(id);
        if moves && self.rename_definitions(id) {
            return;
        }
        let definition = if moves {
            if let Some((map, _)) = holder {
                self.tree.change_members(map, |members| {
                    members.retain(|(_, definition)| *definition != id);
                });
                self.drop_if_empty(map);
            }
            id
        } else {
            self.tree.copy_or_empty(id)
        };
        if definition != id {
            self.definitions.copies.insert(id, definition);
        }
        self.definition_form(definition);
        self.define(definition, &like);
        self.note(id, "", MOVED);
    }

    /// Makes a schema a definition at the root.
    pub(super) fn define(&mut self, definition: Id, like: &str) {
        let name = self.definitions.free_name(like);
        let all = match self.tree.object(Id::ROOT, "$defs") {
            Some(all) => all,
            None => {
                let all = self.tree.make_empty(Id::ROOT);
                self.tree.set(Id::ROOT, "$defs", all);
                all
            }
        };
        self.tree.set_key(all, Key::from(name.clone()), definition);
        self.definitions.names.insert(definition, name);
        self.definitions.hoisted.push(definition);
    }

    /// If there are no `$defs` yet, the root's `definitions` become them.
    fn rename_definitions(&mut self, id: Id) -> bool {
        let definitions = self.tree.object(Id::ROOT, "definitions");
        let holder = self.tree.holder(id).map(|(map, _)| map);
        if definitions.is_none() || definitions != holder || self.tree.has(Id::ROOT, "$defs") {
            return false;
        }
        if let Some(all) = definitions {
            self.tree.put(Id::ROOT, "definitions", "$defs", all);
            self.note(Id::ROOT, "definitions", MOVED);
            self.definitions(Id::ROOT);
            let members = self.tree.members(all).iter();
            let members: Vec<Id> = members.map(|(_, definition)| *definition).collect();
            self.definitions.hoisted.extend(members);
        }
        true
    }

    /// A definition is an object too.
    fn definition_form(&mut self, id: Id) {
        let json = match self.tree.kind(id) {
            Kind::Object => return,
            Kind::False => {
                let anything = self.tree.make_empty(id);
                vec![("not".into(), anything)]
            }
            _ => Vec::new(),
        };
        self.tree.become_json(id, Json::Object(json));
    }

    fn drop_if_empty(&mut self, map: Id) {
        if let Some((holder, key)) = self.tree.holder(map) {
            if self.tree.members(map).is_empty() && self.tree.get(holder, &key.name) == Some(map) {
                self.tree.remove(holder, &key.name);
            }
        }
    }
}

// === keys with a slash ===

impl Repair<'_> {
    /// Takes keys with a slash out of what definitions are left with any.
    /// References to those that could be written out were (see
    /// [`reference`](Self::reference)).
    pub(super) fn slashes(&mut self) {
        if !any_slash(&self.tree) {
            return;
        }
        let parts = self.tree.survey();
        let named: HashSet<Id> = parts
            .iter()
            .filter(|part| self.tree.has(part.id, "$ref"))
            .filter_map(|part| self.referenced(part.id))
            .collect();
        for part in parts.iter().filter(|part| part.definition.is_none()) {
            let Some(all) = self.tree.object(part.id, "$defs") else {
                continue;
            };
            for (_, definition) in self.tree.members(all).to_vec() {
                if !has_slash(&self.tree, definition) {
                    continue;
                }
                if named.contains(&definition) {
                    self.take_out_slashes(definition);
                } else {
                    self.tree.change_members(all, |members| {
                        members.retain(|(_, id)| *id != definition);
                    });
                    self.note(definition, "", SLASH);
                    self.drop_if_empty(all);
                }
            }
        }
    }

    fn take_out_slashes(&mut self, definition: Id) {
        let mut rest = vec![definition];
        while let Some(id) = rest.pop() {
            self.tree.each_part(id, |_, part| rest.push(part));
            let properties = self.tree.object(id, "properties");
            let names = properties.map_or(&[][..], |properties| self.tree.members(properties));
            if names.iter().any(|(key, _)| key.name.contains('/')) {
                self.forget_properties(id, SLASH, |name| name.contains('/'));
                self.admit_more(id);
            }
            for (key, value) in self.tree.members(id).to_vec() {
                let is_read = matches!(
                    &*key.name,
                    "properties" | "items" | "additionalProperties" | "anyOf"
                );
                if is_read || !(key.name.contains('/') || has_slash(&self.tree, value)) {
                    continue;
                }
                self.tree.remove(id, &key.name);
                self.note_altered(value, "", SLASH);
                if key.name == "patternProperties" {
                    self.admit_more(id);
                }
            }
        }
    }
}

/// Whether any key at all has a slash.
pub(super) fn any_slash(tree: &Tree<'_>) -> bool {
    let has_slash = |id| {
        tree.members(id)
            .iter()
            .any(|(key, _)| key.name.contains('/'))
    };
    tree.ids().any(has_slash)
}

/// Whether a key anywhere in a definition has a slash.
pub(super) fn has_slash(tree: &Tree<'_>, definition: Id) -> bool {
    let mut rest = vec![definition];
    while let Some(id) = rest.pop() {
        match tree.json(id) {
            Json::Object(members) => {
                if members.iter().any(|(key, _)| key.name.contains('/')) {
                    return true;
                }
                rest.extend(members.iter().map(|(_, value)| *value));
            }
            Json::Array(elements) => {
                rest.extend(elements.iter().filter(|element| tree.is_object(**element)));
            }
            Json::Scalar(_) => {}
        }
    }
    false
}
