//! References that Moonshot can follow: `#`, and `#/$defs/` with a name (validator).

use super::{
    definitions::NAME,
    keyword::{
        ADDITIONAL_PROPERTIES, ANCHOR, DEFS, ID, ITEMS, PROPERTIES, REF, asserts, may_repeat,
    },
    numbers::{Map, Set},
    repair::{Repair, is_of_document},
    resolve::DEFINITION,
    tree::{Id, quoted},
};
use crate::json::Kind;

const NOT_A_STRING: &str = "must be a string";
const NOWHERE: &str = "a reference that leads nowhere admits everything";
const WRITTEN_OUT: &str = "only the root and $defs can be referred to";
const SPELLING: &str = "a reference is # or #/$defs/ and a name";
const TOO_LONG: &str = "there is no room for what is referred to";

impl Repair<'_> {
    /// Gives a subschema a reference that Moonshot can follow, or what it refers to.
    pub(super) fn reference(&mut self, id: Id) {
        while let Some(value) = self.tree.get(id, REF) {
            self.pass_over(id);
            let Some(text) = self.tree.string(value) else {
                self.drop_reference(id, NOT_A_STRING);
                return;
            };
            if text == "#" {
                return;
            }
            let Some(target) = self.target(id) else {
                self.drop_reference(id, NOWHERE);
                return;
            };
            if target == Id::ROOT {
                self.spell(id);
                return;
            }
            if self.is_followed(&text, target) {
                return;
            }
            if self.is_copied(target) {
                self.write_out(id, target);
                continue;
            }
            if self.definitions.name(target).is_none() {
                self.hoist(target);
            }
            let target = self.now(target);
            self.make_plain(target, NAME);
            self.spell(id);
            return;
        }
    }

    /// Whether Moonshot follows a reference as it is spelled, to a definition or to
    /// what is further in.
    fn is_followed(&self, text: &str, target: Id) -> bool {
        let Some(path) = text.strip_prefix(DEFINITION) else {
            return false;
        };
        if self.has_slashes(target) || self.literal_target(text) != Some(target) {
            return false;
        }
        let mut steps = path.split('/').skip(1);
        while let Some(step) = steps.next() {
            match self.tree.names.find(step) {
                Some(PROPERTIES | DEFS) if steps.next().is_some() => {}
                Some(ITEMS | ADDITIONAL_PROPERTIES) => {}
                _ => return false,
            }
        }
        true
    }

    /// Lets a reference to a place that is no definition, and where nothing is but
    /// another reference, lead where that one leads.
    fn pass_over(&mut self, id: Id) {
        let Some(first) = self.target(id) else {
            return;
        };
        let mut known: Set<Id> = Set::default();
        let mut end = first;
        while self.only_refers(end) {
            match self.target(end) {
                Some(next) if known.insert(next) => end = next,
                // A ring leads nowhere.
                _ => return self.set_target(id, None),
            }
        }
        if end != first {
            // Whoever comes to one of these from now on is led to the end at once.
            for passed in known.into_iter().filter(|passed| *passed != end) {
                self.set_target(passed, Some(end));
            }
            self.set_target(first, Some(end));
        }
        self.set_target(id, Some(end));
    }

    fn only_refers(&self, id: Id) -> bool {
        let mut members = self.tree.members(id);
        let only = members.next().filter(|_| members.next().is_none());
        only.is_some_and(|member| self.tree.key(member) == REF)
            && id != Id::ROOT
            && self.target(id).is_some()
            && self.definitions.name(id).is_none()
            && !self.is_definition(id)
    }

    /// Puts what a reference leads to in its place.
    fn write_out(&mut self, id: Id, target: Id) {
        self.drop_ignored(id);
        self.tree.remove_member(id, REF);
        self.set_target(id, None);
        let Some(copy) = self.copy(target) else {
            self.note_altered(id, REF, TOO_LONG);
            return;
        };
        self.note(id, REF, WRITTEN_OUT);
        match self.tree.kind(copy) {
            Kind::Object => {}
            Kind::False => self.become_nothing(copy),
            _ => return,
        }
        let asserted = |member| asserts(self.tree.key(member));
        if self.tree.members(id).any(asserted) {
            self.conjoin_schema(id, copy);
            return;
        }
        let target = self.target(copy);
        for member in self.tree.take_all(copy) {
            let key = self.tree.key(member);
            let is_own = may_repeat(key) && self.tree.has(id, key);
            // Whatever is referred to in there has a place already.
            let is_place = is_of_document(key) || matches!(key, ID | ANCHOR);
            if !is_own && !is_place {
                self.tree.set(id, key, member);
            }
        }
        self.set_target(id, target);
    }

    /// Spells a reference so that Moonshot can follow it.
    pub(super) fn spell(&mut self, id: Id) {
        let Some(target) = self.target(id) else {
            return;
        };
        let Some(value) = self.tree.get(id, REF) else {
            return;
        };
        let text = match self.definitions.name(target) {
            _ if target == Id::ROOT => "#".to_owned(),
            Some(name) => format!("{DEFINITION}{}", self.tree.name(name)),
            None => return,
        };
        if self.tree.string(value).as_deref() != Some(&text) {
            let text = self.tree.make_raw(value, &quoted(&text));
            self.tree.set(id, REF, text);
            self.note(id, REF, SPELLING);
        }
    }

    /// Spells once more the references to definitions that got another name later.
    pub(super) fn spell_references(&mut self) {
        if !self.any_reference {
            return;
        }
        for part in self.tree.parts() {
            if self.tree.has(part.id, REF) {
                self.spell(part.id);
            }
        }
    }

    /// The subschema that a reference leads to, which is a definition or the root,
    /// or is in a definition.
    pub(super) fn referenced(&self, id: Id) -> Option<Id> {
        self.tree.get(id, REF)?;
        Some(self.definitions.of(self.target(id)?))
    }

    /// Follows a reference, and definitions that are nothing but another reference.
    /// `ends` are those that are known.
    pub(super) fn end_of_chain(&self, id: Id, ends: &mut Map<Id, Id>) -> Option<Id> {
        let mut end = self.referenced(id)?;
        let mut passed: Set<Id> = Set::default();
        passed.insert(end);
        while let Some(next) = self.referenced(end) {
            if let Some(known) = ends.get(&end) {
                end = *known;
                break;
            }
            let mut members = self.tree.members(end).map(|member| self.tree.key(member));
            let is_bare = members.all(|key| key == REF || may_repeat(key));
            if !is_bare || !passed.insert(next) {
                break;
            }
            end = next;
        }
        ends.extend(passed.into_iter().map(|passed| (passed, end)));
        Some(end)
    }
}
