//! How deep objects lie inside each other, references included.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    SchemaError,
    refs::Definitions,
    tree::{MAX_DEPTH, too_deep},
};

impl Definitions<'_, '_> {
    /// The depth limit counts what references lead to.
    pub(super) fn check_depth(&self) -> Result<(), SchemaError> {
        let mut depths = self.own_depths();
        let mut done = BTreeSet::new();
        for (node, target) in self.used() {
            descend(target, &mut depths, &mut done);
            // The root counts nothing to a reference to it.
            let below = depths.get(&target).map_or(0, |definition| definition.depth);
            if self.tree.nodes()[node].depth + below > MAX_DEPTH {
                return Err(SchemaError::at_root(too_deep()));
            }
        }
        Ok(())
    }

    /// The depth of each definition without what its references lead to.
    fn own_depths(&self) -> BTreeMap<usize, Definition> {
        let mut depths: BTreeMap<usize, Definition> = BTreeMap::new();
        for (node, target) in self.tree.nodes().iter().zip(&self.targets) {
            let Some(index) = node.definition else {
                continue;
            };
            let below = node.depth - self.tree.nodes()[index].depth;
            let definition = depths.entry(index).or_default();
            definition.depth = definition.depth.max(below);
            let reference = target.map(|target| (below, target));
            definition.references.extend(reference);
        }
        depths
    }
}

/// How deep a definition is, and where in it which other ones are named.
#[derive(Debug, Default)]
struct Definition {
    depth: usize,
    references: Vec<(usize, usize)>,
}

/// Adds to a definition's depth what its references lead to. A reference back to
/// a definition that is being counted adds nothing.
fn descend(start: usize, depths: &mut BTreeMap<usize, Definition>, done: &mut BTreeSet<usize>) {
    let mut open = BTreeSet::new();
    // Each definition is taken up twice: before its references, which are then
    // put on top of it, and after them.
    let mut rest = vec![start];
    while let Some(index) = rest.pop() {
        let Some(definition) = depths.get(&index).filter(|_| !done.contains(&index)) else {
            continue;
        };
        let references = definition.references.iter();
        if open.insert(index) {
            rest.push(index);
            let targets = references.map(|(_, target)| *target);
            rest.extend(targets.filter(|target| !open.contains(target)));
            continue;
        }
        let through = references
            .filter(|(_, target)| done.contains(target))
            .filter_map(|(below, target)| Some(below + depths.get(target)?.depth));
        let depth = through.max().unwrap_or(0).max(definition.depth);
        done.insert(index);
        if let Some(definition) = depths.get_mut(&index) {
            definition.depth = depth;
        }
    }
}
