//! What happened to the thoughts of one request and its response.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::Skipped;

/// Declares reasons that are counted.
macro_rules! reasons {
    ($(#[doc = $outer:literal])+ $name:ident { $( $(#[doc = $doc:literal])+ $reason:ident => $text:literal, )+ }) => {
        $(#[doc = $outer])+
        ///
        /// Displayed as its name in snake case, which is a good metric label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[doc = $doc])+ $reason, )+
        }

        impl $name {
            /// Every reason.
            pub const ALL: &'static [Self] = &[ $( Self::$reason, )+ ];

            /// The reason's name in snake case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$reason => $text, )+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

reasons! {
    /// Why a message that needs its reasoning did not get it.
    Missing {
        /// The store has no thought for the conversation up to this message: it never saw
        /// it, it has dropped it, or the client has changed its history.
        NotFound => "not_found",
        /// The store did not answer in time.
        StoreTimeout => "store_timeout",
        /// The store was not asked, because several requests in a row got
        /// [no answer in time](super::ReasoningMemoryLayer::with_store_timeout).
        StoreSkipped => "store_skipped",
        /// The store answered with an error.
        StoreError => "store_error",
        /// More than 4096 messages need their reasoning; this is one of the earlier ones.
        TooMany => "too_many",
        /// The thought is longer than
        /// [`max_thought_bytes`](super::ReasoningMemoryLayer::with_max_thought_bytes), or
        /// the request would be longer than
        /// [`max_body_bytes`](super::ReasoningMemoryLayer::with_max_body_bytes).
        TooLong => "too_long",
    }
}

reasons! {
    /// Why a choice of a response was not remembered.
    Forgotten {
        /// The response ended, failed or was dropped before the choice was complete.
        Unfinished => "unfinished",
        /// The choice ended for another reason than `stop` or `tool_calls`: mostly
        /// `length`.
        Cut => "cut",
        /// The response holds an error.
        Failed => "failed",
        /// The choice has no thought, or one of white space.
        NoThought => "no_thought",
        /// The thought is longer than
        /// [`max_thought_bytes`](super::ReasoningMemoryLayer::with_max_thought_bytes), or
        /// the response than four times that.
        TooLong => "too_long",
        /// A part of the response could not be read: it is compressed, not JSON, or not
        /// text.
        Unreadable => "unreadable",
    }
}

/// Why a request has no memory at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoMemory {
    /// The request has neither a [`ReasoningScope`](super::ReasoningScope) nor exactly one
    /// `Authorization` with credentials.
    NoScope,
    /// The model doesn't think, or the request switches thinking off.
    NotThinking,
    /// The body of the request was not read.
    Body(Skipped),
}

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoScope => f.write_str("the request has no scope"),
            Self::NotThinking => f.write_str("the model doesn't think"),
            Self::Body(why) => why.fmt(f),
        }
    }
}

const MISSING: usize = Missing::ALL.len();
const FORGOTTEN: usize = Forgotten::ALL.len();

/// What [`ReasoningMemory`](super::ReasoningMemory) did for one request and its response.
///
/// The report is in the extensions of the request, for the inner service, and in those of
/// the response, for the services outside. Every `POST …/chat/completions` has one.
///
/// What is said of the response is complete once its body is over, as it is read while it
/// passes. Clones share it.
///
/// Displayed in one line for logs, without anything of the contents:
/// `restored 3, missing: not_found 1; remembered 1`.
#[derive(Clone)]
pub struct ReasoningReport {
    inner: Arc<Inner>,
}

struct Inner {
    no_memory: Option<NoMemory>,
    recalled: Recalled,
    remembered: AtomicU32,
    forgotten: [AtomicU32; FORGOTTEN],
}

/// What was restored in a request.
#[derive(Default)]
pub(super) struct Recalled {
    pub(super) restored: u32,
    pub(super) given: u32,
    pub(super) missing: [u32; MISSING],
    pub(super) store_error: Option<Box<str>>,
}

impl Recalled {
    pub(super) fn miss(&mut self, why: Missing, count: usize) {
        let missing = &mut self.missing[why as usize];
        *missing = missing.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
    }
}

impl ReasoningReport {
    pub(super) fn new(recalled: Recalled) -> Self {
        Self::with(None, recalled)
    }

    pub(super) fn without_memory(why: NoMemory) -> Self {
        Self::with(Some(why), Recalled::default())
    }

    fn with(no_memory: Option<NoMemory>, recalled: Recalled) -> Self {
        Self {
            inner: Arc::new(Inner {
                no_memory,
                recalled,
                remembered: AtomicU32::new(0),
                forgotten: Default::default(),
            }),
        }
    }

    /// Why the request has no memory, or `None` if it has. Without memory, all counts
    /// are 0.
    #[must_use]
    pub fn no_memory(&self) -> Option<&NoMemory> {
        self.inner.no_memory.as_ref()
    }

    /// The number of messages whose reasoning was restored.
    #[must_use]
    pub fn restored(&self) -> u32 {
        self.inner.recalled.restored
    }

    /// The number of messages that need their reasoning and have it from the client.
    #[must_use]
    pub fn given(&self) -> u32 {
        self.inner.recalled.given
    }

    /// The number of messages that need their reasoning and did not get it, for this
    /// reason.
    #[must_use]
    pub fn missing_because(&self, why: Missing) -> u32 {
        self.inner.recalled.missing[why as usize]
    }

    /// The number of messages that need their reasoning and did not get it.
    #[must_use]
    pub fn missing(&self) -> u32 {
        let missing = self.inner.recalled.missing.iter();
        missing.fold(0, |sum, &count| sum.saturating_add(count))
    }

    /// The error of the store, if it answered with one.
    #[must_use]
    pub fn store_error(&self) -> Option<&str> {
        self.inner.recalled.store_error.as_deref()
    }

    /// The number of choices whose thoughts were handed to the store so far.
    #[must_use]
    pub fn remembered(&self) -> u32 {
        self.inner.remembered.load(Ordering::Relaxed)
    }

    /// The number of choices that were not remembered, for this reason, so far.
    #[must_use]
    pub fn forgotten_because(&self, why: Forgotten) -> u32 {
        self.inner.forgotten[why as usize].load(Ordering::Relaxed)
    }

    /// The number of choices that were not remembered so far.
    #[must_use]
    pub fn forgotten(&self) -> u32 {
        let reasons = Forgotten::ALL.iter();
        reasons.map(|&why| self.forgotten_because(why)).sum()
    }

    pub(super) fn remember(&self) {
        self.inner.remembered.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn forget(&self, why: Forgotten) {
        self.inner.forgotten[why as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Display for ReasoningReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = self.no_memory() {
            return write!(f, "no memory: {why}");
        }
        write!(f, "restored {}", self.restored())?;
        if self.given() > 0 {
            write!(f, ", given {}", self.given())?;
        }
        let missing = Missing::ALL
            .iter()
            .map(|&why| (why.name(), self.missing_because(why)));
        list(f, ", missing: ", missing)?;
        if let Some(error) = self.store_error() {
            write!(f, " ({error})")?;
        }
        write!(f, "; remembered {}", self.remembered())?;
        let forgotten = Forgotten::ALL
            .iter()
            .map(|&why| (why.name(), self.forgotten_because(why)));
        list(f, ", forgotten: ", forgotten)
    }
}

/// Writes the counts that are not 0, with `before` before the first of them.
fn list(
    f: &mut fmt::Formatter<'_>,
    mut before: &str,
    counts: impl Iterator<Item = (&'static str, u32)>,
) -> fmt::Result {
    for (name, count) in counts.filter(|(_, count)| *count > 0) {
        write!(f, "{before}{name} {count}")?;
        before = ", ";
    }
    Ok(())
}

impl fmt::Debug for ReasoningReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReasoningReport({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line() {
        let mut recalled = Recalled {
            restored: 3,
            given: 1,
            ..Recalled::default()
        };
        recalled.miss(Missing::NotFound, 2);
        recalled.miss(Missing::StoreError, 1);
        recalled.store_error = Some("connection refused".into());
        let report = ReasoningReport::new(recalled);
        let clone = report.clone();
        report.remember();
        report.forget(Forgotten::Cut);
        assert_eq!(
            clone.to_string(),
            "restored 3, given 1, missing: not_found 2, store_error 1 (connection refused); \
             remembered 1, forgotten: cut 1"
        );
        assert_eq!((clone.missing(), clone.forgotten()), (3, 1));
        assert_eq!(format!("{clone:?}"), format!("ReasoningReport({report})"));
        let report = ReasoningReport::without_memory(NoMemory::NoScope);
        assert_eq!(report.to_string(), "no memory: the request has no scope");
        let report = ReasoningReport::new(Recalled::default());
        assert_eq!(report.to_string(), "restored 0; remembered 0");
    }
}
