//! Keeps the thoughts of models, for clients that don't send them back.

use std::{future::Ready, time::Duration};

use futures_util::future::{BoxFuture, Either, FutureExt};
use tower::BoxError;
use tower_moonshot::reasoning_memory::{
    MemoryStore, ReasoningMemoryLayer, ReasoningStore, StoreKey, Thought,
};

use crate::{
    OnLost,
    redis_store::{Redis, RedisStore},
};

/// Where thoughts are kept, and for how long, as a command line says.
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    /// Upper bound on what is kept in this process.
    pub bytes: usize,
    /// How long a thought is kept after it was last used.
    pub time_to_live: Duration,
    /// The URL of a Redis to keep thoughts in, instead of this process.
    pub redis: Option<&'a str>,
    /// How long a request waits for Redis.
    pub redis_timeout: Duration,
}

/// Where thoughts are kept.
#[derive(Clone, Debug)]
pub enum Memory {
    /// In this process, shared by all runtimes.
    Process(MemoryStore),
    /// In Redis, to which each runtime has a connection.
    Redis(Redis),
}

impl Memory {
    /// # Errors
    ///
    /// The URL of Redis is invalid.
    pub fn new(settings: &Settings<'_>) -> Result<Self, BoxError> {
        let time_to_live = settings.time_to_live;
        Ok(match settings.redis {
            Some(url) => Self::Redis(Redis::new(url, time_to_live, settings.redis_timeout)?),
            None => Self::Process(
                MemoryStore::new()
                    .with_max_bytes(settings.bytes)
                    .with_time_to_idle(time_to_live),
            ),
        })
    }

    /// Returns the number of bytes that this process keeps.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Process(store) => store.bytes(),
            Self::Redis(_) => 0,
        }
    }

    /// Returns the store of one runtime, to which its connection belongs. `on_lost` is
    /// called for each thought that could not be kept.
    #[must_use]
    pub fn store(&self, on_lost: OnLost) -> Store {
        Store(match self {
            Self::Process(store) => Kind::Process(store.clone()),
            Self::Redis(redis) => Kind::Redis(RedisStore::new(redis.clone(), on_lost)),
        })
    }
}

/// The store of one runtime.
#[derive(Clone, Debug)]
pub struct Store(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Process(MemoryStore),
    Redis(RedisStore),
}

impl Store {
    /// Returns the layer that keeps thoughts in this store.
    pub fn layer(&self) -> ReasoningMemoryLayer<Self> {
        let layer = ReasoningMemoryLayer::new().with_store(self.clone());
        match &self.0 {
            Kind::Process(_) => layer,
            Kind::Redis(store) => layer.with_store_timeout(store.timeout()),
        }
    }

    /// Waits until thoughts are kept that were handed over before, or cannot be.
    pub async fn kept(&self) {
        match &self.0 {
            Kind::Process(_) => {}
            Kind::Redis(store) => store.kept().await,
        }
    }
}

type Recalled = Result<Vec<Option<Thought>>, BoxError>;

impl ReasoningStore for Store {
    type Recall = Either<Ready<Recalled>, BoxFuture<'static, Recalled>>;

    fn recall(&self, keys: Vec<StoreKey>) -> Self::Recall {
        match &self.0 {
            Kind::Process(store) => Either::Left(store.recall(keys)),
            Kind::Redis(store) => Either::Right(store.clone().recall(keys).boxed()),
        }
    }

    fn remember(&self, key: StoreKey, thought: Thought) {
        match &self.0 {
            Kind::Process(store) => store.remember(key, thought),
            Kind::Redis(store) => store.remember(key, thought),
        }
    }
}
