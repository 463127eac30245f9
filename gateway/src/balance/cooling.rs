//! Entries that fail are left alone for a while.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;

use super::affinity::Identity;
use crate::failure::Failure;

/// Why an entry cools down. Its name is a label in the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// It is overloaded, its account sends too much, or it can't be reached: one second,
    /// which doubles with each failure, unless it says how long.
    Busy,
    /// Its account has no money left.
    Quota,
    /// Its key is refused.
    Key,
}

impl Class {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Quota => "quota",
            Self::Key => "key",
        }
    }

    /// The class of a failure; `None` if it says nothing about the entry. With the
    /// client's own key, only whether the entry can be reached does.
    pub(crate) fn of(failure: Failure, status: StatusCode, has_key: bool) -> Option<Self> {
        match failure {
            Failure::Connect | Failure::ConnectTimeout => Some(Self::Busy),
            Failure::Server if status == StatusCode::SERVICE_UNAVAILABLE => Some(Self::Busy),
            Failure::Overloaded => Some(Self::Busy),
            Failure::Rate if has_key => Some(Self::Busy),
            Failure::Quota if has_key => Some(Self::Quota),
            Failure::Key if has_key => Some(Self::Key),
            _ => None,
        }
    }

    /// How long an entry cools down after so many failures in a row, in milliseconds.
    fn time(self, strikes: u32) -> u64 {
        const SECOND: u64 = 1000;
        match self {
            Self::Busy => SECOND << strikes.min(6),
            Self::Quota => 600 * SECOND,
            // Until the configuration is read again.
            Self::Key => FOREVER,
        }
    }
}

const FOREVER: u64 = u64::MAX;

/// The longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: u64 = 600_000;

/// The time in milliseconds since the first call.
pub(crate) fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(FOREVER)
}

/// Whether an entry cools down. Times are in milliseconds, as of [`now`].
#[derive(Debug, Default)]
pub(crate) struct Health {
    until: AtomicU64,
    /// When that began.
    since: AtomicU64,
    /// Failures since the last success.
    strikes: AtomicU32,
}

impl Health {
    /// How long it still cools down.
    pub(crate) fn left(&self, now: u64) -> u64 {
        self.until.load(Ordering::Relaxed).saturating_sub(now)
    }

    /// Cools down after a failure, at least as long as the upstream asks for. Returns
    /// whether it was fine before: several requests may fail at the same time.
    pub(crate) fn cool(&self, class: Class, retry_after: Option<u64>, now: u64) -> bool {
        let was_fine = self.left(now) == 0;
        let strikes = if was_fine {
            self.strikes.fetch_add(1, Ordering::Relaxed)
        } else {
            self.strikes.load(Ordering::Relaxed).saturating_sub(1)
        };
        let time = match (class, retry_after) {
            (Class::Busy, Some(asked)) => asked.min(MAX_RETRY_AFTER),
            _ => class.time(strikes),
        };
        self.since.fetch_max(now, Ordering::Relaxed);
        self.until
            .fetch_max(now.saturating_add(time), Ordering::Relaxed);
        was_fine
    }

    /// A request that was sent at this time has succeeded. That says nothing if the
    /// failure came later: a chat may take minutes.
    pub(crate) fn recover(&self, sent: u64) {
        // Nearly always it is fine, and then nothing is written.
        let is_news = sent >= self.since.load(Ordering::Relaxed);
        if self.strikes.load(Ordering::Relaxed) != 0 && is_news {
            self.strikes.store(0, Ordering::Relaxed);
            self.until.store(0, Ordering::Relaxed);
        }
    }
}

/// The health of all entries, which a reload of the configuration keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts(Arc<Mutex<HashMap<Identity, Arc<Health>>>>);

impl Accounts {
    pub(crate) fn health(&self, identity: &Identity) -> Arc<Health> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(*identity).or_default())
    }

    /// Keeps those of a new configuration, and tries keys again that were refused.
    pub(crate) fn retain(&self, identities: &[Identity]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|identity, health| {
            if health.until.load(Ordering::Relaxed) == FOREVER {
                health.recover(FOREVER);
            }
            identities.contains(identity)
        });
    }
}

/// A time in milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(FOREVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_each_failure_and_a_success_ends_it() {
        let health = Health::default();
        let mut now = 0;
        for seconds in [1, 2, 4, 8, 16, 32, 64, 64] {
            assert!(health.cool(Class::Busy, None, now));
            // Those that were under way at the same time.
            assert!(!health.cool(Class::Busy, None, now));
            assert_eq!(health.left(now), seconds * 1000);
            now += seconds * 1000;
            assert_eq!(health.left(now), 0);
        }
        health.cool(Class::Busy, None, now);
        // It was sent before the failure.
        health.recover(now - 1);
        assert_eq!(health.left(now), 64_000);
        health.recover(now);
        assert_eq!(health.left(now), 0);
        health.cool(Class::Busy, None, now);
        assert_eq!(health.left(now), 1000);
    }

    #[test]
    fn what_the_upstream_asks_for_is_honoured_within_bounds() {
        for (asked, expected) in [(0, 0), (7_000, 7_000), (86_400_000, MAX_RETRY_AFTER)] {
            let health = Health::default();
            health.cool(Class::Busy, Some(asked), 5);
            assert_eq!(health.left(5), expected);
        }
    }

    #[test]
    fn no_money_lasts_longer_and_a_refused_key_until_a_reload() {
        let accounts = Accounts::default();
        let identity = Identity::new("a", None, "m");
        let health = accounts.health(&identity);
        health.cool(Class::Quota, Some(1), 0);
        assert_eq!(health.left(0), 600_000);
        health.cool(Class::Key, None, 0);
        assert!(health.left(u64::MAX / 2) > 0);
        accounts.retain(&[identity]);
        assert_eq!(accounts.health(&identity).left(0), 0);
        // What remains is kept, and what is gone is forgotten.
        health.cool(Class::Quota, None, 0);
        accounts.retain(&[identity]);
        assert_eq!(accounts.health(&identity).left(0), 600_000);
        accounts.retain(&[]);
        assert_eq!(accounts.health(&identity).left(0), 0);
    }

    #[test]
    fn a_clients_own_key_says_nothing_about_the_entry() {
        let status = StatusCode::TOO_MANY_REQUESTS;
        for failure in [Failure::Rate, Failure::Quota, Failure::Key] {
            assert!(Class::of(failure, status, true).is_some());
            assert_eq!(Class::of(failure, status, false), None);
        }
        for failure in [Failure::Connect, Failure::Overloaded] {
            assert_eq!(Class::of(failure, status, false), Some(Class::Busy));
        }
        for failure in [Failure::Refused, Failure::Timeout, Failure::Reset] {
            assert_eq!(Class::of(failure, status, true), None);
        }
    }
}
