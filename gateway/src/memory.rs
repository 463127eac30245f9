//! Keeps the thoughts of models, for clients that don't send them back.

use std::{future::Ready, sync::Arc};

use futures_util::future::{BoxFuture, Either, FutureExt};
use tower::BoxError;
use tower_moonshot::reasoning_memory::{
    MemoryStore, ReasoningMemoryLayer, ReasoningStore, StoreKey, Thought,
};

use super::{
    args::Args,
    metrics::Metrics,
    redis_store::{Redis, RedisStore},
};

/// Where thoughts are kept, as the command line says.
#[derive(Clone, Debug)]
pub(crate) enum Memory {
    /// In this process, shared by all workers.
    Process(MemoryStore),
    /// In Redis, to which each worker has a connection.
    Redis(Redis),
}

impl Memory {
    /// `None` if nothing is kept.
    ///
    /// # Errors
    ///
    /// The URL of Redis is invalid.
    pub(crate) fn new(args: &Args) -> Result<Option<Self>, BoxError> {
        // Without a rewrite, bodies are not read either.
        if args.no_reasoning_memory || args.no_rewrite {
            return Ok(None);
        }
        let memory = match &args.reasoning_store {
            Some(url) => Self::Redis(Redis::new(
                url,
                args.reasoning_ttl,
                args.reasoning_store_timeout,
            )?),
            None => Self::Process(
                MemoryStore::new()
                    .with_max_bytes(args.reasoning_bytes)
                    .with_time_to_idle(args.reasoning_ttl),
            ),
        };
        Ok(Some(memory))
    }

    /// Returns the number of bytes that this process keeps.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Process(store) => store.bytes(),
            Self::Redis(_) => 0,
        }
    }

    /// Returns the store of one worker.
    pub(crate) fn store(&self, metrics: &Arc<Metrics>) -> Store {
        match self {
            Self::Process(store) => Store::Process(store.clone()),
            Self::Redis(redis) => Store::Redis(RedisStore::new(redis.clone(), Arc::clone(metrics))),
        }
    }
}

/// The store of one worker.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    Process(MemoryStore),
    Redis(RedisStore),
}

impl Store {
    /// Returns the layer that keeps thoughts in this store.
    pub(crate) fn layer(&self) -> ReasoningMemoryLayer<Self> {
        let layer = ReasoningMemoryLayer::new().with_store(self.clone());
        match self {
            Self::Process(_) => layer,
            Self::Redis(store) => layer.with_store_timeout(store.timeout()),
        }
    }

    /// Waits until thoughts are kept that were handed over before, or cannot be.
    pub(crate) async fn kept(&self) {
        match self {
            Self::Process(_) => {}
            Self::Redis(store) => store.kept().await,
        }
    }
}

type Recalled = Result<Vec<Option<Thought>>, BoxError>;

impl ReasoningStore for Store {
    type Recall = Either<Ready<Recalled>, BoxFuture<'static, Recalled>>;

    fn recall(&self, keys: Vec<StoreKey>) -> Self::Recall {
        match self {
            Self::Process(store) => Either::Left(store.recall(keys)),
            Self::Redis(store) => Either::Right(store.clone().recall(keys).boxed()),
        }
    }

    fn remember(&self, key: StoreKey, thought: Thought) {
        match self {
            Self::Process(store) => store.remember(key, thought),
            Self::Redis(store) => store.remember(key, thought),
        }
    }
}
