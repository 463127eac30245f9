//! Report of the repairs of one response.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use super::ResponseRule;

const RULES: usize = ResponseRule::ALL.len();

/// Counts how often each rule of [`ResponseCompat`](super::ResponseCompat) repaired something
/// in one response.
///
/// [`ResponseCompat`](super::ResponseCompat) puts it into the extensions of every response.
/// A stream is repaired while its body is read, so its counts are only complete at the end of
/// the body. Clones share the counts.
///
/// `Display` writes one line for logs, which contains no part of the response:
/// `repaired: usage 1, tool_calls 3`, or `nothing to repair`.
#[derive(Clone, Default)]
pub struct ResponseReport {
    counts: Arc<[AtomicU32; RULES]>,
}

impl ResponseReport {
    /// Returns how often a rule has repaired something so far.
    #[must_use]
    pub fn count(&self, rule: ResponseRule) -> u32 {
        self.counts[rule as usize].load(Ordering::Relaxed)
    }

    /// Returns whether nothing has been repaired so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        ResponseRule::ALL.iter().all(|&rule| self.count(rule) == 0)
    }

    pub(super) fn add(&self, rule: ResponseRule) {
        self.counts[rule as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Display for ResponseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "repaired: ";
        for &rule in ResponseRule::ALL {
            let count = self.count(rule);
            if count > 0 {
                write!(f, "{before}{rule} {count}")?;
                before = ", ";
            }
        }
        if before != ", " {
            f.write_str("nothing to repair")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ResponseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = ResponseRule::ALL
            .iter()
            .map(|&rule| (rule, self.count(rule)));
        f.debug_map().entries(counts).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line() {
        let report = ResponseReport::default();
        assert!(report.is_empty());
        assert_eq!(report.to_string(), "nothing to repair");
        let clone = report.clone();
        report.add(ResponseRule::Usage);
        report.add(ResponseRule::ToolCalls);
        report.add(ResponseRule::ToolCalls);
        assert_eq!(clone.to_string(), "repaired: usage 1, tool_calls 2");
        assert_eq!(clone.count(ResponseRule::ToolCalls), 2);
        assert!(!clone.is_empty());
        assert!(format!("{clone:?}").contains("ToolCalls: 2"));
    }
}
