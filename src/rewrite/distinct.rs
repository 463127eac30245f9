//! A check for ids or names that occur twice, which nearly every request passes.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A table of hashes that is kept from one request to the next, so that the check
/// allocates nothing.
///
/// Hashes are seeded, so that nobody outside can choose ids that collide; and if
/// ids collide nevertheless, the check gives up after a bounded number of steps.
#[derive(Debug)]
pub(super) struct Distinct {
    seed: u64,
    /// Open addressing; 0 is a free slot.
    slots: Vec<u64>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self {
            seed: RandomState::new().build_hasher().finish(),
            slots: Vec::new(),
        }
    }
}

impl Distinct {
    /// Whether all of these are different. `true` is exact; `false` may be a collision
    /// of hashes.
    pub(super) fn are_all(&mut self, ids: impl Iterator<Item = impl AsRef<[u8]>> + Clone) -> bool {
        let count = ids.clone().count();
        if count < 2 {
            return true;
        }
        let size = (2 * count).next_power_of_two();
        self.slots.clear();
        self.slots.resize(size, 0);
        // At most half of the table is taken: a search takes 1.5 steps on average.
        let mut steps = 4 * count + 32;
        for id in ids {
            let hash = hash(self.seed, id.as_ref()).max(1);
            let mut at = hash as usize & (size - 1);
            while self.slots[at] != 0 {
                if self.slots[at] == hash || steps == 0 {
                    return false;
                }
                steps -= 1;
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = hash;
        }
        true
    }

    /// Gives memory back to the allocator, down to room for this many slots.
    pub(super) fn shrink_to(&mut self, slots: usize) {
        self.slots.clear();
        self.slots.shrink_to(slots);
    }
}

/// Eight bytes at a time, each mixed by a multiplication whose halves are folded.
fn hash(seed: u64, id: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(seed | 1);
        (product as u64 ^ (product >> 64) as u64).wrapping_add(ODD)
    };
    let (words, rest) = id.as_chunks::<8>();
    let mut hash = words
        .iter()
        .fold(seed ^ (id.len() as u64).wrapping_mul(ODD), |hash, word| {
            mix(hash, u64::from_le_bytes(*word))
        });
    let last = rest
        .iter()
        .fold(0, |last, &byte| last << 8 | u64::from(byte));
    hash = mix(hash, last);
    mix(hash, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_all_distinct(ids: &[&str]) -> bool {
        Distinct::default().are_all(ids.iter())
    }

    #[test]
    fn an_id_that_occurs_twice_is_found() {
        assert!(are_all_distinct(&[]));
        assert!(are_all_distinct(&["a"]));
        assert!(are_all_distinct(&["a", "b", "", "a\0", "\0a", "aa"]));
        assert!(!are_all_distinct(&["a", "b", "a"]));
        assert!(!are_all_distinct(&["", ""]));
        let long = "functions.read:".repeat(20);
        assert!(!are_all_distinct(&[&long, "b", &long]));
    }

    #[test]
    fn many_different_ids_are_told_apart_and_one_that_is_repeated_is_found() {
        let mut table = Distinct::default();
        for make in [
            (|n| format!("functions.x:{n}")) as fn(usize) -> String,
            |n| format!("call_{n:08}"),
            |n| "a".repeat(n % 300) + &n.to_string(),
        ] {
            let mut ids: Vec<String> = (0..20_000).map(make).collect();
            assert!(table.are_all(ids.iter()), "{}", ids[0]);
            ids.push(ids[7].clone());
            assert!(!table.are_all(ids.iter()), "{}", ids[0]);
        }
    }

    /// A seed that somebody knows is of no more use than to make the check give up.
    #[test]
    fn ids_that_collide_take_a_bounded_number_of_steps() {
        let mut table = Distinct {
            seed: 1,
            slots: Vec::new(),
        };
        // With this seed, what is alike in the lowest bits has neighbouring slots.
        let count = 4_000_usize;
        let ids: Vec<[u8; 8]> = (0..count as u64).map(|n| (n << 32).to_le_bytes()).collect();
        assert!(!table.are_all(ids.iter()));
        let found = table.slots.iter().filter(|&&slot| slot != 0).count();
        assert!(found < count / 4, "{found}");
    }
}
