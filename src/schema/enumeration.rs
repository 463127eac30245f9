//! `enum`: values of one type, which is named (validator).

use super::{
    keyword::{ANY_OF, ENUM, REF, TYPE},
    repair::Repair,
    tree::Id,
    types::Types,
};

/// The most values of one `enum` (validator).
const MAX_VALUES: usize = 1_000;

const NO_TYPE: &str = "enum needs the type of its values";
const OTHER_TYPE: &str = "a value of enum has none of the types";
const MIXED: &str = "the values of enum have several types";
const IN_BRANCHES: &str = "beside anyOf the enum belongs in the branches";
const EMPTY: &str = "enum can't be empty";
const TOO_MANY: &str = "enum has at most 1000 values";
const BESIDE_REFERENCE: &str = "enum has no type beside a reference";
const SAME_TYPE: &str = "a type is named once";
const NULL_FIRST: &str = "null is looked for before numbers";

/// A value of an `enum` and its type.
type Valued = (Id, Types);

impl Repair<'_> {
    /// Gives an `enum` the type of its values.
    pub(super) fn enumeration(&mut self, id: Id) {
        let Some(values) = self.tree.get(id, ENUM) else {
            return;
        };
        let typed = |value| {
            let (kind, raw) = (self.tree.kind(value), self.tree.raw(value));
            (value, Types::of(kind, raw))
        };
        let count = self.tree.elements(values).count();
        if count == 0 {
            self.drop(id, ENUM, EMPTY);
            return;
        }
        if count > MAX_VALUES {
            let all = in_order(self.tree.elements(values).map(typed));
            self.drop(id, ENUM, TOO_MANY);
            let is_free = [TYPE, ANY_OF, REF]
                .iter()
                .all(|beside| !self.tree.has(id, *beside));
            if all.len() == 1 && is_free {
                self.set_types(id, &all);
            }
            return;
        }
        let values: Vec<Valued> = self.tree.elements(values).map(typed).collect();
        if self.tree.has(id, REF) {
            self.conjoin(id, &[ENUM]);
            self.note(id, ENUM, BESIDE_REFERENCE);
            return;
        }
        if self.tree.has(id, ANY_OF) {
            self.spread_values(id, &values);
            return;
        }
        let named = self.types_in_order(id);
        if self.is_fine(id, &named, &values) {
            return;
        }
        let values = admitted(&named, values);
        let mut types = in_order(values.iter().copied());
        if named.contains(&Types::NUMBER) {
            for one in types.iter_mut().filter(|one| **one == Types::INTEGER) {
                *one = Types::NUMBER;
            }
            types.dedup();
        }
        match types[..] {
            [one] => self.set_values(id, &values, &named, &[one]),
            [Types::NULL, one] | [one, Types::NULL] if !is_composite(one) => {
                let types = if is_numeric(one) {
                    [Types::NULL, one]
                } else {
                    [types[0], types[1]]
                };
                self.set_values(id, &values, &named, &types);
            }
            _ => self.split(id, &types, &values),
        }
    }

    /// Whether Moonshot takes these values with these types. It goes through the
    /// types in their order, and refuses null where it comes to a number first
    /// (validator).
    fn is_fine(&self, id: Id, named: &[Types], values: &[Valued]) -> bool {
        let value = self.tree.get(id, TYPE);
        let count = value.map_or(0, |value| self.tree.elements(value).count());
        let any_null = values.iter().any(|(_, one)| *one == Types::NULL);
        let is_allowed = match *named {
            [_] => count <= 1,
            [Types::NULL, one] => count == 2 && !is_composite(one),
            [one, Types::NULL] => {
                count == 2 && !is_composite(one) && !(any_null && is_numeric(one))
            }
            _ => false,
        };
        let all = named.iter().copied().fold(Types::NONE, Types::or);
        is_allowed && values.iter().all(|(_, one)| all.admit(*one))
    }

    fn set_values(&mut self, id: Id, values: &[Valued], named: &[Types], types: &[Types]) {
        let Some(all) = self.tree.get(id, ENUM) else {
            return;
        };
        let before: Vec<Id> = self.tree.elements(all).collect();
        let loses = values.len() < before.len();
        if loses {
            let mut stays = values.iter().map(|(value, _)| *value).peekable();
            for value in before {
                if stays.next_if_eq(&value).is_none() {
                    self.tree.remove(all, value);
                }
            }
        }
        let value = self.tree.get(id, TYPE);
        let is_twice =
            value.is_some_and(|value| self.tree.elements(value).nth(types.len()).is_some());
        if types != named || is_twice {
            self.set_types(id, types);
        }
        if named.is_empty() {
            self.note(id, ENUM, NO_TYPE);
        } else if types == named && is_twice && !loses {
            self.note(id, TYPE, SAME_TYPE);
        } else if loses || named.iter().any(|one| !types.contains(one)) || types.len() > named.len()
        {
            self.note_altered(id, ENUM, OTHER_TYPE);
        } else {
            self.note(id, ENUM, NULL_FIRST);
        }
    }

    /// Values of several types become a choice, one branch for each type.
    fn split(&mut self, id: Id, types: &[Types], values: &[Valued]) {
        let Some(all) = self.tree.get(id, ENUM) else {
            return;
        };
        let mut branches = Vec::new();
        for &one in types {
            let branch = self.tree.make_object(id);
            let name = self.tree.make_raw(id, one.quoted());
            self.tree.append(branch, TYPE, name);
            if one != Types::NULL {
                let of_type = values.iter().filter(|(_, of)| one.admit(*of));
                let of_type: Vec<Id> = of_type.map(|(value, _)| *value).collect();
                let of_type: Vec<Id> = of_type
                    .into_iter()
                    .map(|value| self.tree.take(all, value))
                    .collect();
                let of_type = self.tree.make_array(id, of_type);
                self.tree.append(branch, ENUM, of_type);
            }
            branches.push(branch);
        }
        let choice = self.tree.make_array(id, branches);
        self.tree.remove_member(id, TYPE);
        self.tree.put(id, ENUM, ANY_OF, choice);
        self.note(id, ENUM, MIXED);
    }

    /// Gives each branch the values of its type. If a branch is not that simple, the
    /// values go into `allOf`.
    fn spread_values(&mut self, id: Id, values: &[Valued]) {
        let branches: Vec<Id> = self.tree.branches(id).collect();
        let mut split = Vec::new();
        let mut excluded = Vec::new();
        for branch in branches {
            let types = self.types(branch).filter(|types| types.count() == 1);
            let is_simple = [ENUM, ANY_OF, REF]
                .iter()
                .all(|beside| !self.tree.has(branch, *beside));
            let Some(types) = types.filter(|_| is_simple) else {
                self.conjoin(id, &[ENUM]);
                self.note(id, ENUM, IN_BRANCHES);
                return;
            };
            let of_type = values.iter().filter(|(_, of)| types.admit(*of));
            let of_type: Vec<Id> = of_type.map(|(value, _)| *value).collect();
            if of_type.is_empty() {
                excluded.push(branch);
            } else {
                split.push((branch, of_type));
            }
        }
        if split.is_empty() {
            self.drop(id, ENUM, IN_BRANCHES);
            return;
        }
        for (branch, values) in split {
            let copies: Option<Vec<Id>> =
                values.into_iter().map(|value| self.copy(value)).collect();
            let Some(copies) = copies else {
                self.alter(branch);
                continue;
            };
            let values = self.tree.make_array(branch, copies);
            self.tree.set(branch, ENUM, values);
            self.narrowed.insert(branch);
        }
        if let Some(choice) = self.tree.get(id, ANY_OF) {
            for branch in excluded {
                self.tree.remove(choice, branch);
            }
        }
        self.tree.remove_member(id, ENUM);
        self.note(id, ENUM, IN_BRANCHES);
    }
}

const fn is_composite(one: Types) -> bool {
    one.names(Types::ARRAY) || one.names(Types::OBJECT)
}

const fn is_numeric(one: Types) -> bool {
    one.names(Types::NUMBER) || one.names(Types::INTEGER)
}

/// The types of values, in the order in which they occur. Integers and other
/// numbers are one type, if there are both.
fn in_order(values: impl Iterator<Item = Valued>) -> Vec<Types> {
    let mut types = Vec::new();
    for (_, one) in values {
        if !types.contains(&one) {
            types.push(one);
        }
    }
    if types.contains(&Types::NUMBER) {
        if let Some(integer) = types.iter().position(|one| *one == Types::INTEGER) {
            // Whichever comes first stands for both.
            let number = types.iter().position(|one| *one == Types::NUMBER);
            let first = number.map_or(integer, |number| number.min(integer));
            types.retain(|one| *one != Types::NUMBER && *one != Types::INTEGER);
            types.insert(first, Types::NUMBER);
        }
    }
    types
}

/// The values that a schema with these types admits, and null, which somebody meant
/// who put it among values of one type (judgement). If there is none, the types were
/// a mistake.
fn admitted(named: &[Types], values: Vec<Valued>) -> Vec<Valued> {
    let Some(all) = named.iter().copied().reduce(Types::or) else {
        return values;
    };
    let meant = match *named {
        [one] if !is_composite(one) => one.or(Types::NULL),
        _ => all,
    };
    if !values.iter().any(|(_, one)| all.admit(*one)) {
        return values;
    }
    values
        .into_iter()
        .filter(|(_, one)| meant.admit(*one))
        .collect()
}
