//! Decides which references are replaced by what they lead to.
//!
//! Moonshot follows references to the root and to `$defs` only, and refuses a
//! definition with a slash in any key (validator). A reference to anything else is
//! replaced by a copy of its target, unless that would go round.

use super::{
    keyword::{DEFINITIONS, DEFS, Place, SCHEMAS},
    numbers::Map,
    repair::Repair,
    tree::Id,
};

/// What is known of each node of the text. Empty if there are no references.
#[derive(Debug, Default)]
pub(super) struct Inlining {
    /// Whether a key with a slash is in it, or in what is copied into it.
    slashes: Vec<bool>,
    /// Whether copying what references in it lead to may go round.
    goes_round: Vec<bool>,
}

impl Repair<'_> {
    /// Finds out which targets can be copied, in two passes over the tree.
    pub(super) fn plan_inlining(&mut self) {
        if !self.any_reference {
            return;
        }
        let mut referrers: Map<Id, Vec<Id>> = Map::default();
        for (from, target) in self.all_targets() {
            if target != Id::ROOT && self.tree.is_object(from) {
                referrers.entry(target).or_default().push(from);
            }
        }
        self.inlining.slashes = self.slashes_reach(&referrers);
        self.inlining.goes_round = self.rounds(&referrers);
    }

    /// Whether a subschema was written as a definition, wherever that was.
    pub(super) fn is_definition(&self, id: Id) -> bool {
        let Some(map) = self.tree.holder(id) else {
            return false;
        };
        let Some(holder) = self.tree.holder(map) else {
            return false;
        };
        let is_map = match self.tree.key(map) {
            DEFS | DEFINITIONS => true,
            SCHEMAS => self.tree.name(self.tree.key(holder)) == "components",
            _ => false,
        };
        is_map && self.tree.is_object(map) && self.place(holder) == Place::Schema
    }

    /// Whether a reference to a target has to be replaced by what it leads to.
    fn has_to_be_copied(&self, target: Id) -> bool {
        let is_named = self.definitions.name(target).is_some() || self.is_definition(target);
        !is_named || self.has_slashes(target)
    }

    pub(super) fn has_slashes(&self, id: Id) -> bool {
        self.inlining.slashes.get(id.index()) == Some(&true)
    }

    /// Whether a reference to a target is replaced by what it leads to.
    pub(super) fn is_copied(&self, target: Id) -> bool {
        let goes_round = self.inlining.goes_round.get(target.index()) == Some(&true);
        self.has_to_be_copied(target) && !goes_round
    }

    /// What holds a key with a slash, as far as the validator sees: it looks into
    /// objects, and into the objects that are elements of a member.
    fn slashes_reach(&self, referrers: &Map<Id, Vec<Id>>) -> Vec<bool> {
        let mut reached = vec![false; self.tree.count()];
        let mut rest = Vec::new();
        for id in self.tree.containers(Id::ROOT) {
            let mut members = self.tree.members(id);
            if members.any(|member| self.tree.name(self.tree.key(member)).contains('/')) {
                rest.push(id);
            }
        }
        while let Some(id) = rest.pop() {
            self.tree.charge(1);
            if std::mem::replace(&mut reached[id.index()], true) {
                continue;
            }
            rest.extend(referrers.get(&id).into_iter().flatten());
            let Some(holder) = self.tree.holder(id) else {
                continue;
            };
            if self.tree.is_object(holder) {
                rest.push(holder);
            } else if let Some(around) = self.tree.holder(holder) {
                rest.extend(self.tree.is_object(around).then_some(around));
            }
        }
        reached
    }

    /// Which nodes are on a way that goes round, or between two of these: first
    /// whatever leads to none is left out, then whatever none leads to.
    fn rounds(&self, referrers: &Map<Id, Vec<Id>>) -> Vec<bool> {
        let is_copied = |target: Id| target != Id::ROOT && self.has_to_be_copied(target);
        let referrers_of = |id: Id| {
            let all = referrers.get(&id).filter(|_| is_copied(id));
            all.into_iter().flatten().copied()
        };
        let target_of = |id: Id| {
            let target = self.target(id).filter(|target| is_copied(*target));
            target.filter(|target| self.tree.is_container(*target))
        };
        let all = self.tree.containers(Id::ROOT);
        let mut stays = vec![false; self.tree.count()];
        let mut ways = vec![0_u32; self.tree.count()];
        for &id in &all {
            let below = self
                .tree
                .children(id)
                .filter(|below| self.tree.is_container(*below));
            let count = below.count() + target_of(id).iter().count();
            ways[id.index()] = count as u32;
            stays[id.index()] = true;
        }
        let mut rest: Vec<Id> = all.clone();
        rest.retain(|id| ways[id.index()] == 0);
        while let Some(id) = rest.pop() {
            stays[id.index()] = false;
            for before in self.tree.holder(id).into_iter().chain(referrers_of(id)) {
                self.tree.charge(1);
                let ways = &mut ways[before.index()];
                *ways = ways.saturating_sub(1);
                if *ways == 0 && stays[before.index()] {
                    rest.push(before);
                }
            }
        }
        for &id in &all {
            let before = self.tree.holder(id).into_iter().chain(referrers_of(id));
            ways[id.index()] = before.filter(|before| stays[before.index()]).count() as u32;
        }
        rest.extend(
            all.iter()
                .filter(|id| stays[id.index()] && ways[id.index()] == 0),
        );
        while let Some(id) = rest.pop() {
            if !std::mem::replace(&mut stays[id.index()], false) {
                continue;
            }
            for next in self.tree.children(id).chain(target_of(id)) {
                let ways = &mut ways[next.index()];
                *ways = ways.saturating_sub(1);
                if *ways == 0 && stays[next.index()] {
                    rest.push(next);
                }
            }
        }
        stays
    }
}
