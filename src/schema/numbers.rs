//! Maps and sets whose keys are nodes or names.
//!
//! These are small numbers that are given out in order, so nobody can choose them so
//! that they collide, and a cheap hash is enough.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<Spread>>;
pub(super) type Set<K> = HashSet<K, BuildHasherDefault<Spread>>;

/// Spreads small numbers over all bits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn write_u32(&mut self, number: u32) {
        /// 2^64 divided by the golden ratio.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = self.0.rotate_left(32) ^ u64::from(number);
        self.0 = mixed.wrapping_mul(GOLDEN);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u32(number as u32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
