//! References from where Moonshot validates nothing: in `oneOf`, `allOf`, `not` and
//! the like.
//!
//! They go on to mean what they meant. One whose target is elsewhere now is spelled
//! anew. If a target admits more than it did, that may narrow what is around a
//! reference in `not`, `if` or `oneOf`: then these are removed or relaxed.

use super::{
    keyword::{
        ANY_OF, CONTAINS, DISCRIMINATOR, ELSE, IF, MAPPING, MAX_CONTAINS, NOT, Name, ONE_OF, Place,
        REF, THEN, UNEVALUATED,
    },
    numbers::{Map, Set},
    repair::{Repair, Stop},
    resolve::{Maps, from_root, percent_encoded},
    tree::{Id, quoted},
};
use crate::json::Kind;

const MOVED: &str = "what it refers to is elsewhere now";
const WIDER: &str = "what is referred to in it admits more now";
const LOST: &str = "what it refers to is not there any more";
const NOWHERE: &str = "a reference that leads nowhere admits everything";

/// A keyword under which a wider schema may admit less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Guard {
    schema: Id,
    keyword: Name,
    /// The place in the list of the one around, one more than it.
    outer: usize,
}

/// A reference, and the innermost guard around it: its place, one more than it.
#[derive(Clone, Copy, Debug)]
struct Hidden {
    id: Id,
    /// None if it leads nowhere.
    target: Option<Id>,
    guard: usize,
}

/// The schema as it is now.
#[derive(Debug)]
struct Scene {
    /// What holds each node; itself if nothing does.
    holders: Vec<Id>,
    is_there: Vec<bool>,
    guards: Vec<Guard>,
    hidden: Vec<Hidden>,
}

impl Repair<'_> {
    /// Lets references that Moonshot doesn't validate mean what they meant.
    pub(super) fn hidden_references(&mut self) -> Result<(), Stop> {
        if !self.any_reference {
            return Ok(());
        }
        self.check()?;
        let scene = self.scene();
        if scene.hidden.is_empty() {
            return Ok(());
        }
        let is_lost = |hidden: &&Hidden| {
            hidden.target.is_some_and(|target| {
                !scene.is_there[target.index()] || self.narrowed.contains(&target)
            })
        };
        let lost: Set<Id> = scene
            .hidden
            .iter()
            .filter(|hidden| is_lost(hidden))
            .map(|hidden| hidden.id)
            .collect();
        let is_wider = self.wider(&scene, &lost);
        let mut done: Set<Guard> = Set::default();
        for hidden in &scene.hidden {
            self.check()?;
            let is_lost = lost.contains(&hidden.id);
            let is_wider = hidden.target.is_some_and(|target| is_wider[target.index()]);
            if is_lost || is_wider {
                let mut guard = hidden.guard;
                while let Some(found) = guard.checked_sub(1).map(|place| scene.guards[place]) {
                    if done.insert(found) {
                        self.relax(found);
                    }
                    guard = found.outer;
                }
            }
            if is_lost {
                self.drop_reference(hidden.id, LOST);
            }
        }
        self.spell_hidden()
    }

    /// Spells anew the references that lead somewhere else as they are spelled.
    fn spell_hidden(&mut self) -> Result<(), Stop> {
        let scene = self.scene();
        let mut maps = Maps::default();
        let mut pointers: Map<Id, String> = Map::default();
        let mut texts = Vec::new();
        let mut captured = Vec::new();
        for Hidden { id, target, .. } in &scene.hidden {
            self.check()?;
            let value = self.tree.get(*id, REF).unwrap_or(*id);
            let Some(text) = self.tree.string(value) else {
                continue;
            };
            let is_pointer = text == "#" || text.starts_with("#/");
            let leads_to = from_root(&self.tree, &mut maps, &text);
            let Some(target) = *target else {
                // It led nowhere, and now it would lead somewhere.
                captured.extend(leads_to.map(|_| *id));
                continue;
            };
            // One that is fine by another reading, such as an anchor, stays if its
            // target did.
            let is_relative = self.relative.contains(id) && !self.any_id_gone;
            let is_read = is_pointer && !is_relative && leads_to.is_some();
            let is_fine = if is_read || self.any_id_gone {
                leads_to == Some(target)
            } else {
                let before = self.tree.pointer(target, None, usize::MAX);
                self.pointer_now(&scene, target) == before
            };
            if !is_fine {
                let pointer = pointers
                    .entry(target)
                    .or_insert_with(|| self.pointer_now(&scene, target));
                let text = quoted(&format!("#{}", percent_encoded(pointer)));
                texts.push((*id, text));
            }
        }
        for (id, text) in texts {
            self.point(id, &text);
        }
        for id in captured {
            self.drop_reference(id, NOWHERE);
        }
        Ok(())
    }

    fn point(&mut self, id: Id, text: &str) {
        // A string is itself a reference in a `discriminator`.
        let value = self.tree.get(id, REF).unwrap_or(id);
        if self.tree.raw(value) != text {
            self.tree.become_raw(value, text);
            self.note(value, None, MOVED);
        }
    }

    /// Looks at all that is there.
    fn scene(&self) -> Scene {
        let tree = &self.tree;
        let mut is_part = vec![false; tree.count()];
        for part in tree.parts() {
            is_part[part.id.index()] = true;
        }
        let mut scene = Scene {
            holders: vec![Id::ROOT; tree.count()],
            is_there: vec![false; tree.count()],
            guards: Vec::new(),
            hidden: Vec::new(),
        };
        let mut rest = vec![(Id::ROOT, Place::Schema, 0)];
        while let Some((id, place, mut guard)) = rest.pop() {
            scene.is_there[id.index()] = true;
            let is_schema = place == Place::Schema && tree.is_object(id);
            if is_schema && !is_part[id.index()] {
                for keyword in UNEVALUATED {
                    if tree
                        .get(id, keyword)
                        .is_some_and(|it| tree.kind(it) != Kind::True)
                    {
                        guard = scene.guard(id, keyword, guard);
                    }
                }
                if tree.has(id, REF) {
                    let target = self.target(id);
                    scene.hidden.push(Hidden { id, target, guard });
                }
            }
            if is_schema && tree.has(id, DISCRIMINATOR) {
                let mapping = tree.object(id, DISCRIMINATOR);
                let mapping = mapping.and_then(|found| tree.object(found, MAPPING));
                for id in mapping
                    .into_iter()
                    .flat_map(|mapping| tree.members(mapping))
                {
                    let target = self.target(id);
                    let guard = 0;
                    let hidden = target.map(|_| Hidden { id, target, guard });
                    scene.hidden.extend(hidden);
                }
            }
            for child in tree.children(id) {
                scene.holders[child.index()] = id;
                let key = tree.key(child);
                let is_guard = match key {
                    NOT | IF | ONE_OF => is_schema,
                    CONTAINS => is_schema && tree.has(id, MAX_CONTAINS),
                    _ => false,
                };
                let keyword = if key == CONTAINS { MAX_CONTAINS } else { key };
                let guard = if is_guard {
                    scene.guard(id, keyword, guard)
                } else {
                    guard
                };
                if tree.is_container(child) {
                    rest.push((child, place.of(key), guard));
                } else {
                    scene.is_there[child.index()] = true;
                }
            }
        }
        // What is not there may have a copy among the definitions.
        for hidden in &mut scene.hidden {
            hidden.target = hidden.target.map(|target| {
                if scene.is_there[target.index()] {
                    target
                } else {
                    self.definitions.of(target)
                }
            });
        }
        scene
    }

    /// Which subschemas admit more than they did, because something in them, or in
    /// what they refer to, does.
    fn wider(&self, scene: &Scene, lost: &Set<Id>) -> Vec<bool> {
        let mut is_wider = vec![false; self.tree.count()];
        if !self.is_altered && lost.is_empty() {
            return is_wider;
        }
        let mut referrers: Map<Id, Vec<Id>> = Map::default();
        for (id, target) in self.all_targets() {
            let target = self.definitions.of(target);
            referrers.entry(target).or_default().push(id);
        }
        let there = self.tree.containers(Id::ROOT);
        let mut rest: Vec<Id> = there
            .into_iter()
            .filter(|id| self.tree.is_altered(*id) || lost.contains(id))
            .collect();
        while let Some(id) = rest.pop() {
            self.tree.charge(1);
            if std::mem::replace(&mut is_wider[id.index()], true) {
                continue;
            }
            rest.push(scene.holders[id.index()]);
            rest.extend(referrers.get(&id).into_iter().flatten());
        }
        is_wider
    }

    /// Lets the keyword of a guard admit all that it may have admitted.
    fn relax(&mut self, guard: Guard) {
        let Guard {
            schema, keyword, ..
        } = guard;
        let Some(value) = self.tree.get(schema, keyword) else {
            return;
        };
        match keyword {
            ONE_OF => {
                let choice = self.take(schema, value);
                let any = self.tree.make_object(schema);
                self.tree.append(any, ANY_OF, choice);
                self.conjoin_schema(schema, any);
            }
            IF => {
                for keyword in [IF, THEN, ELSE] {
                    self.tree.remove_member(schema, keyword);
                }
            }
            _ => {
                self.tree.remove_member(schema, keyword);
            }
        }
        self.note_altered(schema, keyword, WIDER);
    }

    /// The JSON Pointer to a value.
    fn pointer_now(&self, scene: &Scene, id: Id) -> String {
        let mut steps = Vec::new();
        let mut id = id;
        while id != Id::ROOT {
            let holder = scene.holders[id.index()];
            steps.push(if self.tree.is_member(id) {
                let name = self.tree.name(self.tree.key(id));
                name.replace('~', "~0").replace('/', "~1")
            } else {
                let mut elements = self.tree.elements(holder);
                let place = elements.position(|element| element == id);
                place.unwrap_or_default().to_string()
            });
            id = holder;
        }
        let steps = steps.iter().rev();
        steps.flat_map(|step| ["/", step]).collect()
    }
}

impl Scene {
    /// Adds a guard: its place, one more than it.
    fn guard(&mut self, schema: Id, keyword: Name, outer: usize) -> usize {
        self.guards.push(Guard {
            schema,
            keyword,
            outer,
        });
        self.guards.len()
    }
}
