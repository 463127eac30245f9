//! How deep objects are inside each other, references included (validator).

use std::collections::HashMap;

use super::{
    limits::MAX_DEPTH,
    parts::Part,
    repair::{Repair, Stop},
};

const TOO_DEEP: &str = "at most 30 objects may be inside each other";

impl Repair<'_> {
    /// Removes references that lead too deep.
    pub(super) fn deep_references(&mut self) -> Result<(), Stop> {
        if !self.any_reference {
            return Ok(());
        }
        loop {
            self.check()?;
            let parts = self.tree.parts();
            let targets = self.target_places(&parts);
            let mut depths = Depths::of(&parts, &targets);
            let mut is_cut = false;
            for (part, target) in parts.iter().zip(&targets) {
                let (None, Some(target)) = (part.definition, *target) else {
                    continue;
                };
                let below = depths.at(target);
                self.tree.charge(1);
                if part.depth + below > MAX_DEPTH {
                    self.cut_reference(part.id, TOO_DEEP);
                    is_cut = true;
                }
            }
            if !is_cut {
                return Ok(());
            }
        }
    }
}

/// How deep a definition is, and which others are referred to how deep in it.
#[derive(Debug, Default)]
struct Definition {
    depth: usize,
    references: Vec<(usize, usize)>,
    is_open: bool,
    is_done: bool,
}

/// The depths of definitions, by their places in the list of parts.
#[derive(Debug)]
struct Depths(HashMap<usize, Definition>);

impl Depths {
    /// The depth of each definition without what its references lead to.
    fn of(parts: &[Part], targets: &[Option<usize>]) -> Self {
        let mut depths: HashMap<usize, Definition> = HashMap::new();
        for (part, target) in parts.iter().zip(targets) {
            let Some(definition) = part.definition else {
                continue;
            };
            let depth = part.depth - parts[definition].depth;
            let own = depths.entry(definition).or_default();
            own.depth = own.depth.max(depth);
            own.references.extend(target.map(|target| (depth, target)));
        }
        Self(depths)
    }

    /// The depth of a definition with what its references lead to. One back to a
    /// definition that is being added up counts nothing, and the last one is followed
    /// first, as the validator does it.
    fn at(&mut self, place: usize) -> usize {
        let mut rest = vec![place];
        while let Some(place) = rest.pop() {
            let Some(definition) = self.0.get_mut(&place) else {
                continue;
            };
            if definition.is_done {
                continue;
            }
            // Each is taken up twice: before its references, and after them.
            if !std::mem::replace(&mut definition.is_open, true) {
                rest.push(place);
                let targets: Vec<usize> = definition
                    .references
                    .iter()
                    .map(|(_, target)| *target)
                    .collect();
                let is_new = |target: &usize| {
                    self.0
                        .get(target)
                        .is_some_and(|found| !found.is_open && !found.is_done)
                };
                rest.extend(targets.into_iter().filter(is_new));
                continue;
            }
            let Some(definition) = self.0.get(&place) else {
                continue;
            };
            let through = definition.references.iter().filter_map(|(below, target)| {
                let found = self.0.get(target).filter(|found| found.is_done)?;
                Some(below + found.depth)
            });
            let depth = through.max().unwrap_or(0).max(definition.depth);
            if let Some(definition) = self.0.get_mut(&place) {
                definition.depth = depth;
                definition.is_done = true;
            }
        }
        self.0.get(&place).map_or(0, |definition| definition.depth)
    }
}
