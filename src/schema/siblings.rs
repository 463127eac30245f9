//! What is beside a reference: only what its target doesn't say (validator).

use super::{
    keyword::{
        ALL_OF, ANY_OF, DEFINITIONS, DEFS, Name, REF, TYPE, UNEVALUATED, asserts, group, may_repeat,
    },
    numbers::{Map, Set},
    repair::{Repair, Stop},
    tree::Id,
};

const TWICE: &str = "beside a reference only what its target doesn't say";

impl Repair<'_> {
    /// Leaves beside each reference that Moonshot follows only what its target
    /// doesn't say.
    pub(super) fn siblings(&mut self) -> Result<(), Stop> {
        let mut ends = Map::default();
        for part in self.tree.parts() {
            self.check()?;
            if part.definition.is_none() && self.tree.has(part.id, REF) {
                self.beside_reference(part.id, &mut ends);
            }
        }
        Ok(())
    }

    fn beside_reference(&mut self, id: Id, ends: &mut Map<Id, Id>) {
        let Some(end) = self.end_of_chain(id, ends) else {
            return;
        };
        let twice = self.said_twice(id, end);
        if twice.is_empty() {
            return;
        }
        self.note(id, REF, TWICE);
        self.drop_ignored(id);
        // Of what chains consist of, only the root is ever changed here.
        if id == Id::ROOT {
            ends.clear();
        }
        for keyword in twice {
            if id == Id::ROOT && matches!(keyword, DEFS | DEFINITIONS) {
                // Those at the root are referred to.
                let there: Vec<Id> = self.tree.branches(end).chain([end]).collect();
                for there in there {
                    self.tree.remove_member(there, keyword);
                }
            } else if UNEVALUATED.contains(&keyword) {
                // Apart from what is beside it, it would say more.
                self.drop(id, keyword, TWICE);
            } else if !asserts(keyword) {
                self.tree.remove_member(id, keyword);
            } else if self.tree.has(id, keyword) && keyword != ALL_OF {
                self.conjoin(id, &group(keyword));
            }
        }
        if !self.said_twice(id, end).is_empty() {
            // Both have to go where Moonshot doesn't look.
            let is_moved = |name: &Name| id != Id::ROOT || !matches!(*name, DEFS | DEFINITIONS);
            let names = self.sibling_names(id).filter(is_moved).chain([REF]);
            let names: Vec<Name> = names.collect();
            self.conjoin(id, &names);
        }
    }

    /// The keywords that neither the end of a reference nor its branches may have
    /// too.
    pub(super) fn said_twice(&self, id: Id, end: Id) -> Vec<Name> {
        let mut here = self.sibling_names(id).peekable();
        if here.peek().is_none() {
            return Vec::new();
        }
        let branches = self.tree.branches(end);
        let in_branches = branches.flat_map(|branch| self.sibling_names(branch));
        let there: Set<Name> = self
            .sibling_names(end)
            .chain(in_branches.filter(|name| *name != ANY_OF))
            .collect();
        let is_typed = self.tree.has(end, TYPE);
        here.filter(|name| there.contains(name) || *name == ANY_OF && is_typed)
            .collect()
    }

    /// The keywords that may be on one side of a reference only.
    fn sibling_names(&self, id: Id) -> impl Iterator<Item = Name> {
        let names = self.tree.members(id).map(|member| self.tree.key(member));
        names.filter(|name| *name != REF && !may_repeat(*name))
    }
}
