//! The root of a tool's parameters: an object, and said so.

use std::collections::{HashMap, HashSet};

use super::{
    repair::Repair,
    tree::{Id, Json, Key},
    types::Types,
    write::quoted_string,
};
use crate::json::Kind;

/// How many alternatives of a root are told apart, and forms of one property.
const MAX_FORMS: usize = 500;

const AN_OBJECT: &str = "the parameters of a tool are an object";
const ONE_OBJECT: &str = "the root of a tool's parameters is one object";

/// A way to be admitted by the root: these schemas all admit, the root itself
/// first.
type Alternative = Vec<Id>;

/// A property of a merged object.
struct Property<'a> {
    key: Key<'a>,
    /// What it is where it is told of.
    forms: Vec<Id>,
    /// How many alternatives tell of it, and how many of these are open.
    told: usize,
    told_open: usize,
}

impl<'a> Repair<'a> {
    /// Makes of the root one object. None if no object can be admitted.
    pub(super) fn tool_root(&mut self) -> Option<()> {
        let alternatives = self.alternatives();
        let is_typed = |part: &Id| self.types(*part) == Some(Types::OBJECT);
        let only_objects = alternatives
            .iter()
            .all(|alternative| alternative.iter().any(is_typed));
        let objects: Vec<Alternative> = alternatives
            .into_iter()
            .filter(|alternative| !alternative.iter().any(|part| self.excludes_objects(*part)))
            .collect();
        if objects.is_empty() {
            return None;
        }
        if !only_objects {
            self.keep_root();
        }
        let choice = ["$ref", "anyOf"]
            .into_iter()
            .find(|keyword| self.tree.has(Id::ROOT, keyword));
        if let Some(choice) = choice {
            self.merge(&objects);
            self.note_altered(Id::ROOT, choice, ONE_OBJECT);
        }
        let value = self.tree.get(Id::ROOT, "type");
        let said = value.is_some_and(|value| self.tree.kind(value) == Kind::String);
        if !said {
            let object = self.tree.make_raw(Id::ROOT, Types::OBJECT.quoted());
            let place = if value.is_some() {
                "type"
            } else {
                choice.unwrap_or("type")
            };
            self.tree.put(Id::ROOT, place, "type", object);
            self.note_altered(Id::ROOT, "type", AN_OBJECT);
        }
        self.tree.remove(Id::ROOT, "$ref");
        self.tree.remove(Id::ROOT, "anyOf");
        Some(())
    }

    /// All ways to be admitted by the root. If there are too many, some choices
    /// are not looked into, as if they admitted everything.
    fn alternatives(&self) -> Vec<Alternative> {
        let mut found = Vec::new();
        let mut rest = vec![(vec![Id::ROOT], 0)];
        while let Some((mut parts, next)) = rest.pop() {
            let Some(&part) = parts.get(next) else {
                found.push(parts);
                continue;
            };
            if let Some(target) = self.referenced(part) {
                if !parts.contains(&target) {
                    parts.push(target);
                }
            }
            let branches = self.tree.branches(part);
            if branches.is_empty() || rest.len() + found.len() + branches.len() > MAX_FORMS {
                rest.push((parts, next + 1));
                continue;
            }
            for &branch in branches.iter().rev() {
                let mut with_branch = parts.clone();
                with_branch.push(branch);
                rest.push((with_branch, next + 1));
            }
        }
        found
    }

    /// Whether a schema can be seen to admit no object.
    fn excludes_objects(&self, id: Id) -> bool {
        let all = |keyword| {
            self.tree
                .get(id, keyword)
                .map(|all| self.tree.elements(all))
        };
        self.is_for_others(id)
            || all("allOf").is_some_and(|all| all.iter().any(|id| self.is_for_others(*id)))
            || all("oneOf").is_some_and(|all| all.iter().all(|id| self.is_for_others(*id)))
    }

    fn is_for_others(&self, id: Id) -> bool {
        let is_other = |id| self.tree.kind(id) != Kind::Object;
        let values = self.tree.get(id, "enum");
        self.known_types(id)
            .is_some_and(|types| !types.names(Types::OBJECT))
            || self.tree.get(id, "const").is_some_and(is_other)
            || values.is_some_and(|values| self.tree.elements(values).iter().copied().all(is_other))
    }

    /// Keeps the root as a definition, for references to it from places that may
    /// hold something else than an object.
    fn keep_root(&mut self) {
        let references: Vec<Id> = self
            .tree
            .survey()
            .iter()
            .map(|part| part.id)
            .filter(|id| *id != Id::ROOT && self.referenced(*id) == Some(Id::ROOT))
            .collect();
        if references.is_empty() {
            return;
        }
        let mut members = Vec::new();
        for (key, value) in self.tree.members(Id::ROOT).to_vec() {
            if !matches!(&*key.name, "$defs" | "definitions" | "$id" | "$schema") {
                members.push((key, self.tree.copy_or_empty(value)));
            }
        }
        let copy = self.tree.make(Id::ROOT, Json::Object(members));
        let target = self.tree.target(Id::ROOT);
        self.tree.set_target(copy, target);
        self.define(copy, "root");
        let copied = self.tree.below(copy);
        for id in copied.into_iter().chain(references) {
            if self.referenced(id) == Some(Id::ROOT) {
                self.tree.set_target(id, Some(copy));
                self.spell(id);
            }
        }
    }

    // === alternatives in one object ===

    fn merge(&mut self, alternatives: &[Alternative]) {
        let is_only = alternatives.len() == 1;
        let mut properties: Vec<Property<'a>> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let own: HashMap<String, Id> = self
            .tree
            .object(Id::ROOT, "properties")
            .map_or(&[][..], |own| self.tree.members(own))
            .iter()
            .map(|(key, value)| (key.name.to_string(), *value))
            .collect();
        let mut open = 0;
        let mut required: Option<Vec<String>> = None;
        for alternative in alternatives {
            let is_open = !alternative.iter().any(|part| self.closes(*part, is_only));
            open += usize::from(is_open);
            let mut told = HashSet::new();
            // What stands further in is mostly the closer one.
            for &part in alternative.iter().skip(1).rev() {
                let Some(map) = self.tree.object(part, "properties") else {
                    continue;
                };
                for (key, value) in self.tree.members(map) {
                    if !told.insert(&*key.name) {
                        continue;
                    }
                    let place = *places
                        .entry(key.name.to_string())
                        .or_insert(properties.len());
                    if place == properties.len() {
                        properties.push(Property {
                            key: key.clone(),
                            forms: Vec::new(),
                            told: 0,
                            told_open: 0,
                        });
                    }
                    let property = &mut properties[place];
                    property.told += 1;
                    property.told_open += usize::from(is_open);
                    if property.forms.last() != Some(value) {
                        property.forms.push(*value);
                    }
                }
            }
            required = Some(match required {
                None => self.required_by(alternative),
                Some(mut before) => {
                    let now: HashSet<String> = self.required_by(alternative).into_iter().collect();
                    before.retain(|name| now.contains(name));
                    before
                }
            });
        }
        let mut merged = Vec::new();
        for property in properties {
            let mut forms = Vec::new();
            match own.get(&*property.key.name) {
                Some(own) if property.told < alternatives.len() => forms.push(*own),
                _ => {}
            }
            forms.extend(&property.forms);
            let elsewhere = !own.contains_key(&*property.key.name) && property.told_open < open;
            if elsewhere {
                let anything = self.tree.make_empty(property.forms[0]);
                forms.push(anything);
            }
            let form = self.one_of_forms(forms);
            merged.push((property.key, form));
        }
        self.set_merged(merged, required.unwrap_or_default());
        if open == 0 && !self.closes(Id::ROOT, true) {
            let no = self.tree.make_raw(Id::ROOT, "false");
            self.tree.set(Id::ROOT, "additionalProperties", no);
        }
        if is_only {
            for &part in alternatives[0].iter().skip(1) {
                self.take_over(part);
            }
        }
    }

    /// Whether a schema admits no properties but its own. Where there are others,
    /// patterns are not kept, and so nothing is closed by them.
    fn closes(&self, part: Id, is_only: bool) -> bool {
        let additional = self.tree.get(part, "additionalProperties");
        let patterns = self.tree.has(part, "patternProperties");
        let keeps = part == Id::ROOT
            || is_only && !self.tree.has(Id::ROOT, "patternProperties")
            || !patterns;
        keeps && additional.is_some_and(|value| self.tree.kind(value) == Kind::False)
    }

    fn required_by(&self, alternative: &[Id]) -> Vec<String> {
        let mut names = Vec::new();
        let mut known = HashSet::new();
        for &part in alternative {
            let required = self.tree.get(part, "required");
            let required = required.map_or(&[][..], |required| self.tree.elements(required));
            for name in required.iter().filter_map(|name| self.tree.string(*name)) {
                if known.insert(name.to_string()) {
                    names.push(name.into_owned());
                }
            }
        }
        names
    }

    /// What admits whatever one of several forms admits.
    fn one_of_forms(&mut self, forms: Vec<Id>) -> Id {
        let cause = forms[0];
        let mut known = HashSet::new();
        let mut different = Vec::new();
        for form in forms {
            if known.insert(self.tree.write(form)) {
                different.push(form);
            }
        }
        if different.len() > MAX_FORMS {
            return self.tree.make_empty(cause);
        }
        let mut copies: Vec<Id> = different
            .into_iter()
            .map(|form| self.tree.copy_or_empty(form))
            .collect();
        match copies.pop() {
            Some(only) if copies.is_empty() => only,
            last => {
                copies.extend(last);
                let choice = self.tree.make(cause, Json::Array(copies));
                self.tree
                    .make(cause, Json::Object(vec![("anyOf".into(), choice)]))
            }
        }
    }

    fn set_merged(&mut self, merged: Vec<(Key<'a>, Id)>, required: Vec<String>) {
        if !merged.is_empty() {
            let properties = match self.tree.object(Id::ROOT, "properties") {
                Some(properties) => properties,
                None => {
                    let properties = self.tree.make_empty(Id::ROOT);
                    self.tree.set(Id::ROOT, "properties", properties);
                    properties
                }
            };
            let places: HashMap<String, usize> = self
                .tree
                .members(properties)
                .iter()
                .enumerate()
                .map(|(place, (key, _))| (key.name.to_string(), place))
                .collect();
            self.tree.change_members(properties, |members| {
                for (key, value) in merged {
                    match places.get(&*key.name) {
                        Some(place) => members[*place].1 = value,
                        None => members.push((key, value)),
                    }
                }
            });
        }
        if required == self.required_by(&[Id::ROOT]) {
            return;
        }
        let names: Vec<Id> = required
            .iter()
            .map(|name| self.tree.make_raw(Id::ROOT, quoted_string(name)))
            .collect();
        let names = self.tree.make(Id::ROOT, Json::Array(names));
        self.tree.set(Id::ROOT, "required", names);
    }

    /// Takes over what else the only alternative says.
    fn take_over(&mut self, part: Id) {
        for (key, value) in self.tree.members(part).to_vec() {
            let is_merged = matches!(
                &*key.name,
                "type"
                    | "$ref"
                    | "anyOf"
                    | "properties"
                    | "required"
                    | "$defs"
                    | "definitions"
                    | "$id"
                    | "$schema"
                    | "$anchor"
                    | "$dynamicAnchor"
            );
            if !is_merged && !self.tree.has(Id::ROOT, &key.name) {
                let copy = self.tree.copy_or_empty(value);
                self.tree.set_key(Id::ROOT, key, copy);
            }
        }
    }
}
