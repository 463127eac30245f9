//! The layer, and the builder of its configuration.

use std::{sync::Arc, time::Duration};

use tower::Layer;

use super::{MemoryStore, ReasoningMemory, config::Config};
use crate::ModelAliases;

/// Layer that applies [`ReasoningMemory`], which remembers what a model thought and
/// restores it in later requests that lack it.
///
/// Services of one layer, and of its clones, share a store. See the
/// [module docs](super) for an example.
///
/// # Defaults
///
/// | setting | default |
/// |---|---|
/// | [`with_store`](Self::with_store) | a [`MemoryStore`] of 64 MiB and one hour |
/// | [`with_store_timeout`](Self::with_store_timeout) | 50 ms |
/// | [`with_max_thought_bytes`](Self::with_max_thought_bytes) | 1 MiB |
/// | [`with_max_body_bytes`](Self::with_max_body_bytes) | 100 000 000 bytes |
/// | [`with_aliases`](Self::with_aliases) | none |
#[derive(Clone, Debug)]
#[must_use]
pub struct ReasoningMemoryLayer<M = MemoryStore> {
    store: M,
    config: Arc<Config>,
}

impl Default for ReasoningMemoryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl ReasoningMemoryLayer {
    /// Creates a layer with the [defaults](Self#defaults).
    pub fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            config: Arc::default(),
        }
    }
}

impl<M> ReasoningMemoryLayer<M> {
    fn config(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }

    /// Sets where thoughts are kept. The default is a new [`MemoryStore`].
    pub fn with_store<N>(mut self, store: N) -> ReasoningMemoryLayer<N> {
        // Whether another store answered says nothing about this one.
        self.config().breaker = Arc::default();
        ReasoningMemoryLayer {
            store,
            config: self.config,
        }
    }

    /// Sets how long a request waits for the store. The default is 50 ms. A request whose
    /// store takes longer is sent without its thoughts.
    ///
    /// After three such timeouts in a row, the store is not asked for one second, or for
    /// `limit` if that is longer. Then one request tries again, and if it gets an answer,
    /// all requests ask again. Services of this layer and its clones share this state.
    /// Thoughts are stored all the while.
    ///
    /// A store that answers at once, as [`MemoryStore`] does, needs no timer. Any other
    /// needs a tokio runtime with time enabled, without which the request panics.
    pub fn with_store_timeout(mut self, limit: Duration) -> Self {
        self.config().store_timeout = limit;
        self
    }

    /// Sets the length in bytes, as JSON, up to which a thought is kept and restored. The
    /// default is 1 MiB.
    ///
    /// It also bounds what a response in flight takes: no more than four times this,
    /// for its thoughts, contents and tool calls together. Of a response with more,
    /// nothing is kept.
    pub fn with_max_thought_bytes(mut self, limit: usize) -> Self {
        self.config().max_thought_bytes = limit.min(1 << 28);
        self
    }

    /// Sets the length in bytes up to which a request is read. The default is
    /// 100 000 000, Moonshot's own limit (documented). A longer request is forwarded
    /// unchanged, and none grows beyond the limit by what is restored.
    pub fn with_max_body_bytes(mut self, limit: usize) -> Self {
        self.config().max_body_bytes = limit;
        self
    }

    /// Sets the aliases by which requests name models, those of the layer inside of this
    /// one. The default is none.
    ///
    /// Only a thinking model has thoughts, and which messages need them depends on the
    /// model, so the layer has to know which one a name stands for. In the extensions of
    /// a request, [`ModelAliases`] replaces these, and
    /// [`TargetModel`](crate::TargetModel) the name.
    pub fn with_aliases(mut self, aliases: ModelAliases) -> Self {
        self.config().aliases = aliases;
        self
    }
}

impl<S, M: Clone> Layer<S> for ReasoningMemoryLayer<M> {
    type Service = ReasoningMemory<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        ReasoningMemory::with_config(inner, self.store.clone(), Arc::clone(&self.config))
    }
}
