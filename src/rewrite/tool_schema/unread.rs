//! References from where Moonshot doesn't look.
//!
//! What stands in `oneOf`, `not` and the like is left as it is, and goes on to
//! mean what it meant: a wider target would make `not` narrower. So a reference
//! from there to something that was altered leads to what it was before, which is
//! kept in `definitions`, where Moonshot doesn't look either.

use std::collections::{HashMap, HashSet};

use super::{
    repair::Repair,
    tree::{Id, Json, Key},
    write::quoted_string,
};

const MOVED: &str = "what it refers to stands elsewhere now";
const KEPT: &str = "what it refers to is kept as it was";

/// Where every value stands: what holds it, and what it is called there.
type Places = HashMap<Id, (Id, String)>;

impl Repair<'_> {
    /// Lets references that Moonshot doesn't read lead where they led. None if
    /// there is no room for it.
    pub(super) fn unread_references(&mut self) -> Option<()> {
        let mut rest = self.unread(Id::ROOT);
        if rest.is_empty() {
            return Some(());
        }
        self.make_way();
        let read: HashSet<Id> = self.tree.survey().iter().map(|part| part.id).collect();
        rest.retain(|id| !read.contains(id));
        let places = self.places();
        let mut intact: HashMap<Id, bool> = HashMap::new();
        let mut kept: HashMap<Id, String> = HashMap::new();
        while let Some(id) = rest.pop() {
            let Some(target) = self.tree.target(id) else {
                continue;
            };
            let is_intact = match intact.get(&target) {
                Some(known) => *known,
                None => {
                    let is_there = target == Id::ROOT || places.contains_key(&target);
                    let is_intact = is_there && self.says_the_same(target);
                    intact.insert(target, is_intact);
                    is_intact
                }
            };
            if is_intact {
                let place = pointer(&places, target);
                if place != self.tree.pointer(target) {
                    self.point(id, &place);
                    self.note(id, "$ref", MOVED);
                }
                continue;
            }
            let name = match kept.get(&target) {
                Some(name) => name.clone(),
                None => {
                    let copy = self.tree.read_again(target)?;
                    // Whatever is referred to in there is kept by itself.
                    self.tree.remove(copy, "$defs");
                    self.tree.remove(copy, "definitions");
                    rest.extend(self.unread(copy));
                    let name = self.keep(target, copy);
                    kept.insert(target, name.clone());
                    name
                }
            };
            self.point(id, &format!("/definitions/{name}"));
            self.note(id, "$ref", KEPT);
        }
        Some(())
    }

    /// Lets the root have `definitions`: whatever it is at once can't have them too.
    fn make_way(&mut self) {
        let mut parts = self.tree.branches(Id::ROOT).to_vec();
        if let Some(end) = self.end_of_chain(Id::ROOT, &mut HashMap::new()) {
            parts.extend(self.tree.branches(end));
            parts.push(end);
        }
        for part in parts {
            if part != Id::ROOT && self.tree.remove(part, "definitions").is_some() {
                self.note(part, "definitions", KEPT);
            }
        }
    }

    /// The references in a value.
    fn unread(&self, id: Id) -> Vec<Id> {
        let mut found = self.tree.below(id);
        found.retain(|id| self.tree.has(*id, "$ref") && self.tree.target(*id).is_some());
        found
    }

    /// Whether neither a subschema nor anything that it refers to was altered.
    fn says_the_same(&mut self, target: Id) -> bool {
        let Some((reached, _)) = self.reach(target) else {
            return false;
        };
        reached.into_iter().all(|id| {
            [id, self.definitions.of(id)].into_iter().all(|id| {
                let below = self.tree.below(id);
                !below.into_iter().any(|id| self.tree.is_altered(id))
            })
        })
    }

    /// Keeps a copy of what a subschema was.
    fn keep(&mut self, target: Id, copy: Id) -> String {
        let map = match self.tree.object(Id::ROOT, "definitions") {
            Some(map) => map,
            None => {
                let map = self.tree.make(Id::ROOT, Json::Object(Vec::new()));
                self.tree.set(Id::ROOT, "definitions", map);
                self.several_types(Id::ROOT);
                map
            }
        };
        let like = self.tree.holder(target);
        let like = like.map_or_else(|| "root".to_owned(), |(_, key)| key.name.into_owned());
        let name = self.definitions.free_name(&like);
        self.tree.set_key(map, Key::from(name.clone()), copy);
        name
    }

    fn point(&mut self, id: Id, pointer: &str) {
        let text = format!("#{}", percent_encoded(pointer));
        let text = self.tree.make_raw(id, quoted_string(&text));
        self.tree.set(id, "$ref", text);
    }

    fn places(&self) -> Places {
        let mut places = HashMap::new();
        for id in self.tree.below(Id::ROOT) {
            for (key, value) in self.tree.members(id) {
                places.insert(*value, (id, key.name.replace('~', "~0").replace('/', "~1")));
            }
            for (index, value) in self.tree.elements(id).iter().enumerate() {
                places.insert(*value, (id, index.to_string()));
            }
        }
        places
    }
}

/// A JSON Pointer as the fragment of a URI.
fn percent_encoded(pointer: &str) -> String {
    let mut text = String::with_capacity(pointer.len());
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The JSON Pointer to a value.
fn pointer(places: &Places, id: Id) -> String {
    let mut steps = Vec::new();
    let mut id = id;
    while let Some((holder, step)) = places.get(&id) {
        steps.push(step);
        id = *holder;
    }
    let mut pointer = String::new();
    for step in steps.into_iter().rev() {
        pointer.push('/');
        pointer.push_str(step);
    }
    pointer
}
