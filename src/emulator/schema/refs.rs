//! What references mean: whether they lead somewhere, fit what stands beside
//! them, stay within the depth limit and come to an end.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::{
    SchemaError,
    keywords::{is_annotation, types},
    tree::{MAX_DEPTH, Node, Role, Tree, too_deep},
};

/// A schema with its references resolved.
#[derive(Debug)]
pub(super) struct Definitions<'t, 'a> {
    tree: &'t Tree<'a>,
    /// For each subschema the one that its `$ref` names.
    targets: Vec<Option<usize>>,
}

impl<'t, 'a> Definitions<'t, 'a> {
    /// Resolves every reference, those in unused definitions too.
    pub(super) fn of(tree: &'t Tree<'a>) -> Result<Self, SchemaError> {
        let mut named = HashMap::from([("#".to_owned(), 0)]);
        for (index, node) in tree.nodes().iter().enumerate() {
            match node.role {
                Role::Definition(name) if node.parent == 0 => {
                    named.insert(format!("#/$defs/{name}"), index);
                }
                _ => {}
            }
        }
        let mut targets = Vec::with_capacity(tree.nodes().len());
        for node in tree.nodes() {
            let target = match node.schema.get("$ref").and_then(Value::as_str) {
                None => None,
                Some(name) => match named.get(name) {
                    Some(target) => Some(*target),
                    None => {
                        return Err(SchemaError::at_root(format!("invalid $ref path: {name}")));
                    }
                },
            };
            targets.push(target);
        }
        Ok(Self { tree, targets })
    }

    /// The references that requests can reach without passing through another
    /// one: Moonshot looks at these only.
    fn used(&self) -> impl Iterator<Item = (usize, usize)> {
        let nodes = self.tree.nodes().iter().zip(&self.targets).enumerate();
        nodes.filter_map(|(index, (node, target))| match node.definition {
            None => target.map(|target| (index, target)),
            Some(_) => None,
        })
    }

    /// Beside a `$ref` only what its target does not say.
    pub(super) fn check_siblings(&self) -> Result<(), SchemaError> {
        for (node, target) in self.used() {
            let here = self.tree.nodes()[node].schema;
            let there = self.end_of(target);
            let said_here = |key: &str| key != "$ref" && here.contains_key(key);
            let twice = shared(there, |key| !is_annotation(key) && said_here(key));
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
            if here.contains_key("anyOf") && there.contains_key("type") {
                return Err(self.tree.error(
                    node,
                    "invalid schema after $ref expansion: (when using anyOf, type should be \
                     defined in anyOf items instead of the parent schema)",
                ));
            }
            let branches = there.get("anyOf").and_then(Value::as_array);
            for branch in branches.into_iter().flatten().filter_map(Value::as_object) {
                let twice = shared(branch, |key| {
                    key != "anyOf" && !is_annotation(key) && said_here(key)
                });
                if !twice.is_empty() {
                    return Err(self.tree.error(
                        node,
                        format!("conflicting keywords found in anyOf after ref expansion: {twice}"),
                    ));
                }
            }
        }
        Ok(())
    }

    /// Follows definitions that only name another one.
    fn end_of(&self, mut target: usize) -> &'a Map<String, Value> {
        let mut seen = BTreeSet::from([target]);
        while let Some(next) = self.targets[target] {
            let schema = self.tree.nodes()[target].schema;
            let bare = schema.keys().all(|key| key == "$ref" || is_annotation(key));
            if !bare || !seen.insert(next) {
                break;
            }
            target = next;
        }
        self.tree.nodes()[target].schema
    }

    /// The depth limit counts what references lead to. A reference back to a
    /// definition that is being counted adds nothing.
    pub(super) fn check_depth(&self) -> Result<(), SchemaError> {
        let mut edges: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
        let mut depths: HashMap<usize, usize> = HashMap::new();
        for (node, target) in self.tree.nodes().iter().zip(&self.targets) {
            let Some(definition) = node.definition else {
                continue;
            };
            let below = node.depth - self.tree.nodes()[definition].depth;
            let depth = depths.entry(definition).or_default();
            *depth = below.max(*depth);
            if let Some(target) = target {
                edges.entry(definition).or_default().push((below, *target));
            }
        }

        let mut done = BTreeSet::new();
        let mut open = BTreeSet::new();
        for (_, start) in self.used() {
            // Each definition is taken up twice: before its targets, which are
            // then put on top of it, and after them.
            let mut rest = vec![start];
            while let Some(definition) = rest.pop() {
                if definition == 0 || done.contains(&definition) {
                    continue;
                }
                let targets = edges.get(&definition).map_or(&[][..], Vec::as_slice);
                if open.insert(definition) {
                    rest.push(definition);
                    let fresh = targets.iter().map(|(_, target)| *target);
                    rest.extend(fresh.filter(|target| !open.contains(target)));
                    continue;
                }
                let mut depth = depths.get(&definition).copied().unwrap_or(0);
                for (below, target) in targets {
                    if done.contains(target) {
                        depth = depth.max(below + depths.get(target).copied().unwrap_or(0));
                    }
                }
                depths.insert(definition, depth);
                done.insert(definition);
            }
        }

        for (node, target) in self.used() {
            let below = if target == 0 {
                0
            } else {
                depths.get(&target).copied().unwrap_or(0)
            };
            if self.tree.nodes()[node].depth + below > MAX_DEPTH {
                return Err(SchemaError::at_root(too_deep()));
            }
        }
        Ok(())
    }

    /// A reference must not demand itself without end.
    ///
    /// Moonshot asks this only of schemas whose root it can't see the end of.
    pub(super) fn check_termination(&self) -> Result<(), SchemaError> {
        let ends = self.terminating();
        if ends[0] {
            return Ok(());
        }
        let endless = self
            .used()
            .find(|(node, target)| !self.tree.nodes()[*node].additional && !ends[*target]);
        match endless {
            None => Ok(()),
            Some((node, _)) => Err(self.tree.error(
                node,
                "detected infinite recursion without termination condition",
            )),
        }
    }

    /// For each subschema whether Moonshot sees that a finite value exists.
    ///
    /// Starts from those that need nothing and passes it on to whatever waits
    /// for them; a recursion without end is never reached.
    fn terminating(&self) -> Vec<bool> {
        let nodes = self.tree.nodes();
        let needs: Vec<Need> = self.targets.iter().zip(nodes).map(Need::of).collect();
        let mut ends = vec![false; nodes.len()];
        let mut waiting = vec![0_usize; nodes.len()];
        let mut referrers = vec![Vec::new(); nodes.len()];
        for (index, node) in nodes.iter().enumerate() {
            if let Need::Target(target) = needs[index] {
                referrers[target].push(index);
            }
            if needs[node.parent].meets(node.role) {
                waiting[node.parent] += 1;
            }
        }

        let mut found: Vec<usize> = (0..nodes.len())
            .filter(|index| match needs[*index] {
                Need::Nothing => true,
                Need::Properties => waiting[*index] == 0,
                _ => false,
            })
            .collect();
        while let Some(index) = found.pop() {
            if std::mem::replace(&mut ends[index], true) {
                continue;
            }
            found.extend(&referrers[index]);
            let Node { parent, role, .. } = nodes[index];
            if needs[parent].meets(role) {
                waiting[parent] -= 1;
                if waiting[parent] == 0 || needs[parent] != Need::Properties {
                    found.push(parent);
                }
            }
        }
        ends
    }
}

/// What has to have an end for a subschema to have one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Need {
    Nothing,
    Target(usize),
    AnyBranch,
    Items,
    /// All that are required.
    Properties,
    /// Moonshot does not look into `oneOf`, `allOf` or `const`, so it sees no
    /// end in a schema made of these alone: a reference to one is refused.
    Unseen,
}

impl Need {
    fn of((target, node): (&Option<usize>, &Node<'_>)) -> Self {
        let schema = node.schema;
        if let Some(target) = target {
            return Self::Target(*target);
        }
        if schema.contains_key("anyOf") {
            return Self::AnyBranch;
        }
        let types = types(schema);
        if types
            .iter()
            .any(|name| !matches!(*name, "object" | "array"))
        {
            return Self::Nothing;
        }
        if types.contains(&"array") {
            let least = schema.get("minItems").and_then(Value::as_f64);
            let filled = least.is_some_and(|least| least >= 1.0);
            return if filled && schema.contains_key("items") {
                Self::Items
            } else {
                Self::Nothing
            };
        }
        if types.contains(&"object") {
            return Self::Properties;
        }
        if schema.is_empty() {
            Self::Nothing
        } else {
            Self::Unseen
        }
    }

    /// Whether a child in this role is what is needed.
    fn meets(self, role: Role<'_>) -> bool {
        match role {
            Role::Branch(_) => self == Self::AnyBranch,
            Role::Items => self == Self::Items,
            Role::Property { required, .. } => required && self == Self::Properties,
            Role::Root | Role::Definition(_) | Role::Additional => false,
        }
    }
}

/// The keys of a schema that meet a condition, sorted and joined.
fn shared(schema: &Map<String, Value>, meets: impl Fn(&str) -> bool) -> String {
    let keys: BTreeSet<&str> = schema
        .keys()
        .map(String::as_str)
        .filter(|key| meets(key))
        .collect();
    keys.into_iter().collect::<Vec<_>>().join(", ")
}
