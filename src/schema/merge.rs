//! The alternatives of a root in one object.
//!
//! The properties are those of all alternatives: one that differs may have any of
//! its forms, and one that some alternative doesn't declare, and doesn't exclude,
//! may be anything there. Required is what all require.

use std::collections::HashSet;

use super::{
    keyword::{ADDITIONAL_PROPERTIES, ANY_OF, Name, PATTERN_PROPERTIES, PROPERTIES, REQUIRED},
    numbers::Map,
    repair::{Repair, Stop},
    root::{Alternative, MAX_FORMS},
    tree::{Id, quoted},
};
use crate::json::Kind;

/// A property of a merged object.
struct Property {
    name: Name,
    /// What it is where it is declared, each once.
    forms: Vec<Id>,
    /// How many alternatives declare it, and how many of these are open.
    declared: usize,
    declared_open: usize,
    /// The last alternative that declares it.
    last: usize,
}

impl Repair<'_> {
    pub(super) fn merge(&mut self, alternatives: &[Alternative]) -> Result<(), Stop> {
        let is_only = alternatives.len() == 1;
        let own = self.tree.object(Id::ROOT, PROPERTIES);
        let own: Map<Name, Id> = own
            .into_iter()
            .flat_map(|own| self.tree.members(own))
            .map(|member| (self.tree.key(member), member))
            .collect();
        let mut open = 0;
        let mut properties: Vec<Property> = Vec::new();
        let mut places: Map<Name, usize> = Map::default();
        for (index, alternative) in alternatives.iter().enumerate() {
            self.check()?;
            let is_open = !alternative.iter().any(|part| self.closes(*part, is_only));
            open += usize::from(is_open);
            // What is further in is mostly the closer one.
            for &part in alternative.iter().skip(1).rev() {
                let map = self.tree.object(part, PROPERTIES).into_iter();
                for member in map.flat_map(|map| self.tree.members(map)) {
                    let name = self.tree.key(member);
                    let place = *places.entry(name).or_insert_with(|| {
                        properties.push(Property {
                            name,
                            forms: Vec::new(),
                            declared: 0,
                            declared_open: 0,
                            last: usize::MAX,
                        });
                        properties.len() - 1
                    });
                    let property = &mut properties[place];
                    if property.last == index {
                        continue;
                    }
                    property.last = index;
                    property.declared += 1;
                    property.declared_open += usize::from(is_open);
                    if property.forms.last() != Some(&member) {
                        property.forms.push(member);
                    }
                }
            }
        }
        let required = self.required_by_all(alternatives);
        let mut merged = Vec::new();
        for property in properties {
            self.check()?;
            let own = own.get(&property.name);
            let is_elsewhere = own.is_none() && property.declared_open < open;
            let own = own.filter(|_| property.declared < alternatives.len());
            let mut forms: Vec<Id> = own.into_iter().copied().collect();
            forms.extend(property.forms);
            if is_elsewhere {
                let anything = self.tree.make_object(forms[0]);
                forms.push(anything);
            }
            merged.push((property.name, self.one_of_forms(&forms)));
        }
        self.set_merged(merged, required);
        if open == 0 && !self.closes(Id::ROOT, true) {
            let no = self.tree.make_raw(Id::ROOT, "false");
            self.tree.set(Id::ROOT, ADDITIONAL_PROPERTIES, no);
        }
        if is_only {
            for &part in alternatives[0].iter().skip(1) {
                self.take_over(part);
            }
        }
        Ok(())
    }

    /// Whether a schema admits no properties but its own. Where there are others,
    /// patterns are not kept, and so nothing is closed by them.
    fn closes(&self, part: Id, is_only: bool) -> bool {
        let additional = self.tree.get(part, ADDITIONAL_PROPERTIES);
        let patterns = self.tree.has(part, PATTERN_PROPERTIES);
        let keeps = part == Id::ROOT
            || is_only && !self.tree.has(Id::ROOT, PATTERN_PROPERTIES)
            || !patterns;
        keeps && additional.is_some_and(|value| self.tree.kind(value) == Kind::False)
    }

    /// The names that all alternatives require, in the order of the first.
    fn required_by_all(&self, alternatives: &[Alternative]) -> Vec<String> {
        let mut alternatives = alternatives.iter();
        let Some(first) = alternatives.next() else {
            return Vec::new();
        };
        let mut names = self.required_by(first);
        for alternative in alternatives {
            if names.is_empty() {
                break;
            }
            let others: HashSet<String> = self.required_by(alternative).into_iter().collect();
            names.retain(|name| others.contains(name));
        }
        names
    }

    fn required_by(&self, alternative: &[Id]) -> Vec<String> {
        let mut names = Vec::new();
        let mut known = HashSet::new();
        for &part in alternative {
            let required = self.tree.get(part, REQUIRED).into_iter();
            let elements = required.flat_map(|required| self.tree.elements(required));
            for name in elements.filter_map(|name| self.tree.string(name)) {
                if known.insert(name.to_string()) {
                    names.push(name.into_owned());
                }
            }
        }
        names
    }

    /// What admits whatever one of several forms admits.
    fn one_of_forms(&mut self, forms: &[Id]) -> Id {
        let cause = forms[0];
        let mut known = HashSet::new();
        let mut different = Vec::new();
        for &form in forms {
            if known.insert(self.tree.write(form)) {
                different.push(form);
            }
        }
        if different.len() > MAX_FORMS {
            return self.tree.make_object(cause);
        }
        let copies: Vec<Id> = different
            .into_iter()
            .map(|form| self.copy_or_empty(form))
            .collect();
        if let [only] = copies[..] {
            return only;
        }
        let choice = self.tree.make_array(cause, copies);
        let schema = self.tree.make_object(cause);
        self.tree.append(schema, ANY_OF, choice);
        schema
    }

    fn set_merged(&mut self, merged: Vec<(Name, Id)>, required: Vec<String>) {
        if !merged.is_empty() {
            let properties = self.tree.object(Id::ROOT, PROPERTIES).unwrap_or_else(|| {
                let properties = self.tree.make_object(Id::ROOT);
                self.tree.set(Id::ROOT, PROPERTIES, properties);
                properties
            });
            let members = self.tree.members(properties);
            let own: Map<Name, Id> = members.map(|id| (self.tree.key(id), id)).collect();
            for (name, value) in merged {
                match own.get(&name) {
                    Some(old) => {
                        self.tree.replace(properties, *old, name, value);
                    }
                    None => self.tree.append(properties, name, value),
                }
            }
        }
        if required == self.required_by(&[Id::ROOT]) {
            return;
        }
        let names = required
            .iter()
            .map(|name| self.tree.make_raw(Id::ROOT, &quoted(name)));
        let names: Vec<Id> = names.collect();
        let names = self.tree.make_array(Id::ROOT, names);
        self.tree.set(Id::ROOT, REQUIRED, names);
    }
}
