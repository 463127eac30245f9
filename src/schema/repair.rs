//! The repair of one schema: passes over its tree, in their order.

use super::{
    Budget, Use,
    changes::{Changes, Repaired},
    definitions::Definitions,
    inlining::Inlining,
    keyword::{ALL_OF, DEFS, ID, Name, Place, REF, SCHEMA, asserts},
    numbers::{Map, Set},
    read::{MAX_BYTES, Weight, read},
    resolve::resolve,
    tree::{Id, Tree},
};
use crate::json::Kind;

/// What came of a schema.
#[derive(Debug)]
pub(crate) enum Outcome {
    Repaired(Repaired),
    /// It is fine as it is.
    Clean,
    /// No repair is known.
    Hopeless,
    /// The budget of the request did not suffice.
    OutOfBudget,
}

/// How deep brackets may lie within each other in a body: parsers stop at 127.
const MAX_NESTING: usize = 120;

/// How many brackets are around a schema in a body, at most.
const AROUND: usize = 8;

/// How often what is repaired is repaired again, and seen to be clean.
const MAX_ROUNDS: usize = 6;

/// The steps that a round takes beside those for each member.
const ROUND: u64 = 100;

const IGNORED: &str = "drafts before 2019-09 ignore it beside a reference";

/// Why a repair stops.
#[derive(Debug)]
pub(super) enum Stop {
    Hopeless,
    OutOfBudget,
}

/// Repairs a schema, of which the text has been validated.
pub(crate) fn repair(text: &str, usage: Use, budget: &mut Budget) -> Outcome {
    let mut repaired: Option<Repaired> = None;
    for _ in 0..MAX_ROUNDS {
        let current = repaired.as_ref().map_or(text, |repaired| &repaired.text);
        match repair_once(current, usage, budget) {
            Err(Stop::Hopeless) => return Outcome::Hopeless,
            Err(Stop::OutOfBudget) => return Outcome::OutOfBudget,
            Ok(Some(next)) => repaired = Some(next.after(repaired)),
            // What one round leaves to be done, the next one does. Nothing is half
            // done.
            Ok(None) => {
                let Some(repaired) = repaired else {
                    return Outcome::Clean;
                };
                let nesting = Weight::of(&repaired.text).nesting;
                if nesting + AROUND > MAX_NESTING && nesting > Weight::of(text).nesting {
                    return Outcome::Hopeless;
                }
                return Outcome::Repaired(repaired);
            }
        }
    }
    Outcome::Hopeless
}

/// One round. None if nothing is wrong.
fn repair_once(text: &str, usage: Use, budget: &mut Budget) -> Result<Option<Repaired>, Stop> {
    let weight = Weight::of(text);
    let room = budget.room() + Budget::ROOM_FOR_A_BYTE * text.len().min(MAX_BYTES);
    let steps = budget
        .steps()
        .saturating_sub(ROUND + text.len() as u64 / 16);
    if weight.needed > MAX_BYTES {
        budget.settle(steps, budget.room());
        return Err(Stop::Hopeless);
    }
    if steps == 0 || weight.values as u64 * 2 > steps {
        budget.settle(0, budget.room());
        return Err(Stop::OutOfBudget);
    }
    let tree = read(text, weight, steps, room).map_err(|_| Stop::Hopeless)?;
    let mut repair = Repair::new(tree, usage);
    let outcome = repair.passes();
    let room = repair.tree.room().min(budget.room());
    budget.settle(repair.tree.steps(), room);
    outcome?;
    Ok(repair
        .is_changed
        .then(|| repair.changes.finish(&repair.tree)))
}

/// A schema that is being repaired.
#[derive(Debug)]
pub(super) struct Repair<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) usage: Use,
    /// Whether the schema is of a draft before 2019-09, in which what is beside a
    /// `$ref` is ignored.
    is_old: bool,
    targets: Map<Id, Id>,
    /// What has been moved, and what it is now.
    moved: Map<Id, Id>,
    pub(super) definitions: Definitions,
    pub(super) inlining: Inlining,
    /// Branches that something beside their choice was moved into: what refers to
    /// one of these alone doesn't mean that.
    pub(super) narrowed: Set<Id>,
    /// Whether there are references at all. Repairs make copies of them only.
    pub(super) any_reference: bool,
    pub(super) any_unevaluated: bool,
    places: Vec<Place>,
    /// The schemas whose references start from another one than the root.
    pub(super) relative: Set<Id>,
    /// Whether an `$id` was removed, by which references may be spelled.
    pub(super) any_id_gone: bool,
    pub(super) is_changed: bool,
    pub(super) is_altered: bool,
    changes: Changes,
}

impl<'a> Repair<'a> {
    fn new(tree: Tree<'a>, usage: Use) -> Self {
        let resolved = resolve(&tree);
        let mut repair = Self {
            usage,
            is_old: false,
            moved: Map::default(),
            definitions: Definitions::default(),
            inlining: Inlining::default(),
            narrowed: Set::default(),
            any_reference: resolved.any_reference,
            any_unevaluated: resolved.any_unevaluated,
            targets: resolved.targets,
            places: resolved.places,
            relative: resolved.relative,
            any_id_gone: false,
            is_changed: false,
            is_altered: false,
            changes: Changes::default(),
            tree,
        };
        repair.is_old = repair.names_old_draft();
        repair
    }

    fn names_old_draft(&self) -> bool {
        let draft = self.tree.get(Id::ROOT, SCHEMA);
        draft
            .and_then(|draft| self.tree.string(draft))
            .is_some_and(|draft| {
                let version = draft.split("draft-0").nth(1);
                version.is_some_and(|version| version.starts_with(['3', '4', '5', '6', '7']))
            })
    }

    fn passes(&mut self) -> Result<(), Stop> {
        if !self.tree.is_object(Id::ROOT) {
            return Err(Stop::Hopeless);
        }
        self.name_definitions();
        self.plan_inlining();
        self.old_definitions();
        self.values()?;
        // Before anything moves to where it is not looked for.
        self.evaluations();
        if self.usage == Use::Tool {
            self.tool_root()?;
        }
        self.combinations()?;
        self.slashes();
        self.recursions()?;
        self.braces()?;
        self.limits()?;
        if self.is_changed {
            self.evaluations();
            self.hidden_references()?;
        }
        self.walked_references()?;
        self.length()
    }

    /// Whether there is work left in the budget.
    pub(super) fn check(&self) -> Result<(), Stop> {
        if self.tree.steps() == 0 {
            Err(Stop::OutOfBudget)
        } else {
            Ok(())
        }
    }

    // === what was done ===

    /// Keeps note of a change that admits just what was admitted.
    pub(super) fn note(&mut self, at: Id, keyword: impl Into<Option<Name>>, why: &'static str) {
        self.is_changed = true;
        self.changes.note(at, keyword.into(), why);
    }

    /// Keeps note that a subschema admits more than it did.
    pub(super) fn alter(&mut self, id: Id) {
        self.is_altered = true;
        self.tree.set_altered(id);
    }

    /// Keeps note of a change after which the subschema admits more.
    pub(super) fn note_altered(
        &mut self,
        at: Id,
        keyword: impl Into<Option<Name>>,
        why: &'static str,
    ) {
        self.alter(at);
        self.note(at, keyword, why);
    }

    /// Removes a keyword that decided something.
    pub(super) fn drop(&mut self, at: Id, keyword: Name, why: &'static str) {
        if self.tree.remove_member(at, keyword).is_some() {
            self.note_altered(at, keyword, why);
        }
    }

    // === references ===

    /// What a subschema has become, which is itself mostly.
    pub(super) fn now(&self, mut id: Id) -> Id {
        while let Some(moved) = self.moved.get(&id) {
            id = *moved;
        }
        id
    }

    /// What a reference leads to.
    pub(super) fn target(&self, id: Id) -> Option<Id> {
        self.targets.get(&id).map(|target| self.now(*target))
    }

    pub(super) fn set_target(&mut self, id: Id, target: Option<Id>) {
        match target {
            Some(target) => self.targets.insert(id, target),
            None => self.targets.remove(&id),
        };
    }

    /// The schemas that hold references, with what these lead to.
    pub(super) fn all_targets(&self) -> impl Iterator<Item = (Id, Id)> {
        let targets = self.targets.iter();
        targets.map(|(id, target)| (self.now(*id), self.now(*target)))
    }

    /// Removes a reference. In old drafts what is beside it was ignored, and would
    /// count from now on.
    pub(super) fn drop_reference(&mut self, id: Id, why: &'static str) {
        if self.tree.remove_member(id, REF).is_some() {
            self.set_target(id, None);
            self.note_altered(id, REF, why);
            self.drop_ignored(id);
        }
    }

    /// Removes what old drafts ignore beside a reference.
    pub(super) fn drop_ignored(&mut self, id: Id) {
        if !self.is_old {
            return;
        }
        let members: Vec<Id> = self.tree.members(id).collect();
        for member in members {
            let keyword = self.tree.key(member);
            if keyword != REF && asserts(keyword) {
                self.tree.remove(id, member);
                self.note_altered(id, keyword, IGNORED);
            }
        }
    }

    /// What a node of the text is made of.
    pub(super) fn place(&self, id: Id) -> Place {
        self.places.get(id.index()).copied().unwrap_or(Place::Data)
    }

    // === moving ===

    /// Takes a member or an element away, to be put somewhere else. References to it
    /// follow.
    pub(super) fn take(&mut self, holder: Id, id: Id) -> Id {
        let taken = self.tree.take(holder, id);
        self.is_now(id, taken);
        taken
    }

    /// Keeps note that a subschema is another node now.
    pub(super) fn is_now(&mut self, id: Id, now: Id) {
        if let Some(target) = self.targets.get(&id).copied() {
            self.targets.insert(now, target);
        }
        self.moved.insert(id, now);
    }

    /// A copy of a subschema, if there is room.
    pub(super) fn copy(&mut self, id: Id) -> Option<Id> {
        let targets = &mut self.targets;
        self.tree.copy(id, |from, to| {
            if let Some(target) = targets.get(&from).copied() {
                targets.insert(to, target);
            }
        })
    }

    /// As [`copy`](Self::copy); without room it is `{}`, which admits everything.
    pub(super) fn copy_or_empty(&mut self, id: Id) -> Id {
        self.copy(id).unwrap_or_else(|| {
            let empty = self.tree.make_object(id);
            self.alter(empty);
            empty
        })
    }

    /// Moves members of a schema into its `allOf`, where they go on to say what they
    /// say and Moonshot doesn't validate (validator).
    pub(super) fn conjoin(&mut self, at: Id, keywords: &[Name]) {
        let members: Vec<Id> = self.tree.members(at).collect();
        let schema = self.tree.make_object(at);
        for member in members {
            let keyword = self.tree.key(member);
            if keywords.contains(&keyword) {
                let taken = self.take(at, member);
                self.tree.append(schema, keyword, taken);
                if keyword == REF {
                    let target = self.targets.remove(&at);
                    self.set_target(schema, target);
                }
            }
        }
        self.conjoin_schema(at, schema);
    }

    /// Adds a schema to the `allOf` of another one.
    pub(super) fn conjoin_schema(&mut self, at: Id, schema: Id) {
        match self.tree.list(at, ALL_OF) {
            Some(all) => self.tree.append(all, Name::NONE, schema),
            None => {
                let all = self.tree.make_array(at, [schema]);
                self.tree.set(at, ALL_OF, all);
            }
        }
    }

    /// Makes `{"not":{}}` of a node, which admits nothing.
    pub(super) fn become_nothing(&mut self, id: Id) {
        self.tree.become_object(id);
        let anything = self.tree.make_object(id);
        self.tree.append(id, super::keyword::NOT, anything);
    }
}

/// Whether a member of the root is not part of what the root says: it stays where
/// it is when the root changes.
pub(super) fn is_of_document(keyword: Name) -> bool {
    matches!(keyword, DEFS | super::keyword::DEFINITIONS | ID | SCHEMA)
}

/// Whether a kind of value can be a schema.
pub(super) const fn is_boolean(kind: Kind) -> bool {
    matches!(kind, Kind::True | Kind::False)
}
