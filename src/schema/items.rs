//! `items`: one schema for all items of an array (validator).

use std::collections::HashSet;

use super::{
    keyword::{ADDITIONAL_ITEMS, ANY_OF, ITEMS, MAX_ITEMS, PREFIX_ITEMS},
    repair::Repair,
    tree::Id,
    values::MAX_BRANCHES,
};
use crate::json::Kind;

const NOT_A_SCHEMA: &str = "a subschema must be an object";
const TUPLE: &str = "the items of an array have one schema";
const NO_MORE_ITEMS: &str = "items that are never admitted are a length";

impl Repair<'_> {
    pub(super) fn items_value(&mut self, id: Id) {
        let Some(items) = self.tree.get(id, ITEMS) else {
            return;
        };
        match self.tree.kind(items) {
            Kind::Object => {}
            Kind::True => {
                self.tree.become_object(items);
                self.note(id, ITEMS, NOT_A_SCHEMA);
            }
            Kind::False => {
                let first = self.tree.get(id, PREFIX_ITEMS);
                let count = first.map_or(0, |first| self.tree.elements(first).count());
                self.tree.remove_member(id, ITEMS);
                self.bound_items(id, count);
                self.note(id, ITEMS, NO_MORE_ITEMS);
            }
            Kind::Array => self.tuple(id, items),
            _ => self.drop(id, ITEMS, NOT_A_SCHEMA),
        }
    }

    /// An array of `items`, as earlier drafts had it, gives the schema of each item
    /// by its place. It becomes the choice of them all, each once; what may follow
    /// them is one more.
    fn tuple(&mut self, id: Id, items: Id) {
        let mut forms: Vec<Id> = self.tree.elements(items).collect();
        let count = forms.len();
        let rest = self.tree.get(id, ADDITIONAL_ITEMS);
        let is_bounded = self.has_at_most(id, count);
        let tail = match rest.map(|rest| self.tree.kind(rest)) {
            Some(Kind::False) => {
                self.bound_items(id, count);
                None
            }
            _ if is_bounded => None,
            Some(Kind::Object) => rest.map(|rest| self.take(id, rest)),
            _ => Some(self.tree.make_object(items)),
        };
        self.tree.remove_member(id, ADDITIONAL_ITEMS);
        let is_open = count == 0 && tail.is_some_and(|tail| !self.tree.has_members(tail));
        let mut known = HashSet::new();
        forms.retain(|form| {
            self.tree.kind(*form) != Kind::False && known.insert(self.tree.write(*form))
        });
        let tail = tail.filter(|tail| known.insert(self.tree.write(*tail)));
        let branches = forms.len() + usize::from(tail.is_some());
        if is_open || !(1..=MAX_BRANCHES).contains(&branches) {
            self.drop(id, ITEMS, TUPLE);
            return;
        }
        let taken: Vec<Id> = forms
            .into_iter()
            .map(|form| self.take(items, form))
            .collect();
        let taken: Vec<Id> = taken.into_iter().chain(tail).collect();
        let schema = match taken[..] {
            [only] if self.tree.is_object(only) => only,
            _ => {
                let schema = self.tree.make_object(items);
                let choice = self.tree.make_array(items, taken);
                self.tree.append(schema, ANY_OF, choice);
                schema
            }
        };
        self.tree.replace(id, items, ITEMS, schema);
        self.note_altered(id, ITEMS, TUPLE);
    }

    fn has_at_most(&self, id: Id, count: usize) -> bool {
        let longest = self.tree.get(id, MAX_ITEMS);
        let longest = longest.and_then(|longest| self.tree.number(longest));
        longest.is_some_and(|longest| longest <= count as f64)
    }

    /// Admits this many items at most.
    fn bound_items(&mut self, id: Id, count: usize) {
        if !self.has_at_most(id, count) {
            let count = self.tree.make_raw(id, &count.to_string());
            self.tree.set(id, MAX_ITEMS, count);
        }
    }
}
