//! Checks whether ids or names are all different, as in nearly every request.

use std::hash::{BuildHasher, RandomState};

use crate::json::Str;

/// A hash table that is kept between requests, so that the check allocates nothing.
///
/// Hashes are seeded, so that callers can't choose ids that collide. If ids collide
/// nevertheless, the check gives up after a bounded number of steps.
#[derive(Debug)]
pub(super) struct Distinct {
    seeds: [u64; 2],
    /// Open addressing; 0 is a free slot.
    slots: Vec<u64>,
}

impl Default for Distinct {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            seeds: [0, 1].map(|number: u64| random.hash_one(number)),
            slots: Vec::new(),
        }
    }
}

impl Distinct {
    /// Whether all ids are different. `true` is exact. `false` may be due to a collision
    /// of hashes.
    #[inline]
    pub(super) fn are_all(&mut self, text: &[u8], ids: impl Iterator<Item = Str> + Clone) -> bool {
        // For few ids, an upper bound is good enough: the table is small anyway.
        let count = match ids.size_hint() {
            (_, Some(most @ ..=512)) => most,
            _ => ids.clone().count(),
        };
        if count < 2 {
            return true;
        }
        let size = (2 * count).next_power_of_two();
        // The slot is in the high bits of a product, to which all bits of the hash
        // contribute: by the low bits of the hash alone, some seeds send most of
        // `tool_0`, `tool_1`, … to few slots.
        let shift = u64::BITS - size.trailing_zeros();
        self.slots.clear();
        self.slots.resize(size, 0);
        let slots = &mut self.slots[..];
        // At most half of the slots are used, so a search takes 1.5 steps on average.
        let mut steps = 4 * count + 32;
        for id in ids {
            let hash = match id.plain(text) {
                Some(plain) => hash(self.seeds, plain),
                None => hash(self.seeds, &id.unescaped(text)),
            };
            let hash = hash.max(1);
            let mut at = (hash.wrapping_mul(SPREAD) >> shift) as usize;
            while slots[at] != 0 {
                if slots[at] == hash || steps == 0 {
                    return false;
                }
                steps -= 1;
                at = (at + 1) & (size - 1);
            }
            slots[at] = hash;
        }
        true
    }

    /// Shrinks the table to this many slots.
    pub(super) fn shrink_to(&mut self, slots: usize) {
        self.slots.clear();
        self.slots.shrink_to(slots);
    }
}

/// An odd number with bits all over: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes an id, 16 bytes at a time: two words, each with a seed, are multiplied, and
/// the halves of the product are combined. The last 16 bytes may overlap those before,
/// so that no byte is read alone.
#[inline]
fn hash(seeds: [u64; 2], id: &[u8]) -> u64 {
    let mix = |hash: u64, (one, other): (u64, u64)| {
        let product = u128::from(one ^ hash) * u128::from(other ^ seeds[1]);
        product as u64 ^ (product >> 64) as u64
    };
    // Multiplied, so that the length can't cancel out a difference in a short id.
    let mut hash = (id.len() as u64)
        .wrapping_mul(SPREAD)
        .wrapping_add(seeds[0]);
    let Some(last) = id.last_chunk::<16>() else {
        return mix(hash, short(id));
    };
    let mut rest = id;
    while let Some((words, behind)) = rest.split_first_chunk::<16>() {
        if behind.is_empty() {
            break;
        }
        hash = mix(hash, halves(*words));
        rest = behind;
    }
    mix(hash, halves(*last))
}

fn halves(words: [u8; 16]) -> (u64, u64) {
    let words = u128::from_le_bytes(words);
    (words as u64, (words >> 64) as u64)
}

/// An id of less than 16 bytes as two words.
#[inline]
fn short(id: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (id.first_chunk(), id.last_chunk()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (id.first_chunk(), id.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        (first.into(), last.into())
    } else {
        let all = id.iter().fold(0, |all, &byte| all << 8 | u64::from(byte));
        (all, 0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::json::Span;

    fn are_all(table: &mut Distinct, ids: &[impl AsRef<[u8]>]) -> bool {
        let mut text = Vec::new();
        let mut strings = Vec::new();
        for id in ids {
            let start = text.len();
            text.push(b'"');
            text.extend_from_slice(id.as_ref());
            text.push(b'"');
            strings.push(Str {
                span: Span::new(start, text.len()),
                escaped: false,
            });
        }
        table.are_all(&text, strings.iter().copied())
    }

    fn are_all_distinct(ids: &[&str]) -> bool {
        are_all(&mut Distinct::default(), ids)
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
            assert!(are_all(&mut table, &ids), "{}", ids[0]);
            ids.push(ids[7].clone());
            assert!(!are_all(&mut table, &ids), "{}", ids[0]);
        }
    }

    /// Even an attacker who knows the seeds can only make the check give up.
    #[test]
    fn ids_that_collide_take_a_bounded_number_of_steps() {
        let mut table = Distinct {
            seeds: [1, 2],
            slots: Vec::new(),
        };
        // All of them have the first slot of 256.
        let collides = |id: &Vec<u8>| hash(table.seeds, id).wrapping_mul(SPREAD) >> 56 == 0;
        let ids = (0..u32::MAX).map(|number| number.to_le_bytes().repeat(3));
        let ids: Vec<Vec<u8>> = ids.filter(collides).take(128).collect();
        let hashes: HashSet<u64> = ids.iter().map(|id| hash(table.seeds, id)).collect();
        assert_eq!(hashes.len(), ids.len());
        assert!(!are_all(&mut table, &ids));
        let found = table.slots.iter().filter(|&&slot| slot != 0).count();
        assert!((2..50).contains(&found), "{found}");
    }

    #[test]
    fn numbered_names_are_told_apart_with_any_seeds() {
        let ids: Vec<String> = (0..128).map(|number| format!("tool_{number}")).collect();
        for seed in 0..2_000_u64 {
            let mut table = Distinct {
                seeds: [seed.wrapping_mul(SPREAD), (seed << 32).wrapping_mul(SPREAD)],
                slots: Vec::new(),
            };
            assert!(are_all(&mut table, &ids), "{seed}");
        }
    }

    #[test]
    fn every_byte_counts() {
        for length in 0..70 {
            let id = vec![b'a'; length];
            let mut ids = vec![id.clone(), vec![b'a'; length + 1]];
            ids.extend((0..length).map(|at| {
                let mut other = id.clone();
                other[at] = b'b';
                other
            }));
            assert!(are_all(&mut Distinct::default(), &ids), "{length}");
        }
    }
}
