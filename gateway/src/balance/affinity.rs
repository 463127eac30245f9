//! Rendezvous hashing: each entry has a weight for each conversation, and the heaviest is
//! preferred. No state is needed, gateways choose alike, and without an entry only its
//! own conversations move.

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};
use tower_moonshot::ApiKey;

/// A SHA-256 of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(value: &impl Hash) -> Self {
        let mut hasher = Sha(Sha256::new());
        value.hash(&mut hasher);
        Self(hasher.0.finalize().into())
    }
}

/// What makes an entry the same in another configuration: where its requests go, as which
/// account, and for which model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(Digest);

impl Identity {
    pub(crate) fn new(base_url: &str, key: Option<&ApiKey>, model: &str) -> Self {
        Self(Digest::of(&(base_url, key, model)))
    }

    /// How much this entry is preferred for a conversation.
    pub(super) fn weight(&self, conversation: &Digest) -> u64 {
        let mut hasher = Sha(Sha256::new());
        (self, conversation).hash(&mut hasher);
        hasher.finish()
    }
}

/// SHA-256 as a hasher: gateways of the same build choose alike.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest
            .first_chunk()
            .map_or(0, |first| u64::from_be_bytes(*first))
    }
}
