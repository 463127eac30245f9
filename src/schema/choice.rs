//! `type` beside `anyOf` and `$ref`, and lists of types.

use super::{
    keyword::{ANY_OF, DEFS, ENUM, ID, Name, REF, TYPE, applies_to, may_repeat},
    repair::{Repair, Stop},
    tree::Id,
    types::{TypeList, Types},
};
use crate::json::Kind;

const TYPE_IN_BRANCHES: &str = "beside anyOf the type belongs in the branches";
const TYPE_IN_TARGET: &str = "beside a reference there may be no type";
const ONE_TYPE: &str = "only one type may have other keywords beside it";
const SAME_TYPE: &str = "a type is named once";

impl Repair<'_> {
    /// Settles what may be beside what, from the outside in: what moves into a
    /// branch is settled there.
    pub(super) fn combinations(&mut self) -> Result<(), Stop> {
        let mut rest = vec![Id::ROOT];
        while let Some(id) = rest.pop() {
            self.check()?;
            self.type_beside_choice(id);
            self.enumeration(id);
            self.several_types(id);
            self.both_sides(id);
            self.required_properties(id);
            self.tree.each_part(id, |_, part| rest.push(part));
        }
        Ok(())
    }

    /// The types that a schema names, in its order.
    pub(super) fn types_in_order(&self, id: Id) -> TypeList {
        let mut types = TypeList::default();
        let Some(value) = self.tree.get(id, TYPE) else {
            return types;
        };
        let one = |id| self.tree.string(id).and_then(|name| Types::named(&name));
        if self.tree.kind(value) == Kind::String {
            one(value).into_iter().for_each(|one| types.push(one));
        }
        for one in self.tree.elements(value).filter_map(one) {
            types.push(one);
        }
        types
    }

    /// The types that a schema names, if it names any.
    pub(super) fn types(&self, id: Id) -> Option<Types> {
        let types = self.types_in_order(id);
        (!types.is_empty()).then(|| types.all())
    }

    pub(super) fn set_types(&mut self, id: Id, types: &[Types]) {
        let value = match *types {
            [one] => self.tree.make_raw(id, one.quoted()),
            _ => {
                let names = types.iter().map(|one| self.tree.make_raw(id, one.quoted()));
                let names: Vec<Id> = names.collect();
                self.tree.make_array(id, names)
            }
        };
        match self.tree.get(id, TYPE) {
            Some(old) => self.tree.replace(id, old, TYPE, value),
            None => self.tree.prepend(id, TYPE, value),
        }
    }

    /// `type` beside `anyOf` moves into the branches (validator); beside `$ref` it is
    /// left to the target.
    fn type_beside_choice(&mut self, id: Id) {
        let types = self.types_in_order(id);
        if types.is_empty() {
            return;
        }
        let all = types.all();
        if self.tree.has(id, REF) {
            let there = self.target_types(id);
            if there.is_some_and(|there| all.admit(there)) && !self.tree.has(id, ENUM) {
                self.tree.remove_member(id, TYPE);
            } else {
                self.conjoin(id, &[TYPE, ENUM]);
            }
            self.note(id, TYPE, TYPE_IN_TARGET);
            return;
        }
        let Some(choice) = self.tree.get(id, ANY_OF) else {
            return;
        };
        let branches: Vec<Id> = self.tree.elements(choice).collect();
        let mut excluded = Vec::new();
        for &branch in &branches {
            let there = self.known_types(branch);
            let both = there.map_or(all, |there| there.and(all));
            if both.is_empty() {
                excluded.push(branch);
            } else if there.is_none_or(|there| !all.admit(there)) {
                // As they are named there, or else here.
                let named = self.types_in_order(branch);
                let from = if there.is_some() && !named.is_empty() {
                    named
                } else {
                    types
                };
                let mut order = TypeList::default();
                for one in from.iter().copied().chain(both.each()) {
                    if both.names(one) {
                        order.push(one);
                    }
                }
                self.set_types(branch, &order);
                self.narrowed.insert(branch);
            }
        }
        if excluded.len() == branches.len() {
            self.drop(id, ANY_OF, TYPE_IN_BRANCHES);
            return;
        }
        for branch in excluded {
            self.tree.remove(choice, branch);
        }
        self.tree.remove_member(id, TYPE);
        self.note(id, TYPE, TYPE_IN_BRANCHES);
    }

    /// The types that a schema can be seen to be of: those that it names, and those
    /// that its target names.
    pub(super) fn known_types(&self, id: Id) -> Option<Types> {
        let there = self.tree.has(id, REF).then(|| self.target_types(id));
        match (self.types(id), there.flatten()) {
            (Some(here), Some(there)) => Some(here.and(there)),
            (here, there) => here.or(there),
        }
    }

    /// The types that the end of a chain of references names. A ring has none, and a
    /// long chain is not followed.
    fn target_types(&self, id: Id) -> Option<Types> {
        const PATIENCE: usize = 16;
        let mut id = id;
        for _ in 0..PATIENCE {
            match self.referenced(id) {
                Some(target) => id = target,
                None => return self.types(id),
            }
        }
        None
    }

    /// A list of types can't have keywords beside it (validator); each type becomes
    /// a branch with the keywords that are about it.
    pub(super) fn several_types(&mut self, id: Id) {
        let Some(value) = self.tree.get(id, TYPE) else {
            return;
        };
        if self.tree.elements(value).nth(1).is_none() || self.tree.has(id, ENUM) {
            return;
        }
        let beside = |key: Name| {
            let at_root = id == Id::ROOT && matches!(key, DEFS | ID);
            key != TYPE && !may_repeat(key) && !at_root
        };
        let mut members = self.tree.members(id);
        if !members.any(|member| beside(self.tree.key(member))) {
            return;
        }
        let types = self.types_in_order(id);
        if let [one] = types[..] {
            self.set_types(id, &[one]);
            self.note(id, TYPE, SAME_TYPE);
            return;
        }
        let all = types.all();
        let mut moved: Vec<(Id, Types)> = Vec::new();
        for member in self.tree.members(id) {
            let about = applies_to(self.tree.key(member));
            let about = about.map(|about| about.and(all));
            if let Some(about) = about.filter(|about| !about.is_empty()) {
                moved.push((member, about));
            }
        }
        let mut branches = Vec::new();
        let mut taken: Vec<Option<Id>> = vec![None; moved.len()];
        for &one in types.iter() {
            let branch = self.tree.make_object(id);
            let name = self.tree.make_raw(value, one.quoted());
            self.tree.append(branch, TYPE, name);
            for (place, (member, about)) in moved.iter().enumerate() {
                if !about.admit(one) {
                    continue;
                }
                let key = self.tree.key(*member);
                // The first branch gets the member itself.
                let value = match taken[place] {
                    Some(first) => self.copy_or_empty(first),
                    None => self.take(id, *member),
                };
                taken[place] = taken[place].or(Some(value));
                self.tree.append(branch, key, value);
            }
            branches.push(branch);
        }
        let choice = self.tree.make_array(id, branches);
        self.tree.put(id, TYPE, ANY_OF, choice);
        self.note(id, TYPE, ONE_TYPE);
    }
}
