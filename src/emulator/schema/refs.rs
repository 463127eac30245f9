//! Where references lead, what may be beside them, and where they may be.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::{
    Enough, Faults, SchemaError,
    keywords::is_annotation,
    steps,
    tree::{Node, Step, Tree, array},
};

/// A schema with its references resolved.
#[derive(Debug)]
pub(super) struct References<'t, 'a> {
    pub(super) tree: &'t Tree<'a>,
    /// For each object the one that its `$ref` names.
    pub(super) targets: Vec<Option<usize>>,
}

/// The object that a reference leads to after all definitions that only name another
/// one are skipped.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) node: usize,
    /// Whether a skipped definition has a title or description.
    pub(super) annotated: bool,
}

impl<'t, 'a> References<'t, 'a> {
    /// Resolves every reference.
    pub(super) fn of(tree: &'t Tree<'a>) -> Self {
        let resolved = tree.nodes().iter().map(|node| resolve(tree, text(node)?));
        let targets = resolved.collect();
        Self { tree, targets }
    }

    /// References in subschemas have to lead somewhere, also in unused definitions.
    pub(super) fn check_targets(&self, faults: &mut Faults) -> Result<(), Enough> {
        for (index, node) in self.tree.schemas() {
            if let (Some(name), None) = (text(node), self.targets[index]) {
                faults.add(self.leads_nowhere(index, name))?;
            }
        }
        Ok(())
    }

    fn leads_nowhere(&self, node: usize, name: &str) -> SchemaError {
        SchemaError::at_root(format!("invalid $ref path: {name}"))
            .at(self.tree.pointer(node, Some("$ref")))
    }

    /// Checks every reference outside of `$defs` together with its target.
    ///
    /// `endless` returns whether the reference in an object, which leads to an
    /// [`End`], recurses without end where the validator asks for one.
    pub(super) fn check(
        &self,
        endless: impl Fn(usize, End) -> bool,
        faults: &mut Faults,
    ) -> Result<(), Enough> {
        let mut ends = Ends::new(self);
        let mut branches = HashMap::new();
        for (index, node) in self.tree.nodes().iter().enumerate() {
            let Some(reference) = node.object.get("$ref").filter(|_| !node.aside) else {
                continue;
            };
            let end = match self.end(index, reference, &mut ends) {
                Ok(end) => end,
                Err(fault) => {
                    faults.add(fault)?;
                    continue;
                }
            };
            if let Err(fault) = self.check_siblings(index, end, &mut branches) {
                faults.add(fault)?;
            }
            if !self.may_refer(index) {
                let message = "$ref is not allowed in this schema.";
                faults.add(self.tree.error(index, message))?;
            }
            if endless(index, end) {
                let message = "detected infinite recursion without termination condition";
                faults.add(self.tree.error(index, message))?;
            }
        }
        Ok(())
    }

    /// Where the reference in an object leads to.
    fn end(
        &self,
        index: usize,
        reference: &Value,
        ends: &mut Ends<'_, '_, '_>,
    ) -> Result<End, SchemaError> {
        match (reference, self.targets[index]) {
            (Value::Null, _) => Ok(End {
                node: index,
                annotated: false,
            }),
            (Value::String(_), Some(target)) => ends.of(index, target),
            (Value::String(name), None) if name.starts_with("#/$defs/") => {
                Err(self.leads_nowhere(index, name))
            }
            (Value::String(_), None) => {
                let message = "only local references are supported";
                let error = SchemaError::new("$ref".to_owned(), message);
                Err(error.at(self.tree.pointer(index, Some("$ref"))))
            }
            _ => Err(self.tree.error_at(index, "$ref", NO_STRING)),
        }
    }

    /// Refuses keywords beside a `$ref` that its target has as well.
    fn check_siblings(
        &self,
        node: usize,
        end: End,
        branches: &mut HashMap<usize, BTreeSet<&'a str>>,
    ) -> Result<(), SchemaError> {
        let here = self.tree.nodes()[node].object;
        let there = self.tree.nodes()[end.node].object;
        let mut beside = keys(here);
        beside.retain(|key| *key != "$ref" && !is_annotation(key));
        if beside.is_empty() {
            return Ok(());
        }
        let twice = joined(&beside, |key| there.contains_key(key));
        if !twice.is_empty() {
            return Err(self.tree.error(
                node,
                format!(
                    "conflicting keywords found after $ref expansion: keywords ({twice}) are \
                     defined both alongside \"$ref\" and in the referenced schema; remove the \
                     duplicates"
                ),
            ));
        }
        let splits = |one: &Map<String, Value>, other: &Map<String, Value>| {
            one.contains_key("type") && other.contains_key("anyOf")
        };
        if splits(here, there) || splits(there, here) {
            return Err(self.tree.error(
                node,
                "invalid schema after $ref expansion: (when using anyOf, type should be \
                 defined in anyOf items instead of the parent schema)",
            ));
        }
        // Gathered once: many references may lead to many branches.
        let said = branches.entry(end.node).or_insert_with(|| {
            let branches = array(there, "anyOf").unwrap_or_default();
            let objects = branches.iter().filter_map(Value::as_object);
            objects.flat_map(keys).collect()
        });
        let twice = joined(&beside, |key| key != "anyOf" && said.contains(key));
        if !twice.is_empty() {
            return Err(self.tree.error(
                node,
                format!(
                    "conflicting keywords found in anyOf after ref expansion: keywords ({twice}) \
                     are defined alongside \"$ref\" and inside anyOf in the referenced schema; \
                     define them in only one place"
                ),
            ));
        }
        Ok(())
    }

    /// Whether an object is where a reference may be, judged by the last two keys
    /// of its path alone, whatever they mean there.
    fn may_refer(&self, node: usize) -> bool {
        let Node { step, parent, .. } = self.tree.nodes()[node];
        let holder = &self.tree.nodes()[parent];
        let last = match step {
            Step::Root | Step::Branch(_) | Step::Key("additionalProperties" | "items") => true,
            Step::Key(key) => key.starts_with("anyOf"),
        };
        last || holder.step == Step::Key("properties") || holder.as_root
    }
}

pub(super) const NO_STRING: &str = "$ref must be a string";

fn text<'a>(node: &Node<'a>) -> Option<&'a str> {
    node.object.get("$ref").and_then(Value::as_str)
}

/// What a reference names: the root, or any object within the root's `$defs` to
/// which keys lead. Keys are never escaped.
fn resolve(tree: &Tree<'_>, name: &str) -> Option<usize> {
    if name == "#" {
        return Some(0);
    }
    let definition = name.strip_prefix("#/$defs/")?;
    let definitions = tree.child(0, "$defs")?;
    let mut keys = definition.split('/');
    keys.try_fold(definitions, |node, key| tree.child(node, key))
}

/// The ends of chains of references, each found once.
struct Ends<'r, 't, 'a> {
    references: &'r References<'t, 'a>,
    known: HashMap<usize, End>,
}

impl<'r, 't, 'a> Ends<'r, 't, 'a> {
    fn new(references: &'r References<'t, 'a>) -> Self {
        Self {
            references,
            known: HashMap::new(),
        }
    }

    /// Follows the reference of an object through definitions that only name another
    /// one.
    fn of(&mut self, from: usize, target: usize) -> Result<End, SchemaError> {
        let mut links = Vec::new();
        let mut seen = BTreeSet::new();
        let mut node = target;
        let mut end = loop {
            steps::count(1);
            if let Some(end) = self.known.get(&node) {
                break *end;
            }
            let next = self.next(from, node)?.filter(|next| *next != node);
            // Which object of a circle the validator stops at makes no difference.
            let Some(next) = next.filter(|_| seen.insert(node)) else {
                break End {
                    node,
                    annotated: false,
                };
            };
            links.push(node);
            node = next;
        };
        self.known.insert(node, end);
        for link in links.into_iter().rev() {
            let object = self.references.tree.nodes()[link].object;
            end.annotated |= object.len() > 1;
            self.known.insert(link, end);
        }
        Ok(end)
    }

    /// What an object leads to, if all that it does is name another one.
    fn next(&self, from: usize, node: usize) -> Result<Option<usize>, SchemaError> {
        let object = self.references.tree.nodes()[node].object;
        let Some(reference) = object.get("$ref").filter(|reference| !reference.is_null()) else {
            return Ok(None);
        };
        if !object.keys().all(|key| key == "$ref" || is_annotation(key)) {
            return Ok(None);
        }
        let Some(name) = reference.as_str() else {
            return Err(self.references.tree.error_at(from, "$ref", NO_STRING));
        };
        let next = self.references.targets[node];
        next.map(Some)
            .ok_or_else(|| self.references.leads_nowhere(node, name))
    }
}

fn keys(object: &Map<String, Value>) -> Vec<&str> {
    steps::count(object.len());
    object.keys().map(String::as_str).collect()
}

/// The keys that meet a condition, sorted and joined.
fn joined(keys: &[&str], meets: impl Fn(&str) -> bool) -> String {
    steps::count(keys.len());
    let mut keys: Vec<&str> = keys.iter().copied().filter(|key| meets(key)).collect();
    keys.sort_unstable();
    keys.join(", ")
}
