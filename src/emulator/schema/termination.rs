//! Whether references come to an end.

use serde_json::Value;

use super::{
    SchemaError,
    keywords::types,
    refs::Definitions,
    tree::{Node, Role},
};

impl Definitions<'_, '_> {
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
