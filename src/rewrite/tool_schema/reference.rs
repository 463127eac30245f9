//! References that Moonshot can follow.

use std::collections::{HashMap, HashSet};

use super::{
    definitions::{any_slash, has_slash},
    repair::Repair,
    resolve::DEFINITIONS,
    tree::{Id, Json, Key, Tree},
    vocabulary::{asserts, may_stand_twice},
    write::quoted_string,
};
use crate::json::Kind;

const NOT_A_STRING: &str = "must be a string";
const NOWHERE: &str = "a reference that leads nowhere admits everything";
const WRITTEN_OUT: &str = "only the root and $defs can be referred to";
const SPELLING: &str = "a reference is # or #/$defs/ and a name";
const TOO_LONG: &str = "there is no room for what is referred to";

/// What is known of where references lead in the end.
#[derive(Debug)]
pub(super) struct Reach {
    /// How many more nodes may be looked at to find out.
    patience: usize,
    /// Whether any key has a slash.
    slashes: bool,
    /// Which targets references are replaced by.
    written_out: HashMap<Id, bool>,
    /// Where references end that pass over others.
    ends: HashMap<Id, Id>,
}

impl Reach {
    /// How many nodes may be looked at, for each one that there is.
    const PATIENCE: usize = 50;

    pub(super) fn new(tree: &Tree<'_>) -> Self {
        Self {
            patience: tree.ids().count() * Self::PATIENCE,
            slashes: any_slash(tree),
            written_out: HashMap::new(),
            ends: HashMap::new(),
        }
    }
}

impl Repair<'_> {
    /// Gives a subschema a reference that Moonshot can follow, or what it refers
    /// to.
    pub(super) fn reference(&mut self, id: Id) {
        while let Some(value) = self.tree.get(id, "$ref") {
            self.pass_over(id);
            let Some(text) = self.tree.string(value) else {
                self.drop(id, "$ref", NOT_A_STRING);
                return;
            };
            if text == "#" {
                return;
            }
            let Some(target) = self.tree.target(id) else {
                self.drop(id, "$ref", NOWHERE);
                return;
            };
            let spelled = text
                .strip_prefix(DEFINITIONS)
                .is_some_and(|name| self.definitions.name(target) == Some(name));
            if target == Id::ROOT {
                self.spell(id);
                return;
            }
            if self.writes_out(target) {
                self.write_out(id, target);
                continue;
            }
            if !spelled {
                if self.definitions.name(target).is_none() {
                    self.hoist(target);
                }
                self.make_plain(target);
                self.spell(id);
            }
            return;
        }
    }

    /// Lets a reference to a place that is no definition, and at which nothing
    /// stands but another reference, lead where that one leads.
    fn pass_over(&mut self, id: Id) {
        let mut passed = Vec::new();
        let mut known = HashSet::new();
        let Some(first) = self.tree.target(id) else {
            return;
        };
        let mut end = first;
        while self.only_refers(end) {
            if let Some(known) = self.reach.ends.get(&end) {
                end = *known;
                break;
            }
            passed.push(end);
            match self.tree.target(end) {
                Some(next) if known.insert(next) => end = next,
                // A ring has no end.
                _ => {
                    end = first;
                    break;
                }
            }
        }
        self.reach
            .ends
            .extend(passed.into_iter().map(|passed| (passed, end)));
        self.tree.set_target(id, Some(end));
    }

    fn only_refers(&self, id: Id) -> bool {
        let [(key, _)] = self.tree.members(id) else {
            return false;
        };
        key.name == "$ref"
            && id != Id::ROOT
            && self.tree.target(id).is_some()
            && self.definitions.name(id).is_none()
            && !self.is_definition(id)
    }

    /// Whether a reference to `target` is replaced by what it says: one to a place
    /// that is no definition, or to a definition that can't be one at Moonshot. A
    /// recursion can't be written out.
    fn writes_out(&mut self, target: Id) -> bool {
        if let Some(known) = self.reach.written_out.get(&target) {
            return *known;
        }
        let named = self.definitions.name(target).is_some() || self.is_definition(target);
        let has_to = !named || self.reach.slashes && self.leads_to_slash(target);
        let writes_out = has_to && self.reach(target).is_some_and(|(_, back)| !back);
        self.reach.written_out.insert(target, writes_out);
        writes_out
    }

    /// Whether a key with a slash is in a definition, or in what would be written
    /// out in it.
    fn leads_to_slash(&mut self, target: Id) -> bool {
        let mut known = HashSet::from([target]);
        let mut rest = vec![target];
        while let Some(id) = rest.pop() {
            if has_slash(&self.tree, id) {
                return true;
            }
            let mut parts = vec![id];
            while let Some(id) = parts.pop() {
                let patience = self
                    .reach
                    .patience
                    .checked_sub(self.tree.members(id).len() + 1);
                let Some(patience) = patience else {
                    return false;
                };
                self.reach.patience = patience;
                self.tree.each_part(id, |_, part| parts.push(part));
                let target = self.tree.target(id).filter(|target| *target != Id::ROOT);
                rest.extend(target.filter(|target| known.insert(*target)));
            }
        }
        false
    }

    /// All targets that references in `target` lead to, itself the first, and
    /// whether it is among them. None if it takes too long to tell.
    pub(super) fn reach(&mut self, target: Id) -> Option<(Vec<Id>, bool)> {
        let mut reached = vec![target];
        let mut known = HashSet::from([target]);
        let mut back = false;
        let mut next = 0;
        while let Some(&id) = reached.get(next) {
            next += 1;
            let below = self.tree.below(id);
            self.reach.patience = self.reach.patience.saturating_sub(below.len());
            if self.reach.patience == 0 {
                return None;
            }
            for target in below.into_iter().filter_map(|id| self.tree.target(id)) {
                back |= target == reached[0];
                if known.insert(target) {
                    reached.push(target);
                }
            }
        }
        Some((reached, back))
    }

    /// Puts what a reference leads to in its place.
    fn write_out(&mut self, id: Id, target: Id) {
        self.tree.remove(id, "$ref");
        let Some(copy) = self.tree.copy(target) else {
            self.note_altered(id, "$ref", TOO_LONG);
            return;
        };
        self.note(id, "$ref", WRITTEN_OUT);
        match self.tree.kind(copy) {
            Kind::Object => {}
            Kind::False => {
                let anything = self.tree.make_empty(id);
                let nothing = Json::Object(vec![("not".into(), anything)]);
                self.tree.become_json(copy, nothing);
            }
            _ => return,
        }
        let asserted = |(key, _): &(Key<'_>, Id)| asserts(&key.name);
        if self.tree.members(id).iter().any(asserted) {
            self.conjoin_schema(id, copy);
            return;
        }
        let reference = self.tree.target(copy);
        self.tree.set_target(id, reference);
        for (key, value) in self.tree.members(copy).to_vec() {
            let is_own = may_stand_twice(&key.name) && self.tree.has(id, &key.name);
            // Whatever is referred to in there has a place already.
            let is_place = matches!(&*key.name, "$defs" | "definitions" | "$id" | "$anchor");
            if !is_own && !is_place {
                self.tree.set_key(id, key, value);
            }
        }
    }

    pub(super) fn spell(&mut self, id: Id) {
        let Some(target) = self.tree.target(id) else {
            return;
        };
        let text = match self.definitions.name(target) {
            _ if target == Id::ROOT => "#".to_owned(),
            Some(name) => format!("{DEFINITIONS}{name}"),
            None => return,
        };
        let spelled = |repair: &Self, value| repair.tree.string(value).as_deref() == Some(&text);
        let Some(value) = self.tree.get(id, "$ref") else {
            return;
        };
        if !spelled(self, value) {
            let text = self.tree.make_raw(value, quoted_string(&text));
            self.tree.set(id, "$ref", text);
            self.note(id, "$ref", SPELLING);
        }
    }

    /// Spells once more the references to definitions that got another name
    /// later.
    pub(super) fn spell_references(&mut self) {
        if !self.references {
            return;
        }
        for part in self.tree.survey() {
            if self.tree.has(part.id, "$ref") {
                self.spell(part.id);
            }
        }
    }

    /// The subschema that a reference leads to, which is a definition or the
    /// root.
    pub(super) fn referenced(&self, id: Id) -> Option<Id> {
        self.tree.get(id, "$ref")?;
        let target = self.tree.target(id)?;
        Some(self.definitions.of(target))
    }
}
