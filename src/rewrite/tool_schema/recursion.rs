//! Recursions that Moonshot sees the end of, and what stands beside references.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use super::{
    repair::Repair,
    survey::{Names, Part, Role},
    tree::{Id, Json},
    types::Types,
    vocabulary::{asserts, group, may_stand_twice},
};

/// How many objects may lie inside each other.
pub(super) const MAX_DEPTH: usize = 30;

/// How often something is looked at again.
const MAX_ROUNDS: usize = 8;

/// Keywords for what is only there to be referred to.
const HOLD_DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

const UNEVALUATED: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

const ENDLESS: &str = "a recursion that has to go on has no end";
const NO_END: &str = "Moonshot sees no end in a definition without a type";
const TWICE: &str = "beside a reference only what its target doesn't say";
const TOO_DEEP: &str = "at most 30 objects may lie inside each other";

/// What has to have an end for a subschema to have one.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// It has one.
    Here,
    /// One of these has.
    Any(Vec<usize>),
    /// All of these have.
    All(Vec<usize>),
    /// Moonshot sees none: it doesn't look into `oneOf` and the like.
    Unseen,
}

impl<'a> Repair<'a> {
    /// Settles what references lead to, as far as Moonshot follows them: those
    /// outside of definitions.
    pub(super) fn recursions(&mut self) {
        // What is moved out of one's way may come in another's.
        for _ in 0..MAX_ROUNDS {
            let before = self.change_count();
            self.evaluations();
            if self.references {
                self.end_recursions();
            }
            for part in self.tree.survey() {
                self.several_types(part.id);
                self.both_sides(part.id);
            }
            if self.references {
                self.target_once();
            }
            if self.change_count() == before {
                break;
            }
        }
    }

    /// Where in the survey each reference leads.
    fn targets(&self, parts: &[Part]) -> Vec<Option<usize>> {
        let mut places = vec![None; self.tree.ids().len()];
        for (place, part) in parts.iter().enumerate() {
            places[part.id.index()] = Some(place);
        }
        parts
            .iter()
            .map(|part| places[self.referenced(part.id)?.index()])
            .collect()
    }

    // === recursions without an end ===

    /// Shows Moonshot the end of the definitions that it sees none in, and cuts
    /// recursions that have none.
    fn end_recursions(&mut self) {
        let parts = self.tree.survey();
        let targets = self.targets(&parts);
        let ends = self.ends(&parts, &targets);
        let finite = finite(&ends);
        // Moonshot asks for the end of references only if the root has none.
        if finite[0] {
            return;
        }
        let endless = parts.iter().zip(&targets).filter_map(|(part, target)| {
            target
                .filter(|target| part.definition.is_none() && !part.additional && !finite[*target])
        });
        let mut rest: Vec<Visit> = endless.map(Visit::Enter).collect();
        let mut visited = vec![false; parts.len()];
        let mut open = vec![false; parts.len()];
        while let Some(visit) = rest.pop() {
            let place = match visit {
                Visit::Leave(place) => {
                    open[place] = false;
                    continue;
                }
                Visit::Enter(place) => place,
            };
            if finite[place] || std::mem::replace(&mut visited[place], true) {
                continue;
            }
            open[place] = true;
            rest.push(Visit::Leave(place));
            let id = parts[place].id;
            match &ends[place] {
                End::Here => {}
                End::Unseen => {
                    self.show_end(id);
                    self.note(id, "", NO_END);
                }
                End::Any(places) if targets[place].is_some() => {
                    if places.iter().any(|target| open[*target]) {
                        self.cut_reference(id, ENDLESS);
                    }
                    rest.extend(places.iter().copied().map(Visit::Enter));
                }
                End::Any(places) => rest.extend(places.first().copied().map(Visit::Enter)),
                End::All(places) => rest.extend(places.iter().copied().map(Visit::Enter)),
            }
        }
    }

    /// For each subschema what its end depends on.
    fn ends(&self, parts: &[Part], targets: &[Option<usize>]) -> Vec<End> {
        let mut ends: Vec<End> = parts
            .iter()
            .zip(targets)
            .map(|(part, target)| self.end(part.id, *target))
            .collect();
        for (place, part) in parts.iter().enumerate().skip(1) {
            match (&mut ends[part.holder], part.role) {
                (End::Any(places), Role::Branch) if targets[part.holder].is_none() => {
                    places.push(place);
                }
                (End::All(places), role) if self.needs(parts[part.holder].id, role) => {
                    places.push(place);
                }
                _ => {}
            }
        }
        ends
    }

    fn end(&self, id: Id, target: Option<usize>) -> End {
        if let Some(target) = target {
            return End::Any(vec![target]);
        }
        if self.tree.has(id, "anyOf") {
            return End::Any(Vec::new());
        }
        let composite = Types::ARRAY.or(Types::OBJECT);
        match self.types(id) {
            None if self.tree.members(id).is_empty() => End::Here,
            None => End::Unseen,
            Some(types) if !types.without(composite).is_empty() => End::Here,
            Some(_) => End::All(Vec::new()),
        }
    }

    /// Whether an object or array can't do without what stands in this role.
    fn needs(&self, id: Id, role: Role) -> bool {
        let is_array = self
            .types(id)
            .is_some_and(|types| types.names(Types::ARRAY));
        match role {
            Role::Property { required } => required && !is_array,
            Role::Items => {
                let least = self.tree.get(id, "minItems");
                let least = least.and_then(|least| self.tree.raw(least).parse::<f64>().ok());
                is_array && least.is_some_and(|least| least >= 1.0)
            }
            _ => false,
        }
    }

    /// Lets Moonshot see that a schema without a type has an end.
    fn show_end(&mut self, id: Id) {
        let only_annotated = self
            .tree
            .members(id)
            .iter()
            .all(|(key, _)| may_stand_twice(&key.name));
        if let Some(one) = self.implied_type(id) {
            self.set_types(id, one);
        } else if only_annotated {
            self.set_types(id, Types::ALL);
        } else {
            // A choice that every value meets.
            let branch = self.tree.make_empty(id);
            self.set_types(branch, Types::ALL);
            let choice = self.tree.make(id, Json::Array(vec![branch]));
            self.tree.set(id, "anyOf", choice);
        }
    }

    /// The one type that all values of a schema without `type` have, if that can
    /// be seen.
    pub(super) fn implied_type(&self, id: Id) -> Option<Types> {
        if let Some(value) = self.tree.get(id, "const") {
            return Some(Types::of(self.tree.kind(value), self.tree.raw(value)));
        }
        let typed = |id: &Id| self.known_types(*id).filter(|types| types.count() == 1);
        if let Some(all) = self.tree.get(id, "allOf") {
            if let Some(one) = self.tree.elements(all).iter().find_map(typed) {
                return Some(one);
            }
        }
        let choice = self.tree.get(id, "oneOf")?;
        let mut branches = self.tree.elements(choice).iter().map(typed);
        let first = branches.next()??;
        branches.all(|types| types == Some(first)).then_some(first)
    }

    /// Takes out a reference, so that what is left has an end.
    fn cut_reference(&mut self, id: Id, why: &'static str) {
        self.drop(id, "$ref", why);
        let typed = ["type", "anyOf"]
            .iter()
            .any(|keyword| self.tree.has(id, keyword));
        if !typed && !self.tree.members(id).is_empty() {
            self.show_end(id);
        }
    }

    // === beside a reference ===

    /// Leaves beside a reference only what its target doesn't say.
    fn target_once(&mut self) {
        let mut ends = HashMap::new();
        for part in self.tree.survey() {
            if part.definition.is_none() && self.tree.has(part.id, "$ref") {
                self.beside_reference(part.id, &mut ends);
            }
        }
    }

    fn beside_reference(&mut self, id: Id, ends: &mut HashMap<Id, Id>) {
        let Some(end) = self.end_of_chain(id, ends) else {
            return;
        };
        let twice = self.said_twice(id, end);
        if twice.is_empty() {
            return;
        }
        self.note(id, "$ref", TWICE);
        // Of what chains consist of, only the root is ever changed here.
        if id == Id::ROOT {
            ends.clear();
        }
        for keyword in &twice {
            if id == Id::ROOT && HOLD_DEFINITIONS.contains(&keyword.as_str()) {
                // Those at the root are referred to, and others are kept there.
                for there in self.tree.branches(end).to_vec().into_iter().chain([end]) {
                    self.tree.remove(there, keyword);
                }
            } else if UNEVALUATED.contains(&keyword.as_str()) {
                // Apart from what stands beside it, it would say more.
                self.drop(
                    id,
                    UNEVALUATED[usize::from(keyword == "unevaluatedItems")],
                    TWICE,
                );
            } else if !asserts(keyword) {
                self.tree.remove(id, keyword);
            } else if self.tree.has(id, keyword) && keyword != "allOf" {
                self.conjoin(id, group(&keyword.as_str()));
            }
        }
        if !self.said_twice(id, end).is_empty() {
            // Both have to go where Moonshot doesn't look.
            let names = self
                .names(id)
                .filter(|name| id != Id::ROOT || !HOLD_DEFINITIONS.contains(name));
            let names: Vec<String> = names.chain(["$ref"]).map(str::to_owned).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            self.conjoin(id, &names);
        }
    }

    /// The keywords that neither the end of a reference nor its branches may have
    /// too.
    fn said_twice(&self, id: Id, end: Id) -> Vec<String> {
        let branches = self.tree.branches(end).iter();
        let in_branches = branches.flat_map(|branch| self.names(*branch));
        let there = self
            .names(end)
            .chain(in_branches.filter(|name| *name != "anyOf"));
        let there: Names<'_> = there.map(Cow::Borrowed).collect();
        let typed = self.tree.has(end, "type");
        self.names(id)
            .filter(|name| there.contains(name) || (*name == "anyOf" && typed))
            .map(str::to_owned)
            .collect()
    }

    /// The keywords that may stand on one side of a reference only.
    fn names(&self, id: Id) -> impl Iterator<Item = &str> {
        let names = self.tree.members(id).iter().map(|(key, _)| &*key.name);
        names.filter(|name| *name != "$ref" && !may_stand_twice(name))
    }

    /// Follows a reference, and definitions that are nothing but another
    /// reference. `ends` are those that are known.
    pub(super) fn end_of_chain(&self, id: Id, ends: &mut HashMap<Id, Id>) -> Option<Id> {
        let mut end = self.referenced(id)?;
        let mut passed = HashSet::from([end]);
        while let Some(next) = self.referenced(end) {
            if let Some(known) = ends.get(&end) {
                end = *known;
                break;
            }
            if self.names(end).next().is_some() || !passed.insert(next) {
                break;
            }
            end = next;
        }
        ends.extend(passed.into_iter().map(|passed| (passed, end)));
        Some(end)
    }

    // === depth through references ===

    /// Takes out references that lead too deep.
    pub(super) fn deep_references(&mut self) {
        if !self.references {
            return;
        }
        loop {
            let parts = self.tree.survey();
            let targets = self.targets(&parts);
            let mut definitions = own_depths(&parts, &targets);
            let mut done = BTreeSet::new();
            let mut cut = false;
            for (part, target) in parts.iter().zip(&targets) {
                let (None, Some(target)) = (part.definition, *target) else {
                    continue;
                };
                deepen(target, &mut definitions, &mut done);
                let below = definitions.get(&target).map_or(0, |found| found.depth);
                if part.depth + below > MAX_DEPTH {
                    self.cut_reference(part.id, TOO_DEEP);
                    cut = true;
                }
            }
            if !cut {
                return;
            }
        }
    }
}

/// A step of a search that has to know what it is in the middle of.
#[derive(Clone, Copy)]
enum Visit {
    Enter(usize),
    Leave(usize),
}

/// Which subschemas have an end: first those that need nothing, then whatever
/// waited for them. A recursion without an end is never reached.
fn finite(ends: &[End]) -> Vec<bool> {
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); ends.len()];
    let mut missing = vec![0; ends.len()];
    let mut found = Vec::new();
    for (place, end) in ends.iter().enumerate() {
        match end {
            End::Here => found.push(place),
            End::Unseen => {}
            End::Any(places) => {
                missing[place] = 1;
                places
                    .iter()
                    .for_each(|needed| waiting[*needed].push(place));
            }
            End::All(places) => {
                missing[place] = places.len();
                if places.is_empty() {
                    found.push(place);
                }
                places
                    .iter()
                    .for_each(|needed| waiting[*needed].push(place));
            }
        }
    }
    let mut finite = vec![false; ends.len()];
    while let Some(place) = found.pop() {
        if std::mem::replace(&mut finite[place], true) {
            continue;
        }
        for &waiter in &waiting[place] {
            missing[waiter] = missing[waiter].saturating_sub(1);
            if missing[waiter] == 0 && !finite[waiter] {
                found.push(waiter);
            }
        }
    }
    finite
}

/// How deep a definition is, and which others are named how deep in it.
#[derive(Debug, Default)]
struct Depth {
    depth: usize,
    references: Vec<(usize, usize)>,
}

/// The depth of each definition without what its references lead to.
fn own_depths(parts: &[Part], targets: &[Option<usize>]) -> BTreeMap<usize, Depth> {
    let mut depths: BTreeMap<usize, Depth> = BTreeMap::new();
    for (part, target) in parts.iter().zip(targets) {
        let Some(definition) = part.definition else {
            continue;
        };
        let depth = part.depth - parts[definition].depth;
        let own = depths.entry(definition).or_default();
        own.depth = own.depth.max(depth);
        own.references.extend(target.map(|target| (depth, target)));
    }
    depths
}

/// Adds to the depth of a definition what its references lead to. One back to a
/// definition that is being added up counts nothing, and the last one is followed
/// first, as Moonshot does it.
fn deepen(start: usize, depths: &mut BTreeMap<usize, Depth>, done: &mut BTreeSet<usize>) {
    let mut open = BTreeSet::new();
    let mut rest = vec![Visit::Enter(start)];
    while let Some(visit) = rest.pop() {
        match visit {
            Visit::Enter(place) => {
                let Some(definition) = depths.get(&place) else {
                    continue;
                };
                if done.contains(&place) || !open.insert(place) {
                    continue;
                }
                rest.push(Visit::Leave(place));
                let targets = definition.references.iter().map(|(_, target)| *target);
                rest.extend(
                    targets
                        .filter(|target| !open.contains(target))
                        .map(Visit::Enter),
                );
            }
            Visit::Leave(place) => {
                let Some(definition) = depths.get(&place) else {
                    continue;
                };
                let through = definition
                    .references
                    .iter()
                    .filter(|(_, target)| done.contains(target))
                    .filter_map(|(below, target)| Some(below + depths.get(target)?.depth));
                let depth = through.max().unwrap_or(0).max(definition.depth);
                done.insert(place);
                if let Some(definition) = depths.get_mut(&place) {
                    definition.depth = depth;
                }
            }
        }
    }
}
