//! Keywords whose value has the wrong form.

use std::collections::HashSet;

use super::{
    Use,
    repair::Repair,
    tree::{Id, Json},
    types::Types,
    vocabulary::RESERVED,
};
use crate::json::Kind;

/// The most branches of one `anyOf`.
const MAX_BRANCHES: usize = 500;

const TYPE_NAME: &str = "Moonshot knows no such type";
const LOWER_CASE: &str = "names of types are lower-case";
const NOT_A_STRING: &str = "must be a string";
const NOT_A_SCHEMA: &str = "a subschema must be an object";
const BOOLEAN_OR_OBJECT: &str = "must be a boolean or an object";
const NOT_AN_OBJECT: &str = "must be an object";
const NOT_AN_ARRAY: &str = "must be an array of strings";
const NEVER: &str = "a property that is never admitted is left out";
const TUPLE: &str = "the items of an array have one schema";
const NO_MORE_ITEMS: &str = "items that are never admitted are a length";
const RESERVED_NAME: &str = "no property may have the name of this keyword";
const BRANCHES: &str = "anyOf must have 1 to 500 branches";
const ENUM: &str = "must be an array";
const DIALECT: &str = "the name of the dialect spoils answers";

impl Repair<'_> {
    /// Gives every subschema that Moonshot reads values of the right form.
    pub(super) fn forms(&mut self) {
        let mut seen = Vec::new();
        let mut rest = vec![Id::ROOT];
        while let Some(id) = rest.pop() {
            // There may be more of them now.
            seen.resize(self.tree.ids().len(), false);
            if std::mem::replace(&mut seen[id.index()], true) {
                continue;
            }
            self.form(id);
            self.tree.each_part(id, |_, part| rest.push(part));
            rest.append(&mut self.definitions.hoisted);
        }
        self.spell_references();
    }

    fn form(&mut self, id: Id) {
        if self.usage == Use::Format && self.tree.remove(id, "$schema").is_some() {
            self.note(id, "$schema", DIALECT);
        }
        self.definitions(id);
        self.reference(id);
        self.type_form(id);
        for (keyword, null) in [("description", false), ("pattern", true), ("$id", true)] {
            let wrong =
                self.tree
                    .get(id, keyword)
                    .is_some_and(|value| !match self.tree.kind(value) {
                        Kind::String => true,
                        Kind::Null => null,
                        _ => false,
                    });
            if wrong {
                self.tree.remove(id, keyword);
                self.note(id, keyword, NOT_A_STRING);
            }
        }
        if let Some(additional) = self.tree.get(id, "additionalProperties") {
            let kind = self.tree.kind(additional);
            if !matches!(kind, Kind::True | Kind::False | Kind::Object) {
                self.drop(id, "additionalProperties", BOOLEAN_OR_OBJECT);
            }
        }
        self.items_form(id);
        self.properties_form(id);
        self.required_form(id);
        self.branches_form(id);
        if let Some(values) = self.tree.get(id, "enum") {
            if self.tree.kind(values) != Kind::Array {
                self.drop(id, "enum", ENUM);
            }
        }
    }

    fn type_form(&mut self, id: Id) {
        let Some(value) = self.tree.get(id, "type") else {
            return;
        };
        let names = match self.tree.kind(value) {
            Kind::String => vec![value],
            Kind::Array => self.tree.elements(value).to_vec(),
            _ => vec![],
        };
        let mut other_case = Vec::new();
        let mut known = !names.is_empty();
        for name in names {
            let text = self.tree.string(name).unwrap_or_default();
            if Types::named(&text).is_none() {
                match Types::named(&text.to_ascii_lowercase()) {
                    Some(one) => other_case.push((name, one)),
                    None => known = false,
                }
            }
        }
        if !known {
            self.drop(id, "type", TYPE_NAME);
        } else if !other_case.is_empty() {
            for (name, one) in other_case {
                self.tree
                    .become_json(name, Json::Scalar(one.quoted().into()));
            }
            self.note(id, "type", LOWER_CASE);
        }
    }

    fn items_form(&mut self, id: Id) {
        let Some(items) = self.tree.get(id, "items") else {
            return;
        };
        match self.tree.kind(items) {
            Kind::Object => {}
            Kind::True => {
                self.tree.become_json(items, Json::Object(Vec::new()));
                self.note(id, "items", NOT_A_SCHEMA);
            }
            Kind::False => {
                let first = self.tree.get(id, "prefixItems");
                let count = first.map_or(0, |first| self.tree.elements(first).len());
                self.tree.remove(id, "items");
                self.bound_items(id, count);
                self.note(id, "items", NO_MORE_ITEMS);
            }
            Kind::Array => self.tuple(id, items),
            _ => self.drop(id, "items", NOT_A_SCHEMA),
        }
    }

    /// An array of `items`, as earlier drafts had it, gives the schema of each
    /// item by its place. It becomes the choice of them all; what may follow them
    /// is one more.
    fn tuple(&mut self, id: Id, items: Id) {
        let mut forms = self.tree.elements(items).to_vec();
        let count = forms.len();
        let longest = self.tree.get(id, "maxItems");
        let bounded = longest
            .and_then(|longest| self.tree.raw(longest).parse::<f64>().ok())
            .is_some_and(|longest| longest <= count as f64);
        let rest = self.tree.remove(id, "additionalItems");
        match rest.map(|rest| self.tree.kind(rest)) {
            Some(Kind::False) => self.bound_items(id, count),
            _ if bounded => {}
            Some(Kind::Object) => forms.extend(rest),
            _ => {
                let anything = self.tree.make_empty(items);
                forms.push(anything);
            }
        }
        forms.retain(|form| self.tree.kind(*form) != Kind::False);
        if forms.len() == 1 && count == 0 || forms.is_empty() || forms.len() > MAX_BRANCHES {
            self.drop(id, "items", TUPLE);
            return;
        }
        let choice = self.tree.make(items, Json::Array(forms));
        self.tree
            .become_json(items, Json::Object(vec![("anyOf".into(), choice)]));
        self.note_altered(id, "items", TUPLE);
    }

    /// Admits this many items at most.
    fn bound_items(&mut self, id: Id, count: usize) {
        let longest = self.tree.get(id, "maxItems");
        let bounded = longest
            .and_then(|longest| self.tree.raw(longest).parse::<f64>().ok())
            .is_some_and(|longest| longest <= count as f64);
        if !bounded {
            let count = self.tree.make_raw(id, count.to_string());
            self.tree.set(id, "maxItems", count);
        }
    }

    fn properties_form(&mut self, id: Id) {
        let Some(properties) = self.tree.get(id, "properties") else {
            return;
        };
        if !self.tree.is_object(properties) {
            self.drop(id, "properties", NOT_AN_OBJECT);
            return;
        }
        let mut gone = HashSet::new();
        let mut reserved = false;
        let mut anything = Vec::new();
        for (key, value) in self.tree.members(properties) {
            if RESERVED.contains(&&*key.name) {
                reserved = true;
                gone.insert(key.name.to_string());
                continue;
            }
            match self.tree.kind(*value) {
                Kind::Object => {}
                Kind::False => {
                    gone.insert(key.name.to_string());
                }
                kind => anything.push((*value, kind)),
            }
        }
        for (value, kind) in anything {
            self.tree.become_json(value, Json::Object(Vec::new()));
            if kind == Kind::True {
                self.note(value, "", NOT_A_SCHEMA);
            } else {
                self.note_altered(value, "", NOT_A_SCHEMA);
            }
        }
        if !gone.is_empty() {
            let why = if reserved { RESERVED_NAME } else { NEVER };
            self.forget_properties(id, why, |name| gone.contains(name));
            if reserved {
                self.admit_more(id);
            }
        }
    }

    /// Leaves out the properties that `is_gone` names, and what requires them.
    pub(super) fn forget_properties(
        &mut self,
        id: Id,
        why: &'static str,
        is_gone: impl Fn(&str) -> bool,
    ) {
        if let Some(properties) = self.tree.get(id, "properties") {
            for (key, value) in self.tree.members(properties).to_vec() {
                if is_gone(&key.name) {
                    self.note(value, "", why);
                }
            }
            self.tree.change_members(properties, |members| {
                members.retain(|(key, _)| !is_gone(&key.name));
            });
        }
        self.tree.set_altered(id);
        self.forget_required(id, is_gone);
    }

    fn forget_required(&mut self, id: Id, is_gone: impl Fn(&str) -> bool) {
        let Some(required) = self.tree.get(id, "required") else {
            return;
        };
        let names = self.tree.elements(required);
        let is_gone = |name: &Id| self.tree.string(*name).is_some_and(|name| is_gone(&name));
        let stays: Vec<Id> = names
            .iter()
            .copied()
            .filter(|name| !is_gone(name))
            .collect();
        if stays.len() < names.len() {
            self.tree.change_elements(required, |names| *names = stays);
        }
    }

    /// Lets an object have properties that are not told, because some that it may
    /// have can't be.
    pub(super) fn admit_more(&mut self, id: Id) {
        if let Some(additional) = self.tree.get(id, "additionalProperties") {
            if self.tree.kind(additional) != Kind::True {
                self.tree.remove(id, "additionalProperties");
            }
        }
        self.tree.set_altered(id);
    }

    fn required_form(&mut self, id: Id) {
        let Some(required) = self.tree.get(id, "required") else {
            return;
        };
        if self.tree.kind(required) != Kind::Array {
            self.drop(id, "required", NOT_AN_ARRAY);
            return;
        }
        let names = self.tree.elements(required);
        let strings: Vec<Id> = names
            .iter()
            .copied()
            .filter(|name| self.tree.kind(*name) == Kind::String)
            .collect();
        if strings.len() < names.len() {
            self.tree
                .change_elements(required, |names| *names = strings);
            self.note_altered(id, "required", NOT_AN_ARRAY);
        }
        if self
            .tree
            .required(id)
            .iter()
            .any(|name| RESERVED.contains(&name))
        {
            self.forget_required(id, |name| RESERVED.contains(&name));
            self.note_altered(id, "required", RESERVED_NAME);
        }
    }

    fn branches_form(&mut self, id: Id) {
        let Some(choice) = self.tree.get(id, "anyOf") else {
            return;
        };
        let branches = self.tree.elements(choice).to_vec();
        let kinds: Vec<Kind> = branches.iter().map(|id| self.tree.kind(*id)).collect();
        for (&branch, &kind) in branches.iter().zip(&kinds) {
            match kind {
                Kind::Object | Kind::False => {}
                _ => {
                    self.tree.become_json(branch, Json::Object(Vec::new()));
                    self.note_altered(branch, "", NOT_A_SCHEMA);
                }
            }
        }
        if kinds.contains(&Kind::False) && kinds.iter().any(|kind| *kind != Kind::False) {
            self.tree.change_elements(choice, |branches| {
                let mut kinds = kinds.iter();
                branches.retain(|_| kinds.next() != Some(&Kind::False));
            });
            self.note(id, "anyOf", NOT_A_SCHEMA);
        }
        let branches = self.tree.elements(choice);
        let is_open = branches.iter().all(|branch| self.tree.is_object(*branch));
        if !is_open || !(1..=MAX_BRANCHES).contains(&branches.len()) {
            self.drop(id, "anyOf", BRANCHES);
        }
    }
}
