//! How deeply properties are nested, references included.

use super::{
    SchemaError,
    refs::References,
    steps,
    tree::{MAX_DEPTH, Tree, object, too_deep},
};

/// How many steps for each object are spent on definitions that refer to each other.
const EFFORT: usize = 32;

/// Counts what references lead to as part of the depth.
///
/// The validator follows each reference once on each path through the definitions,
/// so one that leads back counts once more. Where several definitions refer to each
/// other, its count depends on the random order in which Go visits them; this is
/// the greatest one, as far as a bounded search finds it.
pub(super) fn check(references: &References<'_, '_>) -> Result<(), SchemaError> {
    let tree = references.tree;
    let from_definitions = reached(tree);
    let mut depths = Depths::new(references);
    for node in (0..tree.nodes().len()).filter(|node| from_definitions[*node]) {
        if let Some(target) = references.targets[node] {
            depths.visit(target);
        }
    }
    let mut found = vec![None; tree.nodes().len()];
    for (index, node) in tree.schemas() {
        let Some(target) = references.targets[index] else {
            continue;
        };
        let below = *found[target].get_or_insert_with(|| {
            if from_definitions[target] {
                depths.visit(target);
                depths.longest(target, false)
            } else if depths.states[target] == State::New {
                // What no definition leads to counts nothing.
                0
            } else {
                depths.longest(target, true)
            }
        });
        if node.depth + below > MAX_DEPTH {
            return Err(SchemaError::at_root(too_deep()));
        }
    }
    Ok(())
}

/// For each object whether the walk through the root's definitions gets there
/// without following references.
fn reached(tree: &Tree<'_>) -> Vec<bool> {
    let mut reached = vec![false; tree.nodes().len()];
    let definitions = tree.child(0, "$defs");
    let mut rest: Vec<usize> = definitions.map_or_else(Vec::new, |at| tree.members(at).collect());
    while let Some(node) = rest.pop() {
        reached[node] = true;
        rest.extend(below(tree, node).map(|(_, below)| below));
    }
    reached
}

/// The objects that count for the depth of one, each with how much deeper it is.
/// Those under `items` don't count.
fn below(tree: &Tree<'_>, node: usize) -> impl Iterator<Item = (usize, usize)> {
    steps::count(1);
    let properties = tree.child(node, "properties").into_iter();
    let properties = properties.flat_map(|properties| tree.members(properties));
    let others = tree.branches(node);
    let others = others.chain(tree.child(node, "additionalProperties"));
    properties
        .map(|property| (1, property))
        .chain(others.map(|other| (0, other)))
}

/// The depth of an object without anything that it holds: properties count even if
/// there are none.
fn own(tree: &Tree<'_>, node: usize) -> usize {
    usize::from(object(tree.nodes()[node].object, "properties").is_some())
}

struct Depths<'r, 't, 'a> {
    references: &'r References<'t, 'a>,
    states: Vec<State>,
    /// Whether the path that is being followed has passed a reference to an object.
    passed: Vec<bool>,
    /// The steps that are left for following paths.
    left: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    New,
    Open,
    Known {
        depth: usize,
        /// Whether no reference leads back, so that the depth is the same on every
        /// path.
        certain: bool,
    },
}

/// A step on paths through definitions.
enum Step {
    Enter {
        node: usize,
        depth: usize,
    },
    /// Back before the reference to an object.
    Leave(usize),
}

impl<'r, 't, 'a> Depths<'r, 't, 'a> {
    fn new(references: &'r References<'t, 'a>) -> Self {
        let count = references.tree.nodes().len();
        Self {
            references,
            states: vec![State::New; count],
            passed: vec![false; count],
            left: EFFORT * count,
        }
    }

    /// Finds the depth of an object and of everything that it leads to, where a
    /// reference back to an object that is being counted adds nothing.
    fn visit(&mut self, start: usize) {
        let tree = self.references.tree;
        // Each object is taken up twice: before those that count for it, which are
        // then put on top of it, and after them.
        let mut rest = vec![start];
        while let Some(node) = rest.pop() {
            let target = self.references.targets[node].map(|target| (0, target));
            let next = below(tree, node).chain(target);
            match self.states[node] {
                State::New => {
                    self.states[node] = State::Open;
                    rest.push(node);
                    let next = next.map(|(_, next)| next);
                    rest.extend(next.filter(|next| self.states[*next] == State::New));
                }
                State::Open => {
                    let mut depth = own(tree, node);
                    let mut certain = true;
                    for (more, next) in next {
                        let (below, sure) = self.known(next);
                        depth = depth.max(more + below);
                        certain &= sure;
                    }
                    self.states[node] = State::Known { depth, certain };
                }
                State::Known { .. } => {}
            }
        }
    }

    fn known(&self, node: usize) -> (usize, bool) {
        match self.states[node] {
            State::Known { depth, certain } => (depth, certain),
            State::New | State::Open => (0, false),
        }
    }

    /// The depth of an object on the longest path through it, or at least one over
    /// the limit.
    fn longest(&mut self, start: usize, by_reference: bool) -> usize {
        let tree = self.references.tree;
        let mut longest = 0;
        let mut rest = Vec::new();
        if by_reference {
            self.passed[start] = true;
            rest.push(Step::Leave(start));
        }
        rest.push(Step::Enter {
            node: start,
            depth: 0,
        });
        while let Some(step) = rest.pop() {
            let (node, depth) = match step {
                Step::Enter { node, depth } => (node, depth),
                Step::Leave(target) => {
                    self.passed[target] = false;
                    continue;
                }
            };
            if longest > MAX_DEPTH || self.left == 0 {
                continue;
            }
            let (below_here, certain) = self.known(node);
            if certain {
                longest = longest.max(depth + below_here);
                continue;
            }
            longest = longest.max(depth + own(tree, node));
            // What is beside a reference is past it, too.
            let target = self.references.targets[node];
            let target =
                target.filter(|target| !std::mem::replace(&mut self.passed[*target], true));
            rest.extend(target.map(Step::Leave));
            let held = rest.len();
            rest.extend(below(tree, node).map(|(more, node)| Step::Enter {
                node,
                depth: depth + more,
            }));
            self.left = self.left.saturating_sub(1 + rest.len() - held);
            rest.extend(target.map(|node| Step::Enter { node, depth }));
        }
        longest.max(self.known(start).0)
    }
}
