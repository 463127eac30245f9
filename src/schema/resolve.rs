//! Finds what each reference leads to, while everything is where its author put it.

use std::{borrow::Cow, collections::HashMap};

use super::{
    keyword::{
        ANCHOR, DEFINITIONS, DEFS, DISCRIMINATOR, DYNAMIC_ANCHOR, ID, MAPPING, Name, Place, REF,
        UNEVALUATED_ITEMS, UNEVALUATED_PROPERTIES,
    },
    numbers::{Map, Set},
    tree::{Id, Tree},
};

/// How a reference to a definition begins that Moonshot can follow (validator).
pub(super) const DEFINITION: &str = "#/$defs/";

/// What is known of a schema as it came.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// What the references lead to, by the schemas that hold them. Those that lead
    /// nowhere, or to another document, have no entry.
    pub(super) targets: Map<Id, Id>,
    /// Whether there are references at all.
    pub(super) any_reference: bool,
    /// Whether any schema says what is unevaluated.
    pub(super) any_unevaluated: bool,
    /// What each node is made of.
    pub(super) places: Vec<Place>,
    /// The schemas whose references start from another one than the root.
    pub(super) relative: Set<Id>,
}

/// Finds the target of every reference.
pub(super) fn resolve(tree: &Tree<'_>) -> Resolved {
    let mut resolved = Resolved {
        places: vec![Place::Data; tree.count()],
        ..Resolved::default()
    };
    resolved.places[Id::ROOT.index()] = Place::Schema;
    let mut bases = Bases::default();
    let mut references = Vec::new();
    let mut mapped = Vec::new();
    // A value, what it is made of, and the schema that a `#` in it starts from.
    let mut rest = vec![(Id::ROOT, Place::Schema, Id::ROOT)];
    while let Some((id, place, mut base)) = rest.pop() {
        if place == Place::Schema && tree.is_object(id) {
            base = bases.read(tree, id, base);
            resolved.any_unevaluated |=
                tree.has(id, UNEVALUATED_PROPERTIES) || tree.has(id, UNEVALUATED_ITEMS);
            if let Some(reference) = tree.get(id, REF) {
                references.push((id, reference, base));
            }
            let mapping = tree.object(id, DISCRIMINATOR);
            if let Some(mapping) = mapping.and_then(|found| tree.object(found, MAPPING)) {
                // Here the string itself is what holds the reference.
                mapped.extend(tree.members(mapping).map(|value| (value, value, base)));
            }
        }
        for child in tree.children(id) {
            let place = place.of(tree.key(child));
            resolved.places[child.index()] = place;
            // No reference is in data.
            if place != Place::Data && tree.is_container(child) {
                rest.push((child, place, base));
            }
        }
    }
    resolved.any_reference = !references.is_empty();
    mapped.retain(|(value, ..)| tree.raw(*value).starts_with("\"#/"));
    references.append(&mut mapped);
    let mut maps = Maps::default();
    for (id, reference, base) in references {
        if base != Id::ROOT {
            resolved.relative.insert(id);
        }
        let target = tree
            .string(reference)
            .and_then(|text| bases.find(tree, &mut maps, id, base, &text));
        if let Some(target) = target {
            resolved.targets.insert(id, target);
        }
    }
    resolved
}

/// Follows a reference by a JSON Pointer, `#` or `#/…`, from the root.
pub(super) fn from_root(tree: &Tree<'_>, maps: &mut Maps, reference: &str) -> Option<Id> {
    if reference == "#" {
        return Some(Id::ROOT);
    }
    let pointer = reference.strip_prefix("#/")?;
    walk(tree, maps, Id::ROOT, &percent_decoded(pointer))
}

/// What containers hold that pointers go through, by name and by place.
#[derive(Debug, Default)]
pub(super) struct Maps {
    objects: Map<Id, Map<Name, Id>>,
    arrays: Map<Id, Vec<Id>>,
}

/// What references may start from, other than the root.
#[derive(Debug, Default)]
struct Bases {
    /// Schemas by their `$id`.
    documents: HashMap<String, Id>,
    /// Schemas by their `$anchor` and what it starts from.
    anchors: HashMap<(Id, String), Id>,
}

impl Bases {
    /// Keeps note of what a schema can be called, and says what the references in
    /// it start from.
    fn read(&mut self, tree: &Tree<'_>, id: Id, mut base: Id) -> Id {
        let text = |name| tree.get(id, name).and_then(|value| tree.string(value));
        match text(ID) {
            Some(name) if name.starts_with('#') => {
                self.anchors.insert((base, name[1..].to_owned()), id);
            }
            Some(name) => {
                base = id;
                let name = name.trim_end_matches('#').to_owned();
                self.documents.insert(name, id);
            }
            None => {}
        }
        for anchor in [ANCHOR, DYNAMIC_ANCHOR].into_iter().filter_map(text) {
            self.anchors.insert((base, anchor.into_owned()), id);
        }
        base
    }

    fn find(
        &self,
        tree: &Tree<'_>,
        maps: &mut Maps,
        from: Id,
        base: Id,
        reference: &str,
    ) -> Option<Id> {
        // As Moonshot reads it, to the letter.
        if let Some(found) = literal(tree, maps, reference) {
            return Some(found);
        }
        if reference.is_empty() {
            return None;
        }
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let base = match document {
            "" => base,
            document => *self.documents.get(document)?,
        };
        let fragment = percent_decoded(fragment);
        if fragment.is_empty() {
            return Some(base);
        }
        let Some(pointer) = fragment.strip_prefix('/') else {
            return self.anchors.get(&(base, fragment.into_owned())).copied();
        };
        walk(tree, maps, base, pointer)
            .or_else(|| walk(tree, maps, Id::ROOT, pointer))
            .or_else(|| nearest(tree, maps, from, pointer))
            .or_else(|| {
                // A name with a slash that nobody has escaped.
                let name = pointer.strip_prefix("$defs/")?;
                member(tree, maps, tree.object(Id::ROOT, DEFS)?, name)
            })
    }
}

/// What a reference leads to as Moonshot reads it: without escapes, and through
/// objects only.
fn literal(tree: &Tree<'_>, maps: &mut Maps, reference: &str) -> Option<Id> {
    if reference == "#" {
        return Some(Id::ROOT);
    }
    let path = reference.strip_prefix(DEFINITION)?;
    let definitions = tree.object(Id::ROOT, DEFS)?;
    path.split('/').try_fold(definitions, |id, step| {
        member(tree, maps, id, step).filter(|id| tree.is_object(*id))
    })
}

/// Follows a JSON Pointer.
fn walk(tree: &Tree<'_>, maps: &mut Maps, from: Id, pointer: &str) -> Option<Id> {
    pointer.split('/').try_fold(from, |id, step| {
        if tree.is_array(id) {
            let array = maps.arrays.entry(id);
            let array = array.or_insert_with(|| tree.elements(id).collect());
            array.get(step.parse::<usize>().ok()?).copied()
        } else {
            member(tree, maps, id, &step.replace("~1", "/").replace("~0", "~"))
        }
    })
}

/// Finds a definition that is around the reference and not at the root, where the
/// reference says it is.
fn nearest(tree: &Tree<'_>, maps: &mut Maps, from: Id, pointer: &str) -> Option<Id> {
    let (keyword, _) = pointer.split_once('/')?;
    let keyword = tree.names.find(keyword)?;
    if !matches!(keyword, DEFS | DEFINITIONS) {
        return None;
    }
    let mut around = Some(from);
    while let Some(id) = around {
        if let Some(found) = tree.get(id, keyword).and(walk(tree, maps, id, pointer)) {
            return Some(found);
        }
        around = tree.holder(id);
    }
    None
}

fn member(tree: &Tree<'_>, maps: &mut Maps, object: Id, name: &str) -> Option<Id> {
    let name = tree.names.find(name)?;
    let map = maps.objects.entry(object).or_insert_with(|| {
        let members = tree.members(object);
        members.map(|id| (tree.key(id), id)).collect()
    });
    tree.charge(1);
    map.get(&name).copied()
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

/// A JSON Pointer as the fragment of a URI.
pub(super) fn percent_encoded(pointer: &str) -> String {
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
