//! The repair of one schema: passes over its tree, in their order.

use super::{
    Use,
    definitions::Definitions,
    reference::Reach,
    resolve,
    tree::{Id, Json, Tree},
};

/// A repaired schema.
#[derive(Debug)]
pub(super) struct Repaired {
    pub(super) text: String,
    /// Where each change was made, as JSON Pointers into the schema as it came,
    /// and why.
    pub(super) changes: Vec<(String, &'static str)>,
}

/// How deep brackets may lie within each other in a body: parsers stop at 127.
const MAX_NESTING: usize = 120;

/// How often what is repaired is repaired again, and seen to be clean.
const MAX_AGAIN: usize = 3;

/// How many brackets lie around a schema in a body, at most.
const AROUND: usize = 4;

/// How deep the brackets of JSON lie within each other.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Repairs a schema, of which the text has been validated. None if nothing is
/// wrong with it, or if it can't be repaired.
pub(super) fn repair(text: &str, usage: Use) -> Option<Repaired> {
    let mut repaired = repair_once(text, usage).ok()??;
    // What one repair leaves to be done, the next one does. Nothing is half done.
    let mut clean = false;
    for _ in 0..MAX_AGAIN {
        let Some(again) = repair_once(&repaired.text, usage).ok()? else {
            clean = true;
            break;
        };
        repaired.text = again.text;
        for (_, why) in again.changes {
            // Where that stands now, nothing need have stood before.
            if !repaired.changes.iter().any(|(_, known)| *known == why) {
                repaired.changes.push((String::new(), why));
            }
        }
    }
    if !clean {
        return None;
    }
    let deepest = nesting(&repaired.text);
    if deepest + AROUND > MAX_NESTING && deepest > nesting(text) {
        return None;
    }
    Some(repaired)
}

/// A schema for which no repair is known.
struct Hopeless;

/// One pass. None if nothing is wrong.
fn repair_once(text: &str, usage: Use) -> Result<Option<Repaired>, Hopeless> {
    let tree = Tree::parse(text).map_err(|_| Hopeless)?;
    if !tree.is_object(Id::ROOT) {
        return Err(Hopeless);
    }
    let mut repair = Repair {
        reach: Reach::new(&tree),
        references: tree.ids().any(|id| tree.has(id, "$ref")),
        unevaluated: ["unevaluatedProperties", "unevaluatedItems"]
            .iter()
            .any(|keyword| tree.ids().any(|id| tree.has(id, keyword))),
        tree,
        usage,
        definitions: Definitions::default(),
        changes: Vec::new(),
    };
    resolve::resolve(&mut repair.tree);
    repair.tree.keep_targets();
    repair.forms();
    // Before anything moves to where it is not looked for.
    repair.evaluations();
    if usage == Use::Tool {
        repair.tool_root().ok_or(Hopeless)?;
    }
    repair.combinations();
    repair.slashes();
    repair.recursions();
    repair.limits();
    if !repair.changes.is_empty() {
        repair.evaluations();
        repair.unread_references().ok_or(Hopeless)?;
    }
    repair.length().ok_or(Hopeless)?;
    Ok((!repair.changes.is_empty()).then(|| repair.finish()))
}

/// A schema that is being repaired.
#[derive(Debug)]
pub(super) struct Repair<'a> {
    pub(super) tree: Tree<'a>,
    pub(super) usage: Use,
    pub(super) definitions: Definitions,
    pub(super) reach: Reach,
    /// Whether there are references at all. Repairs make copies of them only.
    pub(super) references: bool,
    /// Whether any schema tells what is unevaluated.
    pub(super) unevaluated: bool,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    at: Id,
    keyword: &'static str,
    why: &'static str,
}

impl<'a> Repair<'a> {
    /// Keeps note of a change that admits just what was admitted. `keyword` may
    /// be empty, for the subschema itself.
    pub(super) fn note(&mut self, at: Id, keyword: &'static str, why: &'static str) {
        self.changes.push(Change { at, keyword, why });
    }

    /// Keeps note of a change after which the subschema says something else.
    pub(super) fn note_altered(&mut self, at: Id, keyword: &'static str, why: &'static str) {
        self.tree.set_altered(at);
        self.note(at, keyword, why);
    }

    pub(super) fn change_count(&self) -> usize {
        self.changes.len()
    }

    /// Takes out a keyword that decided something.
    pub(super) fn drop(&mut self, at: Id, keyword: &'static str, why: &'static str) {
        if self.tree.remove(at, keyword).is_some() {
            self.note_altered(at, keyword, why);
        }
    }

    /// Puts members of a schema into its `allOf`, where they go on to say what
    /// they say.
    pub(super) fn conjoin(&mut self, at: Id, keywords: &[&str]) {
        let mut moved = Vec::new();
        self.tree.change_members(at, |members| {
            let (out, stays): (Vec<_>, Vec<_>) = std::mem::take(members)
                .into_iter()
                .partition(|(key, _)| keywords.contains(&&*key.name));
            moved = out;
            *members = stays;
        });
        let has_reference = moved.iter().any(|(key, _)| key.name == "$ref");
        let target = self.tree.target(at).filter(|_| has_reference);
        let moved = self.tree.make(at, Json::Object(moved));
        self.tree.set_target(moved, target);
        self.conjoin_schema(at, moved);
    }

    /// Adds a schema to the `allOf` of another one.
    pub(super) fn conjoin_schema(&mut self, at: Id, schema: Id) {
        match self.tree.get(at, "allOf") {
            Some(all) if !self.tree.elements(all).is_empty() => {
                self.tree.change_elements(all, |all| all.push(schema));
            }
            _ => {
                let all = self.tree.make(at, Json::Array(vec![schema]));
                self.tree.set(at, "allOf", all);
            }
        }
    }

    fn finish(self) -> Repaired {
        let mut changes: Vec<(String, &'static str)> = Vec::with_capacity(self.changes.len());
        for Change { at, keyword, why } in &self.changes {
            let mut pointer = self.tree.pointer(*at);
            if !keyword.is_empty() {
                pointer.push('/');
                pointer.push_str(keyword);
            }
            changes.push((pointer, why));
        }
        // Copies of a subschema are repaired each, for one cause.
        let mut known = std::collections::HashSet::new();
        changes.retain(|change| known.insert(change.clone()));
        Repaired {
            text: self.tree.write(Id::ROOT),
            changes,
        }
    }
}
