//! References that Moonshot meets where it validates nothing.
//!
//! It goes through every member that is an object, whatever its key, `$defs`
//! excepted, and of arrays through `anyOf` (validator). A `$ref` that it meets on this
//! way, in `not`, `patternProperties`, `definitions` or in data, has to be one that
//! it can follow, in a place where a reference may be. What has another one moves
//! into an `allOf`, where it goes on to mean what it meant and is not met.

use std::collections::{HashMap, HashSet};

use super::{
    keyword::{
        ADDITIONAL_PROPERTIES, ANY_OF, CONST, DEFS, ITEMS, Name, PROPERTIES, Place, REF, REQUIRED,
        TYPE, group, may_repeat,
    },
    numbers::Map,
    recursion::Ends,
    repair::{Repair, Stop},
    resolve::DEFINITION,
    tree::Id,
};
use crate::json::Kind;

const MET: &str = "Moonshot refuses this reference outside of allOf";
const IN_DATA: &str = "Moonshot takes a key $ref in data for a reference";

/// An object with a key `$ref` that Moonshot meets and does not validate.
#[derive(Clone, Copy, Debug)]
struct Met {
    id: Id,
    /// Whether a reference may be there.
    is_allowed: bool,
    has_to_end: bool,
    remedy: Remedy,
}

/// What makes a reference invisible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Remedy {
    /// The schema becomes the only one of its own `allOf`.
    Wrap(Id),
    /// The keyword, and those that belong to it, move into the schema's `allOf`.
    Conjoin(Id, Name),
    /// The annotation is removed.
    Drop(Id, Name),
}

/// A value on the way, and how it was come to.
#[derive(Clone, Copy)]
struct Step {
    id: Id,
    place: Place,
    /// The last key on the way; none at the root.
    last: Option<Name>,
    is_allowed: bool,
    has_to_end: bool,
    /// What to do about a `$ref` here if this is no schema.
    remedy: Remedy,
}

/// All such objects.
#[derive(Debug, Default)]
pub(super) struct Walked {
    met: Vec<Met>,
}

impl Walked {
    /// Walks what is below the root, or below a member of it.
    pub(super) fn of(repair: &Repair<'_>, start: Id) -> Self {
        let tree = &repair.tree;
        let mut is_part = vec![false; tree.count()];
        for part in tree.parts() {
            is_part[part.id.index()] = true;
        }
        let (place, last) = if start == Id::ROOT {
            (Place::Schema, None)
        } else {
            (Place::Schema.of(tree.key(start)), Some(tree.key(start)))
        };
        let mut met = Vec::new();
        let mut rest = vec![Step {
            id: start,
            place,
            last,
            is_allowed: true,
            has_to_end: true,
            remedy: Remedy::Conjoin(Id::ROOT, last.unwrap_or(REF)),
        }];
        while let Some(step) = rest.pop() {
            let id = step.id;
            let is_schema = step.place == Place::Schema;
            if tree.has(id, REF) && !is_part[id.index()] {
                met.push(Met {
                    id,
                    is_allowed: step.is_allowed,
                    has_to_end: step.has_to_end,
                    remedy: if is_schema {
                        Remedy::Wrap(id)
                    } else {
                        step.remedy
                    },
                });
            }
            let required = tree
                .get(id, REQUIRED)
                .filter(|required| tree.is_array(*required));
            let requires_nothing =
                required.is_some_and(|required| tree.elements(required).next().is_none());
            for child in tree.members(id) {
                let key = tree.key(child);
                let place = step.place.of(key);
                let next = Step {
                    id: child,
                    place,
                    last: Some(key),
                    is_allowed: step.last.is_none()
                        || step.last == Some(PROPERTIES)
                        || matches!(key, ITEMS | ADDITIONAL_PROPERTIES)
                        || tree.name(key).starts_with("anyOf"),
                    has_to_end: step.has_to_end
                        && key != ADDITIONAL_PROPERTIES
                        && !(key == PROPERTIES && requires_nothing),
                    remedy: match (is_schema, is_part[id.index()], place) {
                        (false, ..) => step.remedy,
                        (true, false, _) => Remedy::Wrap(id),
                        (true, true, Place::Data) if key != CONST => Remedy::Drop(id, key),
                        (true, true, _) => Remedy::Conjoin(id, key),
                    },
                };
                if tree.is_object(child) && key != DEFS {
                    rest.push(next);
                } else if key == ANY_OF {
                    let branches = tree
                        .elements(child)
                        .filter(|branch| tree.is_object(*branch));
                    rest.extend(branches.map(|branch| Step {
                        id: branch,
                        is_allowed: true,
                        ..next
                    }));
                }
            }
        }
        Self { met }
    }

    /// Whether Moonshot refuses any of these.
    pub(super) fn any_is_refused(&self, repair: &Repair<'_>) -> bool {
        let mut judge = Judge::default();
        self.met.iter().any(|met| !judge.accepts(repair, met, None))
    }
}

/// What is known of references.
#[derive(Debug, Default)]
struct Judge {
    targets: HashMap<String, Option<Id>>,
    ends: Map<Id, Id>,
}

impl Judge {
    /// Whether Moonshot accepts a reference where it is.
    fn accepts(&mut self, repair: &Repair<'_>, met: &Met, ends: Option<&Ends>) -> bool {
        let tree = &repair.tree;
        let id = met.id;
        let Some(value) = tree.get(id, REF) else {
            return true;
        };
        if tree.kind(value) == Kind::Null {
            // It counts as a reference to the schema that it is in.
            let mut keys = tree.members(id).map(|member| tree.key(member));
            let is_alone = keys.all(|key| key == REF || may_repeat(key));
            return is_alone && met.is_allowed && (ends.is_none() || !met.has_to_end);
        }
        let Some(text) = tree.string(value) else {
            return false;
        };
        if !met.is_allowed || !(text == "#" || text.starts_with(DEFINITION)) {
            return false;
        }
        let known = self.targets.entry(text.into_owned());
        let target = *known.or_insert_with_key(|text| repair.literal_target(text));
        let Some(target) = target else {
            return false;
        };
        let end = match repair.end_of_chain(target, &mut self.ends) {
            Some(end) if is_bare(repair, target) => end,
            _ => target,
        };
        let is_apart =
            repair.said_twice(id, end).is_empty() && !(tree.has(id, TYPE) && tree.has(end, ANY_OF));
        is_apart && (!met.has_to_end || ends.is_none_or(|ends| ends.is_finite(target)))
    }
}

/// Whether a schema is nothing but a reference.
fn is_bare(repair: &Repair<'_>, id: Id) -> bool {
    let mut keys = repair
        .tree
        .members(id)
        .map(|member| repair.tree.key(member));
    keys.all(|key| key == REF || may_repeat(key))
}

impl Repair<'_> {
    /// Hides the references that Moonshot would refuse.
    pub(super) fn walked_references(&mut self) -> Result<(), Stop> {
        self.check()?;
        let walked = Walked::of(self, Id::ROOT);
        if walked.met.is_empty() {
            return Ok(());
        }
        let ends = self.ends();
        let mut judge = Judge::default();
        let mut remedies = Vec::new();
        for met in &walked.met {
            if !judge.accepts(self, met, ends.as_ref()) {
                remedies.push(met.remedy);
            }
        }
        let mut known = HashSet::new();
        remedies.retain(|remedy| known.insert(*remedy));
        for remedy in &remedies {
            self.check()?;
            self.remedy(*remedy);
        }
        if !remedies.is_empty() {
            self.hidden_references()?;
        }
        Ok(())
    }

    fn remedy(&mut self, remedy: Remedy) {
        match remedy {
            Remedy::Wrap(id) => self.wrap(id),
            Remedy::Conjoin(id, keyword) => {
                if self.tree.has(id, keyword) {
                    self.conjoin(id, &group(keyword));
                    let is_data = Place::Schema.of(keyword) == Place::Data;
                    self.note(id, keyword, if is_data { IN_DATA } else { MET });
                }
            }
            Remedy::Drop(id, keyword) => {
                if self.tree.remove_member(id, keyword).is_some() {
                    self.note(id, keyword, IN_DATA);
                }
            }
        }
    }

    /// Makes a schema the only one of its own `allOf`.
    fn wrap(&mut self, id: Id) {
        let target = self.target(id);
        let inner = self.tree.move_out(id);
        self.set_target(id, None);
        self.set_target(inner, target);
        self.conjoin_schema(id, inner);
        self.note(id, REF, MET);
    }
}
