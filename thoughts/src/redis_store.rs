//! Keeps thoughts in Redis, so that replicas share them.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{
    Client, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::{runtime::Handle, sync::Semaphore, time};
use tower::BoxError;
use tower_moonshot::reasoning_memory::{StoreKey, Thought};

use crate::OnLost;

/// What the names of keys begin with. The rest is the digest in hexadecimal digits.
const PREFIX: &str = "moonshot-gateway:thought:1:";

/// Time limit to connect, and for each response, unless that of a request is longer. It
/// applies to thoughts that are kept in the background.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How many thoughts are asked for at once.
const AT_ONCE: usize = 32;

/// How many bytes of thoughts one request gets, apart from the last [`AT_ONCE`].
const MAX_RECALLED: usize = 32 * 1024 * 1024;

/// How many bytes may wait to be kept, in KiB.
const MAX_WAITING: usize = 16 * 1024;

/// The shortest time between two new connections, and between two warnings, of a store.
const PAUSE: Duration = Duration::from_secs(1);

/// The settings of all stores.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    /// In milliseconds.
    time_to_live: u64,
    /// How long a request waits.
    timeout: Duration,
}

impl Redis {
    /// Takes the URL of a server, how long a thought is kept after it was last used, and
    /// how long a request waits.
    ///
    /// # Errors
    ///
    /// The URL is invalid, or asks for TLS. The message doesn't repeat it, as it may
    /// contain a password.
    pub fn new(url: &str, time_to_live: Duration, timeout: Duration) -> Result<Self, BoxError> {
        let client = Client::open(url).map_err(|error| {
            format!(
                "--reasoning-store: {error}; expected redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]"
            )
        })?;
        // Redis rejects an expiry beyond what a clock in milliseconds can hold.
        let most = u64::from(u32::MAX) * 1000;
        let millis = u64::try_from(time_to_live.as_millis()).unwrap_or(most);
        Ok(Self {
            client,
            time_to_live: millis.clamp(1, most),
            timeout,
        })
    }

    /// Returns the time limit for all that no request waits for.
    fn long_timeout(&self) -> Duration {
        self.timeout.max(TIMEOUT)
    }

    /// Connects lazily, on first use.
    fn connect(&self) -> RedisResult<ConnectionManager> {
        let timeout = self.long_timeout();
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            // The next request is the retry. It must not wait for a backoff.
            .set_number_of_retries(0);
        ConnectionManager::new_lazy_with_config(self.client.clone(), config)
    }

    /// Logs a warning if Redis cannot be used. Requests are served without it.
    pub async fn check(&self) {
        let ping = async {
            let mut connection = self.connect()?;
            redis::cmd("PING").exec_async(&mut connection).await
        };
        if let Err(error) = ping.await {
            tracing::warn!(%error, "thoughts are not kept until --reasoning-store can be used");
        }
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the URL, which may contain a password.
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

/// The store of one runtime. It has one connection, over which requests are pipelined.
#[derive(Clone, Debug)]
pub(crate) struct RedisStore(Arc<Inner>);

struct Inner {
    redis: Redis,
    on_lost: OnLost,
    connection: Mutex<Option<Connection>>,
    /// Bounds what waits to be kept, in KiB.
    room: Arc<Semaphore>,
    warned: Mutex<Option<Instant>>,
}

struct Connection {
    manager: ConnectionManager,
    made: Instant,
}

impl RedisStore {
    pub(crate) fn new(redis: Redis, on_lost: OnLost) -> Self {
        Self(Arc::new(Inner {
            redis,
            on_lost,
            connection: Mutex::default(),
            room: Arc::new(Semaphore::new(MAX_WAITING)),
            warned: Mutex::default(),
        }))
    }

    /// Returns how long a request waits.
    pub(crate) fn timeout(&self) -> Duration {
        self.0.redis.timeout
    }

    /// Waits until nothing waits to be kept, or the time limit has passed.
    pub(crate) async fn kept(&self) {
        let all = self.0.room.acquire_many(MAX_WAITING as u32);
        if time::timeout(self.0.redis.long_timeout(), all)
            .await
            .is_err()
        {
            self.0.lost(&"the process ends");
        }
    }

    pub(crate) async fn recall(
        self,
        keys: Vec<StoreKey>,
    ) -> Result<Vec<Option<Thought>>, BoxError> {
        let found = self.0.recall(&keys).await;
        Ok(found.inspect_err(|error| self.0.replace_after(error))?)
    }

    /// Keeps a thought in the background.
    pub(crate) fn remember(&self, key: StoreKey, thought: Thought) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let kib = u32::try_from(thought.len() / 1024 + 1).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.0.room).try_acquire_many_owned(kib) else {
            self.0.lost(&"too many thoughts wait for it");
            return;
        };
        let inner = Arc::clone(&self.0);
        runtime.spawn(async move {
            if let Err(error) = inner.remember(&key, &thought).await {
                inner.replace_after(&error);
                inner.lost(&error);
            }
            drop(room);
        });
    }
}

impl Inner {
    async fn recall(&self, keys: &[StoreKey]) -> RedisResult<Vec<Option<Thought>>> {
        let mut connection = self.connection()?;
        let mut thoughts = vec![None; keys.len()];
        let mut recalled = 0;
        let mut end = keys.len();
        // The latest come first. They are the ones that matter most.
        while end > 0 && recalled < MAX_RECALLED {
            let start = end.saturating_sub(AT_ONCE);
            let mut pipeline = redis::pipe();
            for key in &keys[start..end] {
                // A conversation keeps its thoughts while it lasts.
                let get = pipeline.cmd("GETEX").arg(name(key));
                get.arg("PX").arg(self.redis.time_to_live);
            }
            let values: Vec<Option<Vec<u8>>> = pipeline.query_async(&mut connection).await?;
            for (thought, value) in thoughts[start..end].iter_mut().zip(values) {
                recalled += value.as_ref().map_or(0, Vec::len);
                // Others may have written anything.
                *thought = value.and_then(|value| Thought::from_json(value).ok());
            }
            end = start;
        }
        Ok(thoughts)
    }

    async fn remember(&self, key: &StoreKey, thought: &Thought) -> RedisResult<()> {
        let mut connection = self.connection()?;
        let mut set = redis::cmd("SET");
        set.arg(name(key)).arg(&thought.as_json()[..]);
        set.arg("PX").arg(self.redis.time_to_live);
        set.exec_async(&mut connection).await
    }

    /// Returns the connection, which connects on first use. It belongs to the runtime of
    /// this thread.
    fn connection(&self) -> RedisResult<ConnectionManager> {
        let mut connection = lock(&self.connection);
        if let Some(connection) = &*connection {
            return Ok(connection.manager.clone());
        }
        let manager = self.redis.connect()?;
        *connection = Some(Connection {
            manager: manager.clone(),
            made: Instant::now(),
        });
        Ok(manager)
    }

    /// Drops the connection after an error of the server. The manager reconnects by
    /// itself after an error of the network, but keeps a refusal forever: a wrong
    /// password that was put right, or a server that was starting.
    fn replace_after(&self, error: &RedisError) {
        if error.is_io_error() {
            return;
        }
        let mut connection = lock(&self.connection);
        let is_old = |connection: &Connection| connection.made.elapsed() >= PAUSE;
        if connection.as_ref().is_some_and(is_old) {
            *connection = None;
        }
    }

    /// Tells of a thought that could not be kept, and warns once in a while.
    fn lost(&self, why: &dyn fmt::Display) {
        (self.on_lost)();
        let mut warned = lock(&self.warned);
        if warned.is_none_or(|warned| warned.elapsed() >= PAUSE) {
            *warned = Some(Instant::now());
            tracing::warn!(error = %why, "a thought was not kept in --reasoning-store");
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the name of a key in Redis. It is printable, for those who look into it.
fn name(key: &StoreKey) -> String {
    use std::fmt::Write;

    let mut name = String::with_capacity(PREFIX.len() + 2 * StoreKey::LENGTH);
    name.push_str(PREFIX);
    for byte in key.as_bytes() {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printable() {
        let mut bytes = [0; StoreKey::LENGTH];
        bytes[0] = 0xab;
        let name = name(&StoreKey::from_bytes(bytes));
        assert_eq!(
            name,
            format!("moonshot-gateway:thought:1:ab{}", "00".repeat(31))
        );
    }

    #[test]
    fn an_invalid_url_is_not_repeated() {
        for url in [
            "redis://:sesame@:x",
            "http://u:sesame@host",
            "sesame",
            "rediss://:sesame@host",
        ] {
            let error = Redis::new(url, Duration::MAX, TIMEOUT)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("expected redis://") && !error.contains("sesame"),
                "{error}"
            );
        }
        let redis = Redis::new("redis://:sesame@localhost/1", Duration::MAX, TIMEOUT).unwrap();
        assert!(!format!("{redis:?}").contains("sesame"));
    }
}
