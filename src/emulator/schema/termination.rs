//! Whether references come to an end.

use serde_json::Value;

use super::{
    keywords::type_names,
    refs::{End, References},
    steps,
    tree::{Node, Step, array, object},
};

/// Which objects have an end that the validator sees, and which need one.
#[derive(Debug)]
pub(super) struct Termination<'t, 'a> {
    nodes: &'t [Node<'a>],
    /// For each object whether it has an end.
    ends: Vec<bool>,
    /// For each object whether the references in it must have one.
    asked: Vec<bool>,
}

impl<'t, 'a> Termination<'t, 'a> {
    pub(super) fn of(references: &References<'t, 'a>) -> Self {
        let nodes = references.tree.nodes();
        let ends = ends(references);
        let asked = asked(nodes, !ends[0]);
        Self { nodes, ends, asked }
    }

    /// Whether the reference in an object needs an end and has none.
    pub(super) fn is_endless(&self, node: usize, end: End) -> bool {
        // An empty schema has an end, but isn't empty with a description.
        let emptied = end.annotated && self.nodes[end.node].object.is_empty();
        self.asked[node] && (emptied || !self.ends[end.node])
    }
}

/// For each object whether the validator asks for an end of its references.
///
/// It does unless it sees an end of the root, or passes an `additionalProperties`
/// or the `properties` beside an empty `required`. Passing one of these also ends
/// the question for the keys that it happens to visit later in the same object. Go
/// visits keys in random order, so there the validator accepts at one time what it
/// refuses at another; here it is refused.
fn asked(nodes: &[Node<'_>], root: bool) -> Vec<bool> {
    let mut asked = vec![root; nodes.len()];
    for (index, node) in nodes.iter().enumerate().skip(1) {
        let holder = nodes[node.parent].object;
        let stops = match node.step {
            Step::Key("additionalProperties") => true,
            Step::Key("properties") => array(holder, "required").is_some_and(<[_]>::is_empty),
            _ => false,
        };
        asked[index] = asked[node.parent] && !stops;
    }
    asked
}

/// For each object whether the validator finds an end of it.
///
/// What is known to end is passed on to whatever refers to it. The validator takes
/// one required property with an end, or items with one, for an end of the whole;
/// it doesn't know that an array may be empty.
fn ends(references: &References<'_, '_>) -> Vec<bool> {
    let count = references.tree.nodes().len();
    let mut ends = vec![false; count];
    let mut found = Vec::new();
    // Pairs of an object and one that ends if it does.
    let mut links = Vec::new();
    for node in 0..count {
        match Need::of(references, node) {
            Need::Nothing => found.push(node),
            Need::OneOf(needed) => {
                steps::count(needed.len());
                links.extend(needed.into_iter().map(|needed| (needed, node)));
            }
        }
    }
    links.sort_unstable();
    while let Some(node) = found.pop() {
        if std::mem::replace(&mut ends[node], true) {
            continue;
        }
        let start = links.partition_point(|(needed, _)| *needed < node);
        let waiting = links[start..]
            .iter()
            .take_while(|(needed, _)| *needed == node);
        found.extend(waiting.map(|(_, waiting)| {
            steps::count(1);
            *waiting
        }));
    }
    ends
}

/// What an object needs to have an end.
enum Need {
    Nothing,
    OneOf(Vec<usize>),
}

impl Need {
    fn of(references: &References<'_, '_>, node: usize) -> Self {
        let tree = references.tree;
        let schema = tree.nodes()[node].object;
        if schema.is_empty() {
            return Self::Nothing;
        }
        let types = type_names(schema);
        if types
            .iter()
            .any(|name| !matches!(*name, "object" | "array"))
        {
            return Self::Nothing;
        }
        let mut needed = Vec::new();
        match types.last() {
            Some(&"array") => match schema.get("items") {
                None | Some(Value::Null) => return Self::Nothing,
                Some(Value::Object(items)) if items.is_empty() => return Self::Nothing,
                Some(_) => needed.extend(tree.child(node, "items")),
            },
            Some(_) => {
                let nothing_required = match schema.get("required") {
                    None | Some(Value::Null) => true,
                    Some(required) => required.as_array().is_some_and(Vec::is_empty),
                };
                if nothing_required || object(schema, "properties").is_none_or(|p| p.is_empty()) {
                    return Self::Nothing;
                }
                let properties = tree.child(node, "properties");
                let required = array(schema, "required").unwrap_or_default();
                let names = required.iter().filter_map(Value::as_str);
                needed.extend(names.filter_map(|name| tree.child(properties?, name)));
            }
            // The validator doesn't look into `oneOf`, `allOf` or `const`: it finds no
            // end in a schema made of these alone.
            None => {}
        }
        match array(schema, "anyOf") {
            Some([]) => return Self::Nothing,
            Some(_) => needed.extend(tree.branches(node)),
            None => {}
        }
        needed.extend(references.targets[node]);
        Self::OneOf(needed)
    }
}
