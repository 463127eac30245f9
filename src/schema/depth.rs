//! How deep objects are inside each other, references included (validator).
//!
//! The validator adds to the depth of a reference that of its target, in which it
//! follows each reference once on a way. Where definitions refer to each other, it
//! does so in random order, so what counts is the longest way.

use super::{
    keyword::PROPERTIES,
    limits::MAX_DEPTH,
    parts::{Part, Role},
    repair::{Repair, Stop},
};

/// How many steps are spent on each subschema to find the longest way.
const EFFORT: usize = 64;

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
            let mut depths = self.depths(&parts);
            let mut is_cut = false;
            for (place, part) in parts.iter().enumerate() {
                let Some(target) = depths.parts[place].target else {
                    continue;
                };
                if part.depth + depths.below(target) > MAX_DEPTH {
                    self.cut_reference(part.id, TOO_DEEP);
                    is_cut = true;
                }
            }
            self.tree.charge(depths.spent);
            if !is_cut {
                return Ok(());
            }
        }
    }

    fn depths(&self, parts: &[Part]) -> Depths {
        let targets = self.target_places(parts);
        let mut list: Vec<Deep> = parts
            .iter()
            .zip(targets)
            .map(|(part, target)| Deep {
                own: usize::from(self.tree.has(part.id, PROPERTIES)),
                target,
                below: Vec::new(),
                certain: None,
                counts: false,
                is_defined: part.definition.is_some(),
                is_passed: false,
            })
            .collect();
        for (place, part) in parts.iter().enumerate().skip(1) {
            let more = match part.role {
                Role::Property => 1,
                Role::Branch | Role::Additional => 0,
                Role::Root | Role::Items | Role::Definition => continue,
            };
            list[part.holder].below.push((more, place));
        }
        let roots = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| part.role == Role::Definition && part.holder == 0);
        let roots: Vec<usize> = roots.map(|(place, _)| place).collect();
        let mut depths = Depths {
            left: EFFORT * list.len(),
            spent: 4 * list.len(),
            parts: list,
        };
        depths.find_counting(roots);
        depths.find_certain();
        depths
    }
}

/// What is known of the depth of a subschema.
#[derive(Debug)]
struct Deep {
    /// Its depth without what it holds: properties count, even if there are none.
    own: usize,
    target: Option<usize>,
    /// The subschemas in it that count, each with how much deeper it is.
    below: Vec<(usize, usize)>,
    /// The depth, if nothing in it leads back.
    certain: Option<usize>,
    /// Whether any definition leads to it: what none leads to counts nothing.
    counts: bool,
    /// Whether it is part of a definition. What isn't is come to by a reference.
    is_defined: bool,
    /// Whether a reference to it is on the way that is being followed.
    is_passed: bool,
}

/// The depths of all subschemas.
#[derive(Debug)]
struct Depths {
    parts: Vec<Deep>,
    left: usize,
    spent: usize,
}

/// A step on a way.
enum Step {
    Enter {
        place: usize,
        depth: usize,
    },
    /// Back before the reference to a subschema.
    Back(usize),
}

impl Depths {
    /// Marks what definitions lead to.
    fn find_counting(&mut self, mut rest: Vec<usize>) {
        while let Some(place) = rest.pop() {
            let part = &mut self.parts[place];
            if std::mem::replace(&mut part.counts, true) {
                continue;
            }
            rest.extend(part.target);
            rest.extend(part.below.iter().map(|(_, below)| *below));
        }
    }

    /// Finds the depths of all subschemas that nothing leads back to, from the
    /// innermost on.
    fn find_certain(&mut self) {
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); self.parts.len()];
        let mut missing = vec![0_usize; self.parts.len()];
        for (place, part) in self.parts.iter().enumerate() {
            let below = part.below.iter().map(|(_, below)| *below);
            for next in below.chain(part.target) {
                waiting[next].push(place);
                missing[place] += 1;
            }
        }
        let mut rest: Vec<usize> = (0..missing.len())
            .filter(|place| missing[*place] == 0)
            .collect();
        while let Some(place) = rest.pop() {
            let part = &self.parts[place];
            let known = |place: usize| self.parts[place].certain.unwrap_or(0);
            let below = part.below.iter().map(|(more, below)| more + known(*below));
            let all = below.chain(part.target.map(known)).chain([part.own]);
            self.parts[place].certain = all.max();
            for &before in &waiting[place] {
                missing[before] -= 1;
                if missing[before] == 0 {
                    rest.push(before);
                }
            }
        }
    }

    /// How much a reference adds to the depth.
    fn below(&mut self, target: usize) -> usize {
        self.spent += 1;
        match self.parts[target] {
            Deep { counts: false, .. } => 0,
            Deep {
                certain: Some(depth),
                ..
            } => depth,
            _ => self.longest(target),
        }
    }

    /// The length of the longest way into a subschema, or at least one over the
    /// limit. The search is given up when it has taken too long.
    fn longest(&mut self, start: usize) -> usize {
        let mut longest = 0;
        let mut rest = Vec::new();
        if !self.parts[start].is_defined {
            self.parts[start].is_passed = true;
            rest.push(Step::Back(start));
        }
        rest.push(Step::Enter {
            place: start,
            depth: 0,
        });
        while let Some(step) = rest.pop() {
            let (place, depth) = match step {
                Step::Enter { place, depth } => (place, depth),
                Step::Back(target) => {
                    self.parts[target].is_passed = false;
                    continue;
                }
            };
            if longest > MAX_DEPTH || self.left == 0 {
                continue;
            }
            let part = &self.parts[place];
            self.left = self.left.saturating_sub(1 + part.below.len());
            self.spent += 1 + part.below.len();
            if let Some(certain) = part.certain {
                longest = longest.max(depth + certain);
                continue;
            }
            longest = longest.max(depth + part.own);
            let target = part.target.filter(|target| !self.parts[*target].is_passed);
            rest.extend(target.map(Step::Back));
            rest.extend(part.below.iter().map(|(more, place)| Step::Enter {
                place: *place,
                depth: depth + more,
            }));
            if let Some(target) = target {
                self.parts[target].is_passed = true;
                rest.push(Step::Enter {
                    place: target,
                    depth,
                });
            }
        }
        longest
    }
}
