//! `enum`: values of one type, which is named.

use super::{
    repair::Repair,
    tree::{Id, Json},
    types::Types,
};

/// The most values of one `enum`.
const MAX_VALUES: usize = 1_000;

const NO_TYPE: &str = "enum needs the type of its values";
const OTHER_TYPE: &str = "a value of enum has none of the types";
const MIXED: &str = "the values of enum have several types";
const IN_BRANCHES: &str = "beside anyOf the enum stands in the branches";
const EMPTY: &str = "enum can't be empty";
const TOO_MANY: &str = "enum has at most 1000 values";
const BESIDE_REFERENCE: &str = "enum has no type beside a reference";

impl Repair<'_> {
    /// Gives an `enum` the type of its values.
    pub(super) fn enumeration(&mut self, id: Id) {
        let Some(values) = self.tree.get(id, "enum") else {
            return;
        };
        let elements = self.tree.elements(values).to_vec();
        if elements.is_empty() {
            self.drop(id, "enum", EMPTY);
            return;
        }
        let values: Vec<(Id, Types)> = elements
            .into_iter()
            .map(|value| {
                let kind = self.tree.kind(value);
                (value, Types::of(kind, self.tree.raw(value)))
            })
            .collect();
        if values.len() > MAX_VALUES {
            self.drop(id, "enum", TOO_MANY);
            let all = values.iter().map(|(_, one)| *one);
            let all = plain(all.fold(Types::NONE, Types::or));
            let beside = ["type", "anyOf", "$ref"];
            if all.count() == 1 && !beside.iter().any(|keyword| self.tree.has(id, keyword)) {
                self.set_types(id, all);
            }
            return;
        }
        if self.tree.has(id, "$ref") {
            self.conjoin(id, &["enum"]);
            self.note(id, "enum", BESIDE_REFERENCE);
            return;
        }
        if self.tree.has(id, "anyOf") {
            self.spread_values(id, &values);
            return;
        }
        let named = self.types(id);
        if named.is_some_and(|named| self.is_fine(id, named, &values)) {
            return;
        }
        let values = admitted(named, &values);
        let mut types = plain(
            values
                .iter()
                .fold(Types::NONE, |all, (_, one)| all.or(*one)),
        );
        if named.is_some_and(|named| named.names(Types::NUMBER)) && types.names(Types::INTEGER) {
            types = types.without(Types::INTEGER).or(Types::NUMBER);
        }
        let composite = !types.and(Types::ARRAY.or(Types::OBJECT)).is_empty();
        let nullable = types.count() == 2 && types.names(Types::NULL) && !composite;
        if types.count() == 1 || nullable {
            self.set_values(id, &values);
            self.set_types(id, types);
            let why = if named.is_some() { OTHER_TYPE } else { NO_TYPE };
            if named.is_some() {
                self.note_altered(id, "enum", why);
            } else {
                self.note(id, "enum", why);
            }
            return;
        }
        self.split(id, types, &values);
    }

    /// Whether Moonshot takes these values with these types.
    fn is_fine(&self, id: Id, named: Types, values: &[(Id, Types)]) -> bool {
        let value = self.tree.get(id, "type");
        let count = value.map_or(0, |value| self.tree.elements(value).len());
        let composite = named.and(Types::ARRAY.or(Types::OBJECT));
        let nullable = count == 2 && named.names(Types::NULL) && composite.is_empty();
        (count <= 1 || nullable) && values.iter().all(|(_, one)| named.admit(*one))
    }

    fn set_values(&mut self, id: Id, values: &[(Id, Types)]) {
        let Some(all) = self.tree.get(id, "enum") else {
            return;
        };
        if values.len() < self.tree.elements(all).len() {
            let stays = values.iter().map(|(value, _)| *value).collect();
            self.tree.become_json(all, Json::Array(stays));
        }
    }

    /// Values of several types become a choice, one branch for each type.
    fn split(&mut self, id: Id, types: Types, values: &[(Id, Types)]) {
        let mut branches = Vec::new();
        for one in types.each() {
            let of_type: Vec<Id> = values
                .iter()
                .filter(|(_, of)| one.admit(*of))
                .map(|(value, _)| *value)
                .collect();
            let name = self.tree.make_raw(id, one.quoted());
            let mut branch = vec![("type".into(), name)];
            if one != Types::NULL {
                let of_type = self.tree.make(id, Json::Array(of_type));
                branch.push(("enum".into(), of_type));
            }
            branches.push(self.tree.make(id, Json::Object(branch)));
        }
        // "null" is mostly named last.
        if types.names(Types::NULL) {
            branches.rotate_left(1);
        }
        let choice = self.tree.make(id, Json::Array(branches));
        self.tree.remove(id, "type");
        self.tree.put(id, "enum", "anyOf", choice);
        self.note(id, "enum", MIXED);
    }

    /// Gives each branch the values of its type. If a branch is not that simple,
    /// the values go where Moonshot doesn't look.
    fn spread_values(&mut self, id: Id, values: &[(Id, Types)]) {
        let branches = self.tree.branches(id).to_vec();
        let mut split = Vec::new();
        for &branch in &branches {
            let types = self.types(branch).filter(|types| types.count() == 1);
            let simple = !["enum", "anyOf", "$ref"]
                .iter()
                .any(|keyword| self.tree.has(branch, keyword));
            let Some(types) = types.filter(|_| simple) else {
                self.conjoin(id, &["enum"]);
                self.note(id, "enum", IN_BRANCHES);
                return;
            };
            let of_type: Vec<Id> = values
                .iter()
                .filter(|(_, of)| types.admit(*of))
                .map(|(value, _)| *value)
                .collect();
            if !of_type.is_empty() {
                split.push((branch, of_type));
            }
        }
        if split.is_empty() {
            self.drop(id, "enum", IN_BRANCHES);
            return;
        }
        let stays: Vec<Id> = split.iter().map(|(branch, _)| *branch).collect();
        for (branch, values) in split {
            let values = values
                .into_iter()
                .map(|value| self.tree.copy_or_empty(value))
                .collect();
            let values = self.tree.make(branch, Json::Array(values));
            self.tree.set(branch, "enum", values);
        }
        if let Some(choice) = self.tree.get(id, "anyOf") {
            if stays.len() < branches.len() {
                self.tree
                    .change_elements(choice, |branches| *branches = stays);
            }
        }
        self.tree.remove(id, "enum");
        self.note(id, "enum", IN_BRANCHES);
    }
}

/// Integers and other numbers are one type, if there are both.
fn plain(types: Types) -> Types {
    if types.names(Types::NUMBER) {
        types.without(Types::INTEGER)
    } else {
        types
    }
}

/// The values that a schema with these types admits, and null, which somebody
/// meant who put it among values of one type. If there is none, the types were a
/// mistake.
fn admitted(named: Option<Types>, values: &[(Id, Types)]) -> Vec<(Id, Types)> {
    let Some(named) = named else {
        return values.to_vec();
    };
    let composite = named.and(Types::ARRAY.or(Types::OBJECT));
    let meant = if named.count() == 1 && composite.is_empty() {
        named.or(Types::NULL)
    } else {
        named
    };
    let admitted: Vec<_> = values
        .iter()
        .copied()
        .filter(|(_, one)| meant.admit(*one))
        .collect();
    if admitted.iter().any(|(_, one)| named.admit(*one)) {
        admitted
    } else {
        values.to_vec()
    }
}
