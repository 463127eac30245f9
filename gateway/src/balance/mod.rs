//! Chooses among the entries of one name.
//!
//! An order of preference comes first, by the chosen way of [`Balance`]. Entries that cool
//! down after a failure then go to its end.

mod affinity;
mod conversation;
mod cooling;

use std::sync::atomic::{AtomicUsize, Ordering};

use clap::ValueEnum;

pub(crate) use self::{
    affinity::{Digest, Identity},
    conversation::start_of,
    cooling::{Accounts, Class, Health, millis, now},
};

/// A way to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Balance {
    /// A conversation stays with one entry.
    Affinity,
    /// The entries take turns.
    RoundRobin,
}

impl Balance {
    /// Whether it has to know what a conversation begins with.
    pub(crate) const fn needs_conversation(self) -> bool {
        matches!(self, Self::Affinity)
    }

    /// The places of the entries in the configuration, the preferred first.
    fn preference(
        self,
        entries: &[Candidate<'_>],
        conversation: Option<&Digest>,
        turn: &AtomicUsize,
    ) -> Vec<usize> {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        match (self, conversation) {
            (Self::Affinity, Some(conversation)) => order.sort_by_cached_key(|place| {
                std::cmp::Reverse(entries[*place].identity.weight(conversation))
            }),
            _ => {
                let first = turn.fetch_add(1, Ordering::Relaxed) % order.len().max(1);
                order.rotate_left(first);
            }
        }
        order
    }

    /// The entries in the order in which to try them, and the preferred one, which is
    /// another than the first if it cools down.
    pub(crate) fn order(
        self,
        entries: &[Candidate<'_>],
        conversation: Option<&Digest>,
        turn: &AtomicUsize,
        now: u64,
    ) -> (Vec<usize>, usize) {
        let mut order = self.preference(entries, conversation, turn);
        let preferred = order.first().copied().unwrap_or_default();
        // Stable, so that all else stays in the order of preference. If all cool down, the
        // one that does for the shortest time comes first.
        order.sort_by_key(|place| entries[*place].health.left(now));
        (order, preferred)
    }
}

/// What is to be known of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) health: &'a Health,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// An entry with this name, healthy.
    fn entry(name: &str) -> (Identity, Arc<Health>) {
        (Identity::new(name, None, "kimi-k3"), Arc::default())
    }

    fn order(
        balance: Balance,
        entries: &[(Identity, Arc<Health>)],
        conversation: u64,
        turn: &AtomicUsize,
        now: u64,
    ) -> (Vec<usize>, usize) {
        let candidates: Vec<_> = entries
            .iter()
            .map(|(identity, health)| Candidate { identity, health })
            .collect();
        let conversation = Digest::of(&conversation);
        balance.order(&candidates, Some(&conversation), turn, now)
    }

    fn first(entries: &[(Identity, Arc<Health>)], conversation: u64) -> usize {
        order(
            Balance::Affinity,
            entries,
            conversation,
            &AtomicUsize::new(0),
            0,
        )
        .0[0]
    }

    #[test]
    fn conversations_stay_and_are_spread_evenly() {
        let entries: Vec<_> = ["a", "b", "c", "d"].map(entry).into();
        let mut counts = [0; 4];
        for conversation in 0..4000 {
            let place = first(&entries, conversation);
            assert_eq!(first(&entries, conversation), place);
            counts[place] += 1;
        }
        for count in counts {
            assert!((850..=1150).contains(&count), "{counts:?}");
        }
    }

    #[test]
    fn an_entry_that_is_removed_moves_only_its_own_conversations() {
        let all: Vec<_> = ["a", "b", "c", "d"].map(entry).into();
        // In another order, as a file may be rewritten.
        let fewer: Vec<_> = ["d", "a", "c"].map(entry).into();
        let name = |entries: &[&'static str], place: usize| entries[place];
        for conversation in 0..1000 {
            let before = name(&["a", "b", "c", "d"], first(&all, conversation));
            let after = name(&["d", "a", "c"], first(&fewer, conversation));
            assert!(before == "b" || before == after, "{conversation}");
        }
    }

    #[test]
    fn an_entry_that_cools_down_is_the_last_and_comes_back() {
        let entries: Vec<_> = ["a", "b", "c"].map(entry).into();
        let turn = AtomicUsize::new(0);
        for balance in [Balance::Affinity, Balance::RoundRobin] {
            let at = |now| order(balance, &entries, 7, &turn, now).0[0];
            let preferred = match balance {
                Balance::Affinity => at(0),
                Balance::RoundRobin => 2,
            };
            entries[preferred].1.cool(Class::Busy, Some(5_000), 1_000);
            for now in [1_000, 3_000, 5_999] {
                let (order, _) = order(balance, &entries, 7, &turn, now);
                assert_eq!(order[2], preferred, "{balance:?} {now}");
                assert_eq!(order.len(), 3);
            }
            // Affinity still prefers it.
            if balance == Balance::Affinity {
                let (order, still) = order(balance, &entries, 7, &turn, 3_000);
                assert_eq!(still, preferred);
                assert_ne!(order[0], preferred);
            }
            let mut later = (0..3).map(|_| at(6_000));
            assert!(later.any(|place| place == preferred), "{balance:?}");
            entries[preferred].1.recover(6_000);
        }
    }

    #[test]
    fn if_all_cool_down_the_one_with_the_shortest_time_is_asked() {
        let entries: Vec<_> = ["a", "b", "c"].map(entry).into();
        entries[0].1.cool(Class::Key, None, 0);
        entries[1].1.cool(Class::Busy, Some(2_000), 0);
        entries[2].1.cool(Class::Busy, Some(9_000), 0);
        let turn = AtomicUsize::new(0);
        let (order, _) = order(Balance::Affinity, &entries, 1, &turn, 1_000);
        assert_eq!(order, [1, 2, 0]);
    }

    #[test]
    fn entries_take_turns() {
        let entries: Vec<_> = ["a", "b", "c"].map(entry).into();
        let turn = AtomicUsize::new(0);
        let firsts: Vec<_> = (0..4)
            .map(|_| order(Balance::RoundRobin, &entries, 1, &turn, 0).0[0])
            .collect();
        assert_eq!(firsts, [0, 1, 2, 0]);
    }
}
