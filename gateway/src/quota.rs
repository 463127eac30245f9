//! Limits on open connections.

use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::metrics::Metrics;

/// The pause between two warnings about the same limit.
const QUIET: Duration = Duration::from_secs(60);

/// How many connections may be open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    pub(crate) all: usize,
    /// From one address; `None` for no such limit.
    pub(crate) per_address: Option<usize>,
}

/// Admits connections within the limits.
#[derive(Debug)]
pub(crate) struct Quota {
    limits: ConnectionLimits,
    open: Arc<Open>,
    metrics: Arc<Metrics>,
    /// When each limit was warned of, and how many connections it has refused since.
    warned: [(Option<Instant>, u64); 2],
}

#[derive(Debug, Default)]
struct Open(Mutex<HashMap<IpAddr, usize>>);

/// An admitted connection. It counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Admitted {
    address: IpAddr,
    open: Arc<Open>,
    metrics: Arc<Metrics>,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    All,
    PerAddress,
}

impl Quota {
    pub(crate) fn new(limits: ConnectionLimits, metrics: Arc<Metrics>) -> Self {
        Self {
            limits,
            open: Arc::default(),
            metrics,
            warned: Default::default(),
        }
    }

    /// Admits a connection; `None`, after a warning, if a limit is reached.
    pub(crate) fn admit(&mut self, peer: IpAddr) -> Option<Admitted> {
        let address = network(peer);
        let open = usize::try_from(self.metrics.open_connections.get()).unwrap_or(0);
        if open >= self.limits.all {
            self.refuse(Limit::All, peer);
            return None;
        }
        let mut all = self.open.lock();
        let here = all.entry(address).or_default();
        if self.limits.per_address.is_some_and(|limit| *here >= limit) {
            drop(all);
            self.refuse(Limit::PerAddress, peer);
            return None;
        }
        *here += 1;
        drop(all);
        self.metrics.open_connections.inc();
        Some(Admitted {
            address,
            open: Arc::clone(&self.open),
            metrics: Arc::clone(&self.metrics),
        })
    }

    fn refuse(&mut self, limit: Limit, peer: IpAddr) {
        self.metrics.refused_connection(limit.name());
        let (warned, refused) = &mut self.warned[limit as usize];
        *refused += 1;
        if warned.is_none_or(|warned| warned.elapsed() >= QUIET) {
            *warned = Some(Instant::now());
            let refused = std::mem::take(refused);
            tracing::warn!(refused, %peer, "connections are closed at once: {limit} is reached");
        }
    }
}

impl Limit {
    const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::PerAddress => "address",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "--max-connections",
            Self::PerAddress => "--max-connections-per-address",
        })
    }
}

impl Open {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.metrics.open_connections.dec();
        let mut all = self.open.lock();
        if let Some(here) = all.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                all.remove(&self.address);
            }
        }
    }
}

/// Returns what is counted as one address: of IPv6 the first 64 bits, because a single
/// host has all of the others.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(peer) => {
            let first = u128::from(peer) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(first))
        }
        peer => peer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(all: usize, per_address: Option<usize>) -> Quota {
        let limits = ConnectionLimits { all, per_address };
        Quota::new(limits, Arc::new(Metrics::new()))
    }

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_own_limit_and_gets_places_back() {
        let mut quota = quota(10, Some(2));
        let first = quota.admit(from("10.0.0.1")).unwrap();
        let _second = quota.admit(from("::ffff:10.0.0.1")).unwrap();
        assert!(quota.admit(from("10.0.0.1")).is_none());
        assert!(quota.admit(from("10.0.0.2")).is_some());
        drop(first);
        assert!(quota.admit(from("10.0.0.1")).is_some());
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let mut quota = quota(10, Some(1));
        let _first = quota.admit(from("2001:db8::1")).unwrap();
        assert!(quota.admit(from("2001:db8::ffff:2")).is_none());
        assert!(quota.admit(from("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn all_connections_count_against_the_limit_in_all() {
        let mut quota = quota(2, None);
        let first = quota.admit(from("10.0.0.1")).unwrap();
        let _second = quota.admit(from("10.0.0.2")).unwrap();
        assert!(quota.admit(from("10.0.0.3")).is_none());
        drop(first);
        assert!(quota.admit(from("10.0.0.3")).is_some());
    }
}
