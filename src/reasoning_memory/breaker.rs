//! A circuit breaker: a store that doesn't answer is not asked for a while.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// After this many timeouts in a row, the store is skipped.
const TIMEOUTS: u32 = 3;

/// How long it is skipped, unless requests wait longer than this for an answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Counts timeouts of a store in a row.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    timeouts: AtomicU32,
    /// When one request may ask again, once there were enough timeouts.
    retry_at: Mutex<Option<Instant>>,
}

impl Breaker {
    /// Whether a request may ask the store now. Each waits for the store up to `limit`.
    ///
    /// After a pause, one request may. The next may after another pause, whatever becomes
    /// of the first, which the client may give up.
    pub(super) fn admits(&self, now: impl FnOnce() -> Instant, limit: Duration) -> bool {
        if self.timeouts.load(Ordering::Relaxed) < TIMEOUTS {
            return true;
        }
        let mut retry_at = self.lock();
        let now = now();
        let admits = retry_at.is_none_or(|retry_at| now >= retry_at);
        if admits {
            *retry_at = pause_from(now, limit);
        }
        admits
    }

    /// The store has answered.
    pub(super) fn answered(&self) {
        if self.timeouts.load(Ordering::Relaxed) > 0 {
            self.timeouts.store(0, Ordering::Relaxed);
        }
    }

    /// The store has not answered within `limit`.
    pub(super) fn timed_out(&self, now: Instant, limit: Duration) {
        let mut retry_at = self.lock();
        *retry_at = pause_from(now, limit);
        let timeouts = self.timeouts.load(Ordering::Relaxed);
        self.timeouts
            .store(timeouts.saturating_add(1), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        // An instant is always whole.
        self.retry_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a pause ends, which is no shorter than the wait of the request that tries again.
fn pause_from(now: Instant, limit: Duration) -> Option<Instant> {
    now.checked_add(PAUSE.max(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(50);

    /// A breaker, and a clock that only tests move.
    struct Setup {
        breaker: Breaker,
        now: Instant,
        limit: Duration,
    }

    impl Setup {
        fn new(limit: Duration) -> Self {
            Self {
                breaker: Breaker::default(),
                now: Instant::now(),
                limit,
            }
        }

        fn admits(&self) -> bool {
            self.breaker.admits(|| self.now, self.limit)
        }

        fn time_out(&self, times: u32) {
            for _ in 0..times {
                self.breaker.timed_out(self.now, self.limit);
            }
        }
    }

    #[test]
    fn a_few_timeouts_in_a_row_skip_the_store() {
        let setup = Setup::new(LIMIT);
        setup.time_out(TIMEOUTS - 1);
        assert!(setup.admits());
        // An answer in between begins the row anew.
        setup.breaker.answered();
        setup.time_out(TIMEOUTS - 1);
        assert!(setup.admits() && setup.admits());
        setup.time_out(1);
        assert!(!setup.admits());
    }

    #[test]
    fn one_request_tries_again_after_each_pause() {
        let mut setup = Setup::new(LIMIT);
        setup.time_out(TIMEOUTS);
        setup.now += PAUSE - Duration::from_millis(1);
        assert!(!setup.admits());
        setup.now += Duration::from_millis(1);
        assert_eq!([setup.admits(), setup.admits()], [true, false]);
        // It times out as well, or is given up.
        setup.now += LIMIT;
        setup.time_out(1);
        setup.now += PAUSE - Duration::from_millis(1);
        assert!(!setup.admits());
        setup.now += Duration::from_millis(1);
        assert_eq!([setup.admits(), setup.admits()], [true, false]);
        setup.now += PAUSE;
        assert_eq!([setup.admits(), setup.admits()], [true, false]);
        // Once it answers, all may ask, until it times out a few times again.
        setup.breaker.answered();
        assert!(setup.admits() && setup.admits());
        setup.time_out(TIMEOUTS - 1);
        assert!(setup.admits());
        setup.time_out(1);
        assert!(!setup.admits());
    }

    #[test]
    fn a_pause_is_no_shorter_than_the_wait_of_one_request() {
        let limit = 10 * PAUSE;
        let mut setup = Setup::new(limit);
        setup.time_out(TIMEOUTS);
        setup.now += limit - Duration::from_millis(1);
        assert!(!setup.admits());
        setup.now += Duration::from_millis(1);
        assert_eq!([setup.admits(), setup.admits()], [true, false]);
    }

    #[test]
    fn a_limit_without_end_never_pauses() {
        let setup = Setup::new(Duration::MAX);
        setup.time_out(TIMEOUTS);
        assert!(setup.admits());
    }
}
