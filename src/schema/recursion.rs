//! Recursions that Moonshot sees the end of.
//!
//! If no value of the root can be seen to be finite, every reference that Moonshot
//! follows has to lead to something of which one can (validator). An object is finite
//! if any of the properties that it requires is, an array if its items are.

use super::{
    keyword::{ALL_OF, ANY_OF, CONST, ITEMS, ONE_OF, PROPERTIES, REF, REQUIRED, TYPE, may_repeat},
    numbers::Set,
    parts::Part,
    repair::{Repair, Stop},
    tree::Id,
    types::Types,
};

/// How often something is looked at again.
const MAX_ROUNDS: usize = 8;

const ENDLESS: &str = "a recursion that has to go on has no end";
const NO_END: &str = "Moonshot sees no end in a definition without a type";

/// What has to have an end for a subschema to have one.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// Nothing: it has one.
    Here,
    /// Any of these subschemas, by their places.
    Any(Vec<u32>),
    /// The validator sees none: it doesn't look into `oneOf` and the like.
    Unseen,
}

/// Whether the places of a list of parts have an end.
#[derive(Debug)]
pub(super) struct Ends {
    places: Vec<Option<u32>>,
    finite: Vec<bool>,
}

impl Ends {
    /// Whether a subschema has an end that the validator sees.
    pub(super) fn is_finite(&self, id: Id) -> bool {
        let place = self.places.get(id.index()).copied().flatten();
        place.is_some_and(|place| self.finite[place as usize])
    }
}

impl Repair<'_> {
    /// Settles what references lead to, as far as Moonshot follows them: those
    /// outside of definitions.
    pub(super) fn recursions(&mut self) -> Result<(), Stop> {
        // What is moved out of one's way may come in another's.
        for _ in 0..MAX_ROUNDS {
            let was_changed = std::mem::replace(&mut self.is_changed, false);
            self.evaluations();
            if self.any_reference {
                self.end_recursions()?;
            }
            for part in self.tree.parts() {
                self.check()?;
                self.several_types(part.id);
                self.both_sides(part.id);
            }
            if self.any_reference {
                self.siblings()?;
            }
            let is_changed = self.is_changed;
            self.is_changed |= was_changed;
            if !is_changed {
                break;
            }
        }
        Ok(())
    }

    /// The place of each part in their list.
    fn places(&self, parts: &[Part]) -> Vec<Option<u32>> {
        let mut places = vec![None; self.tree.count()];
        for (place, part) in (0..).zip(parts) {
            places[part.id.index()] = Some(place);
        }
        places
    }

    /// Where in a list of parts each reference leads.
    pub(super) fn target_places(&self, parts: &[Part]) -> Vec<Option<usize>> {
        let places = self.places(parts);
        let place = |part: &Part| {
            let target = self.referenced(part.id)?;
            places.get(target.index()).copied().flatten()
        };
        parts
            .iter()
            .map(|part| place(part).map(|place| place as usize))
            .collect()
    }

    /// What has an end, if the root has none that the validator sees. If it has, the
    /// validator doesn't ask.
    pub(super) fn ends(&self) -> Option<Ends> {
        let parts = self.tree.parts();
        let places = self.places(&parts);
        let targets = self.target_places(&parts);
        let ends = self.needs(&parts, &targets, &places);
        let finite = finite(&ends);
        (!finite[0]).then_some(Ends { places, finite })
    }

    /// Shows Moonshot the end of the definitions that it sees none in, and cuts
    /// recursions that have none.
    fn end_recursions(&mut self) -> Result<(), Stop> {
        let parts = self.tree.parts();
        let places = self.places(&parts);
        let targets = self.target_places(&parts);
        let ends = self.needs(&parts, &targets, &places);
        let finite = finite(&ends);
        if finite[0] {
            return Ok(());
        }
        let asked = parts.iter().zip(&targets).filter_map(|(part, target)| {
            let is_asked = part.definition.is_none() && part.has_to_end;
            target.filter(|_| is_asked)
        });
        for target in asked.clone().filter(|target| finite[*target]) {
            if let Some(empty) = self.described_empty(target, &parts, &targets)? {
                self.show_end(empty);
                self.note(empty, None, NO_END);
            }
        }
        let endless = asked.filter(|target| !finite[*target]);
        let mut rest: Vec<Visit> = endless.map(Visit::Enter).collect();
        let mut visited = vec![false; parts.len()];
        let mut open = vec![false; parts.len()];
        while let Some(visit) = rest.pop() {
            self.check()?;
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
                    self.note(id, None, NO_END);
                }
                End::Any(next) => {
                    let next = next.iter().map(|next| *next as usize);
                    if targets[place].is_some() {
                        if next.clone().any(|target| open[target]) {
                            self.cut_reference(id, ENDLESS);
                        }
                        rest.extend(next.map(Visit::Enter));
                    } else {
                        // One end is enough.
                        rest.extend(next.take(1).map(Visit::Enter));
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the empty schema that a reference to `target` leads to by way of definitions
    /// of which one has a title or a description. An empty schema has an end, but isn't
    /// empty with these (validator).
    fn described_empty(
        &self,
        mut target: usize,
        parts: &[Part],
        targets: &[Option<usize>],
    ) -> Result<Option<Id>, Stop> {
        let mut is_described = false;
        for _ in 0..parts.len() {
            self.check()?;
            let id = parts[target].id;
            let Some(next) = targets[target] else {
                let is_empty = !self.tree.has_members(id);
                return Ok((is_described && is_empty).then_some(id));
            };
            for member in self.tree.members(id) {
                let keyword = self.tree.key(member);
                if may_repeat(keyword) {
                    is_described = true;
                } else if keyword != REF {
                    return Ok(None);
                }
            }
            target = next;
        }
        Ok(None)
    }

    /// For each part what its end depends on.
    fn needs(&self, parts: &[Part], targets: &[Option<usize>], places: &[Option<u32>]) -> Vec<End> {
        let place = |id: Id| places.get(id.index()).copied().flatten();
        let each = parts.iter().zip(targets);
        each.map(|(part, target)| match target {
            Some(target) if !self.tree.has(part.id, TYPE) => End::Any(vec![*target as u32]),
            _ => self.need(part.id, &place),
        })
        .collect()
    }

    fn need(&self, id: Id, place: &impl Fn(Id) -> Option<u32>) -> End {
        let types = self.types_in_order(id);
        let is_composite = |one: &Types| matches!(*one, Types::OBJECT | Types::ARRAY);
        if types.iter().any(|one| !is_composite(one)) {
            return End::Here;
        }
        let mut any = Vec::new();
        // Of several types the validator looks at the last.
        match types.last() {
            Some(&Types::ARRAY) => match self.tree.object(id, ITEMS) {
                Some(items) if self.tree.has_members(items) => any.extend(place(items)),
                _ => return End::Here,
            },
            Some(_) => {
                let Some(required) = self.tree.list(id, REQUIRED) else {
                    return End::Here;
                };
                let names: Set<_> = self
                    .tree
                    .elements(required)
                    .filter_map(|name| self.required_name(name))
                    .collect();
                let properties = self.tree.object(id, PROPERTIES).into_iter();
                let members = properties.flat_map(|properties| self.tree.members(properties));
                let needed = members.filter(|member| names.contains(&self.tree.key(*member)));
                any.extend(needed.filter_map(place));
            }
            None => {}
        }
        if self.tree.has(id, ANY_OF) {
            any.extend(self.tree.branches(id).filter_map(place));
        } else if types.is_empty() {
            return if self.tree.has_members(id) {
                End::Unseen
            } else {
                End::Here
            };
        }
        End::Any(any)
    }

    /// Lets Moonshot see that a schema without a type has an end.
    fn show_end(&mut self, id: Id) {
        let mut members = self.tree.members(id).map(|member| self.tree.key(member));
        let is_annotated_only = members.all(may_repeat);
        if let Some(one) = self.implied_type(id) {
            self.set_types(id, &[one]);
        } else if is_annotated_only {
            self.set_types(id, &every_type());
        } else {
            // A choice that every value meets.
            let branch = self.tree.make_object(id);
            self.set_types(branch, &every_type());
            let choice = self.tree.make_array(id, [branch]);
            self.tree.set(id, ANY_OF, choice);
        }
    }

    /// The one type that all values of a schema without `type` have, if that can be
    /// seen.
    fn implied_type(&self, id: Id) -> Option<Types> {
        if let Some(value) = self.tree.get(id, CONST) {
            return Some(Types::of(self.tree.kind(value), self.tree.raw(value)));
        }
        let typed = |id: Id| self.known_types(id).filter(|types| types.count() == 1);
        if let Some(all) = self.tree.get(id, ALL_OF) {
            let one = self.tree.elements(all).find_map(typed);
            if one.is_some() {
                return one;
            }
        }
        let choice = self.tree.get(id, ONE_OF)?;
        let types = self.tree.elements(choice).map(typed);
        types
            .reduce(|all, one| all.filter(|all| Some(*all) == one))
            .flatten()
    }

    /// Removes a reference, so that what is left has an end.
    pub(super) fn cut_reference(&mut self, id: Id, why: &'static str) {
        self.drop_reference(id, why);
        let is_typed = self.tree.has(id, TYPE) || self.tree.has(id, ANY_OF);
        if !is_typed && self.tree.has_members(id) {
            self.show_end(id);
        }
    }
}

/// Every type, in the usual order.
fn every_type() -> Vec<Types> {
    let types = Types::ALL.each().filter(|one| *one != Types::NULL);
    types.chain([Types::NULL]).collect()
}

/// A step of a search that has to know what it is in the middle of.
#[derive(Clone, Copy)]
enum Visit {
    Enter(usize),
    Leave(usize),
}

/// Which subschemas have an end: first those that need nothing, then whatever waited
/// for them. A recursion without an end is never reached.
fn finite(ends: &[End]) -> Vec<bool> {
    let mut waiting: Vec<Vec<u32>> = vec![Vec::new(); ends.len()];
    let mut found = Vec::new();
    for (place, end) in (0..).zip(ends) {
        match end {
            End::Here => found.push(place),
            End::Unseen => {}
            End::Any(places) => {
                for needed in places {
                    waiting[*needed as usize].push(place);
                }
            }
        }
    }
    let mut finite = vec![false; ends.len()];
    while let Some(place) = found.pop() {
        if !std::mem::replace(&mut finite[place as usize], true) {
            found.extend(&waiting[place as usize]);
        }
    }
    finite
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_passed_on() {
        let ends = [
            End::Any(vec![1, 2]),
            End::Any(vec![1]),
            End::Here,
            End::Unseen,
            End::Any(vec![3]),
        ];
        assert_eq!(finite(&ends), [true, false, true, false, false]);
    }

    #[test]
    fn every_type_is_named_once() {
        assert_eq!(every_type().len(), 6);
    }
}
