//! Groups of families for which facts hold.

use super::super::family::Family::{
    self, K2Preview, K2Thinking, K3, K25, K26, K27, K28, Unknown, V1,
};

/// A group of families, with its name in tables.
#[derive(Clone, Copy, Debug)]
pub(in crate::emulator) struct Models {
    #[cfg_attr(not(test), allow(dead_code, reason = "for tables"))]
    pub(in crate::emulator) name: &'static str,
    families: &'static [Family],
}

impl Models {
    const fn new(name: &'static str, families: &'static [Family]) -> Self {
        Self { name, families }
    }

    pub(in crate::emulator) fn has(self, family: Family) -> bool {
        self.families.contains(&family)
    }

    pub(in crate::emulator) fn are_all(self) -> bool {
        self.families.len() == ALL.families.len()
    }
}

pub(super) const ALL: Models = Models::new(
    "all",
    &[K3, K28, K27, K26, K25, K2Thinking, K2Preview, V1, Unknown],
);
pub(super) const NEWER: Models = Models::new("newer", &[K3, K28, K27, K26, K25]);
pub(super) const OLDER: Models = Models::new("older", &[K2Thinking, K2Preview, V1, Unknown]);
pub(super) const OLDER_SILENT: Models =
    Models::new("older that do not think", &[K2Preview, V1, Unknown]);
pub(super) const THINKING: Models =
    Models::new("all that think", &[K3, K28, K27, K26, K25, K2Thinking]);
/// Those whose thinking can be disabled.
pub(super) const SWITCHED: Models = Models::new("K3, K2.8, K2.6, K2.5", &[K3, K28, K26, K25]);
/// The same without K3, which accepts a forced choice in any case.
pub(super) const SWITCHED_K2: Models = Models::new("K2.8, K2.6, K2.5", &[K28, K26, K25]);
pub(super) const KEEPING: Models =
    Models::new("all that think but K2.5", &[K3, K28, K27, K26, K2Thinking]);
pub(super) const ONLY_K3: Models = Models::new("K3", &[K3]);
pub(super) const ONLY_K27: Models = Models::new("K2.7", &[K27]);
pub(super) const ONLY_K25: Models = Models::new("K2.5", &[K25]);
pub(super) const ONLY_K2_THINKING: Models = Models::new("K2 thinking", &[K2Thinking]);
pub(super) const ONLY_V1: Models = Models::new("V1", &[V1]);
pub(super) const K3_K28: Models = Models::new("K3, K2.8", &[K3, K28]);
pub(super) const K3_K26: Models = Models::new("K3, K2.6", &[K3, K26]);
pub(super) const K26_K25: Models = Models::new("K2.6, K2.5", &[K26, K25]);
pub(super) const K27_TO_K25: Models = Models::new("K2.7 to K2.5", &[K27, K26, K25]);
pub(super) const K28_TO_K25: Models = Models::new("K2.8 to K2.5", &[K28, K27, K26, K25]);
pub(super) const K28_TO_K2_THINKING: Models = Models::new(
    "K2.8 to K2.5, K2 thinking",
    &[K28, K27, K26, K25, K2Thinking],
);
pub(super) const NOT_K3: Models = Models::new(
    "all but K3",
    &[K28, K27, K26, K25, K2Thinking, K2Preview, V1, Unknown],
);
pub(super) const NOT_K3_K27: Models = Models::new(
    "all but K3, K2.7",
    &[K28, K26, K25, K2Thinking, K2Preview, V1, Unknown],
);
pub(super) const NOT_K27: Models = Models::new(
    "all but K2.7",
    &[K3, K28, K26, K25, K2Thinking, K2Preview, V1, Unknown],
);
/// All but K2.7 and K2.5, which refuse more of `thinking.keep`.
pub(super) const ANY_KEEP: Models = Models::new(
    "all but K2.7, K2.5",
    &[K3, K28, K26, K2Thinking, K2Preview, V1, Unknown],
);
