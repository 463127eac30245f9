//! The key of a thought.

use sha2::{Digest as _, Sha256};

use super::{
    ReasoningScope, StoreKey,
    digest::{self, Digest},
};

/// What the SHA-256 of a key begins with. It names the form of the stream: one that is
/// changed needs another name, or else replicas of two versions would mix up theirs.
const CONTEXT: &[u8] = b"tower-moonshot conversation, v1: ";

/// Separates scopes and families.
///
/// The key of a thought is the SHA-256 of scope, family and the digest of the
/// conversation, so nobody finds a conversation whose key is one of another scope or
/// family.
#[derive(Clone)]
pub(super) struct Namespace {
    hasher: Sha256,
}

impl Namespace {
    pub(super) fn new(scope: &ReasoningScope, family: &str) -> Self {
        // The family is between two parts of a fixed length.
        let hasher = Sha256::new()
            .chain_update(CONTEXT)
            .chain_update(scope.digest())
            .chain_update(family);
        Self { hasher }
    }

    pub(super) fn key(&self, digest: &Digest) -> StoreKey {
        let hasher = self.hasher.clone().chain_update(digest::bytes(digest));
        StoreKey::from_bytes(hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_families_are_apart() {
        let (a, b) = (ReasoningScope::new("a"), ReasoningScope::new("b"));
        let keys = [(a, "k3"), (a, "k2.7"), (b, "k3"), (b, "k2.7")]
            .map(|(scope, family)| Namespace::new(&scope, family).key(&[7; 4]));
        for (number, key) in keys.iter().enumerate() {
            assert!(!keys[number + 1..].contains(key));
        }
    }
}
