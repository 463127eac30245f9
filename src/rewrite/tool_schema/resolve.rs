//! Where references lead.

use std::{borrow::Cow, collections::HashMap};

use super::tree::{Id, Tree};

/// What stands before the name of a definition in a reference that Moonshot takes.
pub(super) const DEFINITIONS: &str = "#/$defs/";

/// Finds the target of every reference, while everything is still where its
/// author put it. Those that lead nowhere, or to another document, get none.
pub(super) fn resolve(tree: &mut Tree<'_>) {
    let references: Vec<(Id, Id)> = tree
        .ids()
        .filter_map(|id| Some((id, tree.get(id, "$ref")?)))
        .collect();
    if references.is_empty() {
        return;
    }
    let places = Places::of(tree);
    let mut names = HashMap::new();
    let mut targets = Vec::with_capacity(references.len());
    for (id, reference) in references {
        if let Some(reference) = tree.string(reference).filter(|_| !places.is_data(id)) {
            targets.push((id, places.find(tree, &mut names, id, &reference)));
        }
    }
    for (id, target) in targets {
        tree.set_target(id, target);
    }
}

/// What a node is there for.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Schema,
    /// An object whose keys are names, not keywords.
    Map,
    /// A value that a schema speaks of.
    Data,
}

/// What every node is there for, and who its references start from.
struct Places {
    places: Vec<Place>,
    /// The schema that a reference with `#` starts from: the nearest with an `$id`.
    bases: Vec<Id>,
    /// Schemas by their `$id`.
    documents: HashMap<String, Id>,
    /// Schemas by their `$anchor` and what it starts from.
    anchors: HashMap<(Id, String), Id>,
}

/// Members of large objects, by name.
type Names = HashMap<Id, HashMap<String, Id>>;

impl Places {
    fn of(tree: &Tree<'_>) -> Self {
        let mut all = Self {
            places: Vec::new(),
            bases: Vec::new(),
            documents: HashMap::new(),
            anchors: HashMap::new(),
        };
        // Of keys that stand twice the last counts. What an earlier one holds is read,
        // but is no part of the schema.
        let mut counts = vec![false; tree.ids().len()];
        for id in tree.below(Id::ROOT) {
            counts[id.index()] = true;
        }
        for id in tree.ids() {
            let (place, mut base) = match tree.holder(id) {
                None => (Place::Schema, id),
                Some(_) if !counts[id.index()] => (Place::Data, id),
                Some((holder, key)) => {
                    let place = match all.places[holder.index()] {
                        Place::Data => Place::Data,
                        Place::Map => Place::Schema,
                        Place::Schema => match &*key.name {
                            "properties" | "patternProperties" | "$defs" | "definitions"
                            | "dependentSchemas" | "dependencies" => Place::Map,
                            "enum" | "const" | "default" | "examples" | "example" => Place::Data,
                            _ => Place::Schema,
                        },
                    };
                    (place, all.bases[holder.index()])
                }
            };
            if place == Place::Schema && tree.is_object(id) {
                let text = |name| tree.get(id, name).and_then(|value| tree.string(value));
                match text("$id") {
                    Some(name) if name.starts_with('#') => {
                        all.anchors.insert((base, name[1..].to_owned()), id);
                    }
                    Some(name) => {
                        base = id;
                        let name = name.trim_end_matches('#').to_owned();
                        all.documents.insert(name, id);
                    }
                    None => {}
                }
                for anchor in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(text) {
                    all.anchors.insert((base, anchor.into_owned()), id);
                }
            }
            all.places.push(place);
            all.bases.push(base);
        }
        all
    }

    fn is_data(&self, id: Id) -> bool {
        self.places[id.index()] == Place::Data
    }

    fn find(&self, tree: &Tree<'_>, names: &mut Names, from: Id, reference: &str) -> Option<Id> {
        // As Moonshot reads it, to the letter.
        if reference == "#" {
            return Some(Id::ROOT);
        }
        if let Some(name) = reference.strip_prefix(DEFINITIONS) {
            let definitions = tree.get(Id::ROOT, "$defs");
            let found = definitions.and_then(|all| member(tree, names, all, name));
            if found.is_some() {
                return found;
            }
        }
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let base = match document {
            "" => self.bases[from.index()],
            document => *self.documents.get(document)?,
        };
        let fragment = percent_decoded(fragment);
        if fragment.is_empty() {
            return Some(base);
        }
        let Some(pointer) = fragment.strip_prefix('/') else {
            return self.anchors.get(&(base, fragment.into_owned())).copied();
        };
        walk(tree, names, base, pointer)
            .or_else(|| walk(tree, names, Id::ROOT, pointer))
            .or_else(|| nearest(tree, names, from, pointer))
    }
}

/// Follows a JSON Pointer.
fn walk(tree: &Tree<'_>, names: &mut Names, from: Id, pointer: &str) -> Option<Id> {
    pointer.split('/').try_fold(from, |id, step| {
        let elements = tree.elements(id);
        if elements.is_empty() {
            member(tree, names, id, &step.replace("~1", "/").replace("~0", "~"))
        } else {
            elements.get(step.parse::<usize>().ok()?).copied()
        }
    })
}

/// Finds a definition that stands around the reference and not at the root, where
/// the reference says it is.
fn nearest(tree: &Tree<'_>, names: &mut Names, from: Id, pointer: &str) -> Option<Id> {
    let (keyword, _) = pointer.split_once('/')?;
    if !matches!(keyword, "$defs" | "definitions") {
        return None;
    }
    let mut around = Some(from);
    while let Some(id) = around {
        if let Some(found) = walk(tree, names, id, pointer) {
            return Some(found);
        }
        around = tree.holder(id).map(|(holder, _)| holder);
    }
    None
}

fn member(tree: &Tree<'_>, names: &mut Names, object: Id, name: &str) -> Option<Id> {
    const FEW: usize = 16;
    if tree.members(object).len() <= FEW {
        return tree.get(object, name);
    }
    let members = names.entry(object).or_insert_with(|| {
        let members = tree.members(object).iter();
        members
            .map(|(key, id)| (key.name.to_string(), *id))
            .collect()
    });
    members.get(name).copied()
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let escape = rest
            .get(1..3)
            .filter(|_| byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &rest[3..];
            }
            None => {
                bytes.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}
