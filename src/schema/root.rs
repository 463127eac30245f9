//! The root of a tool's parameters: an object, and said so.
//!
//! That the root has `"type": "object"` is the API's own demand (live reports).
//! Arguments are always objects, so what else a root admits is left out (judgement).

use std::rc::Rc;

use super::{
    keyword::{
        ALL_OF, ANY_OF, CONST, DEFINITIONS, DEFS, ENUM, ID, Name, ONE_OF, REF, SCHEMA, TYPE,
    },
    numbers::Map,
    repair::{Repair, Stop, is_of_document},
    tree::Id,
    types::Types,
};
use crate::json::Kind;

/// How many alternatives of a root are told apart, and forms of one property.
pub(super) const MAX_FORMS: usize = 500;

/// How many schemas one alternative may consist of. What else it consists of is not
/// looked into, as if it admitted everything.
const MAX_PARTS: usize = 32;

const AN_OBJECT: &str = "the parameters of a tool are an object";
const ONE_OBJECT: &str = "the root of a tool's parameters is one object";

/// A way to be admitted by the root: these schemas all admit, the root itself first.
pub(super) type Alternative = Vec<Id>;

/// An alternative that is being found: its last part, and those before.
struct Found {
    part: Id,
    before: Option<Rc<Self>>,
    count: usize,
}

impl Found {
    /// The parts, the last one first.
    fn parts(&self) -> impl Iterator<Item = Id> {
        std::iter::successors(Some(self), |found| found.before.as_deref()).map(|found| found.part)
    }

    fn and(self: &Rc<Self>, part: Id) -> Rc<Self> {
        Rc::new(Self {
            part,
            before: Some(Rc::clone(self)),
            count: self.count + 1,
        })
    }
}

impl Repair<'_> {
    /// Makes of the root one object. It is hopeless if no object can be admitted.
    pub(super) fn tool_root(&mut self) -> Result<(), Stop> {
        let choice = [REF, ANY_OF]
            .into_iter()
            .find(|keyword| self.tree.has(Id::ROOT, *keyword));
        if choice == Some(REF) {
            self.drop_ignored(Id::ROOT);
        }
        let alternatives = self.alternatives();
        let is_typed = |part: &Id| self.types(*part) == Some(Types::OBJECT);
        let only_objects = alternatives
            .iter()
            .all(|alternative| alternative.iter().any(is_typed));
        let admits = |alternative: &&Alternative| {
            !alternative.iter().any(|part| self.excludes_objects(*part))
        };
        let mut objects: Vec<Alternative> = alternatives.iter().filter(admits).cloned().collect();
        if objects.is_empty() {
            // One that says it is an object, and contradicts itself, admits nothing.
            let says_object = self
                .types(Id::ROOT)
                .is_some_and(|all| all.names(Types::OBJECT));
            if !says_object {
                return Err(Stop::Hopeless);
            }
            objects = alternatives;
            if self.has_other_values(Id::ROOT) {
                self.drop(Id::ROOT, ENUM, AN_OBJECT);
            }
        }
        if !only_objects {
            self.keep_root();
        }
        if let Some(choice) = choice {
            self.merge(&objects)?;
            self.note_altered(Id::ROOT, choice, ONE_OBJECT);
        }
        let value = self.tree.get(Id::ROOT, TYPE);
        if value.is_none_or(|value| self.tree.kind(value) != Kind::String) {
            let object = self.tree.make_raw(Id::ROOT, Types::OBJECT.quoted());
            let place = [Some(TYPE), choice].into_iter().flatten();
            let old = place
                .filter_map(|place| self.tree.get(Id::ROOT, place))
                .next();
            match old {
                Some(old) => self.tree.replace(Id::ROOT, old, TYPE, object),
                None => self.tree.prepend(Id::ROOT, TYPE, object),
            }
            self.note_altered(Id::ROOT, TYPE, AN_OBJECT);
        }
        self.tree.remove_member(Id::ROOT, REF);
        self.tree.remove_member(Id::ROOT, ANY_OF);
        Ok(())
    }

    /// All ways to be admitted by the root. If there are too many, some choices are
    /// not looked into, as if they admitted everything.
    fn alternatives(&self) -> Vec<Alternative> {
        let root = Rc::new(Found {
            part: Id::ROOT,
            before: None,
            count: 1,
        });
        let mut ends = Map::default();
        let mut complete = Vec::new();
        // What has been found, and its parts that have not been looked into.
        let mut rest = vec![(root, vec![Id::ROOT])];
        while let Some((mut found, mut unseen)) = rest.pop() {
            let Some(part) = unseen.pop().filter(|_| found.count < MAX_PARTS) else {
                let mut parts: Alternative = found.parts().collect();
                parts.reverse();
                complete.push(parts);
                continue;
            };
            self.tree.charge(found.count);
            if let Some(target) = self.end_of_chain(part, &mut ends) {
                if !found.parts().any(|known| known == target) {
                    found = found.and(target);
                    unseen.push(target);
                }
            }
            let branches: Vec<Id> = self.tree.branches(part).collect();
            if branches.is_empty() || rest.len() + complete.len() + branches.len() > MAX_FORMS {
                rest.push((found, unseen));
                continue;
            }
            for &branch in branches.iter().rev() {
                let mut unseen = unseen.clone();
                unseen.push(branch);
                rest.push((found.and(branch), unseen));
            }
        }
        complete
    }

    /// Whether a schema can be seen to admit no object.
    fn excludes_objects(&self, id: Id) -> bool {
        /// How far it is looked into `allOf` and `oneOf` within each other.
        const LEVELS: usize = 4;
        self.excludes(id, LEVELS)
    }

    fn excludes(&self, id: Id, levels: usize) -> bool {
        let Some(levels) = levels.checked_sub(1) else {
            return false;
        };
        let all = |keyword| self.tree.list(id, keyword);
        self.is_for_others(id)
            || all(ALL_OF).is_some_and(|all| {
                let mut all = self.tree.elements(all);
                all.any(|id| self.excludes(id, levels))
            })
            || all(ONE_OF).is_some_and(|all| {
                let mut all = self.tree.elements(all);
                all.all(|id| self.excludes(id, levels))
            })
    }

    fn is_for_others(&self, id: Id) -> bool {
        let is_other = |id| self.tree.kind(id) != Kind::Object;
        self.known_types(id)
            .is_some_and(|types| !types.names(Types::OBJECT))
            || self.tree.get(id, CONST).is_some_and(is_other)
            || self.has_other_values(id)
    }

    /// Whether none of the values of an `enum` is an object.
    fn has_other_values(&self, id: Id) -> bool {
        self.tree.list(id, ENUM).is_some_and(|values| {
            let mut values = self.tree.elements(values);
            values.all(|value| !self.tree.is_object(value))
        })
    }

    /// Keeps the root as a definition, for references to it from places that may
    /// hold something else than an object.
    fn keep_root(&mut self) {
        let referrers: Vec<Id> = self
            .all_targets()
            .filter(|(id, target)| *target == Id::ROOT && *id != Id::ROOT)
            .map(|(id, _)| id)
            .collect();
        if referrers.is_empty() {
            return;
        }
        let members: Vec<Id> = self.tree.members(Id::ROOT).collect();
        let copy = self.tree.make_object(Id::ROOT);
        for member in members {
            let key = self.tree.key(member);
            if !is_of_document(key) {
                let value = self.copy_or_empty(member);
                self.tree.append(copy, key, value);
            }
        }
        let target = self.target(Id::ROOT);
        self.set_target(copy, target);
        self.define(copy, "root");
        let copied: Vec<Id> = self.tree.containers(copy);
        for id in copied.into_iter().chain(referrers) {
            if self.target(id) == Some(Id::ROOT) {
                self.set_target(id, Some(copy));
            }
        }
        self.spell_references();
    }

    /// Takes over what else the only alternative says.
    pub(super) fn take_over(&mut self, part: Id) {
        let members: Vec<Id> = self.tree.members(part).collect();
        for member in members {
            let key = self.tree.key(member);
            if !is_merged(key) && !self.tree.has(Id::ROOT, key) {
                let copy = self.copy_or_empty(member);
                self.tree.append(Id::ROOT, key, copy);
            }
        }
    }
}

/// Whether merging settles what the root says by a keyword.
fn is_merged(keyword: Name) -> bool {
    matches!(
        keyword,
        TYPE | REF
            | ANY_OF
            | DEFS
            | DEFINITIONS
            | ID
            | SCHEMA
            | super::keyword::PROPERTIES
            | super::keyword::REQUIRED
            | super::keyword::ANCHOR
            | super::keyword::DYNAMIC_ANCHOR
    )
}
