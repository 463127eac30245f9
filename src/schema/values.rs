//! Keywords whose value has the wrong form (validator, each of them).

use super::{
    Use,
    keyword::{
        ADDITIONAL_PROPERTIES, ANY_OF, DESCRIPTION, ENUM, ID, Name, PATTERN, PROPERTIES, REQUIRED,
        RESERVED, SCHEMA, TYPE,
    },
    numbers::Set,
    repair::{Repair, Stop, is_boolean},
    tree::Id,
    types::Types,
};
use crate::json::Kind;

/// The most branches of one `anyOf` (validator).
pub(super) const MAX_BRANCHES: usize = 500;

const TYPE_NAME: &str = "Moonshot knows no such type";
const LOWER_CASE: &str = "names of types are lower-case";
const NOT_A_STRING: &str = "must be a string";
const NOT_A_SCHEMA: &str = "a subschema must be an object";
const BOOLEAN_OR_OBJECT: &str = "must be a boolean or an object";
const NOT_AN_OBJECT: &str = "must be an object";
const NOT_AN_ARRAY: &str = "must be an array of strings";
const NEVER: &str = "a property that is never admitted is left out";
const RESERVED_NAME: &str = "no property may have the name of this keyword";
const BRANCHES: &str = "anyOf must have 1 to 500 branches";
const ENUM_ARRAY: &str = "must be an array";
const FROM_ROOT: &str = "references start from the root";
const DIALECT: &str = "the name of the dialect spoils answers";

impl Repair<'_> {
    /// Gives every subschema that Moonshot validates values of the right form.
    pub(super) fn values(&mut self) -> Result<(), Stop> {
        let mut seen: Set<Id> = Set::default();
        let mut rest = vec![Id::ROOT];
        while let Some(id) = rest.pop() {
            self.check()?;
            let id = self.now(id);
            if !seen.insert(id) {
                continue;
            }
            self.values_of(id);
            self.tree.each_part(id, |_, part| rest.push(part));
            rest.append(&mut self.definitions.hoisted);
        }
        self.spell_references();
        self.forget_ids();
        Ok(())
    }

    /// Removes the `$id` of schemas within the root once references are spelled from
    /// the root: by an `$id`, they would start from there.
    fn forget_ids(&mut self) {
        if !self.is_changed || self.relative.is_empty() {
            return;
        }
        for part in self.tree.parts() {
            if part.id != Id::ROOT && self.tree.remove_member(part.id, ID).is_some() {
                self.note(part.id, ID, FROM_ROOT);
                self.any_id_gone = true;
            }
        }
    }

    /// Removes the name of the dialect, which spoils the answers of K2.5 when it is
    /// in a `response_format` (live report).
    fn dialect_name(&mut self, id: Id) {
        if self.tree.remove_member(id, SCHEMA).is_some() {
            self.note(id, SCHEMA, DIALECT);
        }
    }

    fn values_of(&mut self, id: Id) {
        if self.usage == Use::Format {
            self.dialect_name(id);
        }
        self.definition_values(id);
        self.reference(id);
        self.type_value(id);
        for (keyword, or_null) in [(DESCRIPTION, false), (PATTERN, true), (ID, true)] {
            let kind = self
                .tree
                .get(id, keyword)
                .map(|value| self.tree.kind(value));
            let is_fine = match kind {
                None | Some(Kind::String) => true,
                Some(Kind::Null) => or_null,
                _ => false,
            };
            if !is_fine {
                self.tree.remove_member(id, keyword);
                self.note(id, keyword, NOT_A_STRING);
            }
        }
        if let Some(additional) = self.tree.get(id, ADDITIONAL_PROPERTIES) {
            let kind = self.tree.kind(additional);
            if kind != Kind::Object && !is_boolean(kind) {
                self.drop(id, ADDITIONAL_PROPERTIES, BOOLEAN_OR_OBJECT);
            }
        }
        self.items_value(id);
        self.properties_value(id);
        self.required_value(id);
        self.branches_value(id);
        if let Some(values) = self.tree.get(id, ENUM) {
            if !self.tree.is_array(values) {
                self.drop(id, ENUM, ENUM_ARRAY);
            }
        }
    }

    fn type_value(&mut self, id: Id) {
        let Some(value) = self.tree.get(id, TYPE) else {
            return;
        };
        let names: Vec<Id> = match self.tree.kind(value) {
            Kind::String => vec![value],
            _ => self.tree.elements(value).collect(),
        };
        let mut other_case = Vec::new();
        let mut are_known = !names.is_empty();
        for name in names {
            let text = self.tree.string(name).unwrap_or_default();
            if Types::named(&text).is_none() {
                match Types::named(&text.to_ascii_lowercase()) {
                    Some(one) => other_case.push((name, one)),
                    None => are_known = false,
                }
            }
        }
        if !are_known {
            self.drop(id, TYPE, TYPE_NAME);
        } else if !other_case.is_empty() {
            for (name, one) in other_case {
                self.tree.become_raw(name, one.quoted());
            }
            self.note(id, TYPE, LOWER_CASE);
        }
    }

    fn properties_value(&mut self, id: Id) {
        let Some(properties) = self.tree.get(id, PROPERTIES) else {
            return;
        };
        if !self.tree.is_object(properties) {
            self.drop(id, PROPERTIES, NOT_AN_OBJECT);
            return;
        }
        let members: Vec<Id> = self.tree.members(properties).collect();
        let mut gone: Set<Name> = Set::default();
        let mut any_reserved = false;
        for property in members {
            let name = self.tree.key(property);
            let kind = self.tree.kind(property);
            let is_reserved = RESERVED.contains(&name);
            if is_reserved || kind == Kind::False {
                any_reserved |= is_reserved;
                gone.insert(name);
                self.tree.remove(properties, property);
                self.note(
                    property,
                    None,
                    if is_reserved { RESERVED_NAME } else { NEVER },
                );
            } else if kind != Kind::Object {
                self.tree.become_object(property);
                self.note(property, None, NOT_A_SCHEMA);
                if kind != Kind::True {
                    self.alter(property);
                }
            }
        }
        if !gone.is_empty() {
            self.alter(id);
            self.forget_required(id, |name| gone.contains(&name));
        }
        if any_reserved {
            self.admit_more(id);
        }
    }

    /// Removes the properties that `is_gone` names, and what requires them.
    pub(super) fn forget_properties(
        &mut self,
        id: Id,
        why: &'static str,
        is_gone: impl Fn(&Self, Name) -> bool,
    ) {
        let Some(properties) = self.tree.object(id, PROPERTIES) else {
            return;
        };
        let members: Vec<Id> = self.tree.members(properties).collect();
        let mut gone: Set<Name> = Set::default();
        for property in members {
            let name = self.tree.key(property);
            if is_gone(self, name) {
                gone.insert(name);
                self.tree.remove(properties, property);
                self.note(property, None, why);
            }
        }
        self.alter(id);
        self.forget_required(id, |name| gone.contains(&name));
    }

    /// Takes names out of what is required. Says whether there were any.
    fn forget_required(&mut self, id: Id, is_gone: impl Fn(Name) -> bool) -> bool {
        let Some(required) = self.tree.get(id, REQUIRED) else {
            return false;
        };
        let names: Vec<Id> = self.tree.elements(required).collect();
        let mut any = false;
        for name in names {
            if self.required_name(name).is_some_and(&is_gone) {
                self.tree.remove(required, name);
                any = true;
            }
        }
        any
    }

    /// The name that an element of `required` names, if any key is called so.
    pub(super) fn required_name(&self, element: Id) -> Option<Name> {
        self.tree.names.find(&self.tree.string(element)?)
    }

    /// Lets an object have properties that are not declared, because some that it
    /// may have can't be.
    pub(super) fn admit_more(&mut self, id: Id) {
        let additional = self.tree.get(id, ADDITIONAL_PROPERTIES);
        if additional.is_some_and(|value| self.tree.kind(value) != Kind::True) {
            self.tree.remove_member(id, ADDITIONAL_PROPERTIES);
        }
        self.alter(id);
    }

    fn required_value(&mut self, id: Id) {
        let Some(required) = self.tree.get(id, REQUIRED) else {
            return;
        };
        if !self.tree.is_array(required) {
            self.drop(id, REQUIRED, NOT_AN_ARRAY);
            return;
        }
        let names: Vec<Id> = self.tree.elements(required).collect();
        let mut any_other = false;
        for name in names {
            if self.tree.kind(name) != Kind::String {
                self.tree.remove(required, name);
                any_other = true;
            }
        }
        if any_other {
            self.note_altered(id, REQUIRED, NOT_AN_ARRAY);
        }
        if self.forget_required(id, |name| RESERVED.contains(&name)) {
            self.note_altered(id, REQUIRED, RESERVED_NAME);
        }
    }

    fn branches_value(&mut self, id: Id) {
        let Some(choice) = self.tree.get(id, ANY_OF) else {
            return;
        };
        let branches: Vec<Id> = self.tree.elements(choice).collect();
        let mut never = Vec::new();
        let mut count = 0;
        for branch in branches {
            match self.tree.kind(branch) {
                Kind::Object => count += 1,
                Kind::False => never.push(branch),
                kind => {
                    count += 1;
                    self.tree.become_object(branch);
                    self.note(branch, None, NOT_A_SCHEMA);
                    if kind != Kind::True {
                        self.alter(branch);
                    }
                }
            }
        }
        if !(1..=MAX_BRANCHES).contains(&count) {
            self.drop(id, ANY_OF, BRANCHES);
        } else if !never.is_empty() {
            for branch in never {
                self.tree.remove(choice, branch);
            }
            self.note(id, ANY_OF, NOT_A_SCHEMA);
        }
    }
}
