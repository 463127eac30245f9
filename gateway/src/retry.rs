//! Retries failed requests before the client has got any of the response.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use axum::{
    http::{HeaderValue, Request, header::RETRY_AFTER},
    response::Response,
};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tower::retry::{
    Policy,
    backoff::{Backoff, ExponentialBackoff, ExponentialBackoffMaker, InvalidBackoff, MakeBackoff},
    budget::{Budget, TpsBudget},
};
use tower::util::rng::{HasherRng, Rng};

use super::{
    error::Error,
    failure::{Failed, Failure},
    models::Choice,
};

/// The longest `Retry-After` that is waited for. After a longer one the failure is
/// returned, and the client decides.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);

/// The retry policy. A failure that may be temporary is retried after an exponential
/// backoff with jitter. If another entry of the name was not tried yet, it is tried at
/// once, also when an account has no money left.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    left: u32,
    backoff: ExponentialBackoff<SharedRng>,
    /// Shared by all requests. It stops retries when most requests fail, where they
    /// would only add load.
    budget: Arc<TpsBudget>,
}

impl Retry {
    pub(crate) fn new(retries: u32) -> Result<Self, InvalidBackoff> {
        let (min, max) = (Duration::from_millis(250), Duration::from_secs(8));
        let mut backoff = ExponentialBackoffMaker::new(min, max, 0.5, SharedRng::default())?;
        Ok(Self {
            left: retries,
            backoff: backoff.make_backoff(),
            // One retry per five requests, and ten per second on top.
            budget: Arc::new(TpsBudget::new(Duration::from_secs(10), 10, 0.2)),
        })
    }

    /// Returns the wait before the next attempt; `None` for no further attempt.
    fn wait(
        &mut self,
        failure: Failure,
        retry_after: Option<Duration>,
        another: bool,
    ) -> Option<Sleep> {
        if another && failure.is_local() {
            return Some(sleep(Duration::ZERO));
        }
        let after = retry_after.unwrap_or_default();
        if !failure.is_passing() || after > MAX_RETRY_AFTER {
            return None;
        }
        // The jitter is added, so that requests with the same `Retry-After` are not
        // retried together.
        Some(sleep_until(self.backoff.next_backoff().deadline() + after))
    }
}

/// Parses a `Retry-After`: a number of seconds, or a date.
pub(crate) fn time_of(retry_after: &HeaderValue) -> Option<Duration> {
    let text = retry_after.to_str().ok()?;
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// A random number generator whose clones draw from one sequence. tower clones the
/// policy and its backoff for each request, and no two should wait equally long.
#[derive(Clone, Debug, Default)]
struct SharedRng(Arc<Mutex<HasherRng>>);

impl Rng for SharedRng {
    fn next_u64(&mut self) -> u64 {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rng.next_u64()
    }
}

impl<B: Clone> Policy<Request<B>, Response, Error> for Retry {
    type Future = Sleep;

    fn retry(
        &mut self,
        request: &mut Request<B>,
        result: &mut Result<Response, Error>,
    ) -> Option<Sleep> {
        let (failure, retry_after) = match result {
            Ok(response) => (
                response.extensions().get::<Failed>().map(|failed| failed.0),
                response.headers().get(RETRY_AFTER),
            ),
            Err(error) => (error.failure(), None),
        };
        let Some(failure) = failure else {
            self.budget.deposit();
            return None;
        };
        let asked = retry_after.map(time_of);
        let mut choice = request.extensions().get::<Choice>().cloned()?;
        let failed = Arc::clone(&choice.deployment().upstream);
        self.left = self.left.checked_sub(1)?;
        // An entry without a key would get the same key of the client, which is refused.
        let has_own = failure == Failure::Key && !choice.deployment().has_key();
        let has_another = failure.is_local() && choice.advance(|other| !has_own || other.has_key());
        if asked == Some(None) && !has_another {
            // Nobody knows how long this entry asks to be left alone.
            return None;
        }
        let wait = self.wait(failure, asked.flatten(), has_another)?;
        if !self.budget.withdraw() {
            return None;
        }
        tracing::warn!(
            upstream = &*failed,
            failure = failure.name(),
            wait_ms = wait.deadline().duration_since(Instant::now()).as_millis() as u64,
            "retrying",
        );
        request.extensions_mut().insert(choice);
        Some(wait)
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        // The body is in memory, so that a clone copies no bytes.
        (self.left > 0).then(|| request.clone())
    }
}
