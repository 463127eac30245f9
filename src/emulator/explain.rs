//! Every reason for which a request is refused.

use super::{finding::Finding, service::Emulator};

/// Returns every reason for which Moonshot refuses the body of a chat request, in the
/// order of the [tables](super#what-it-refuses). None if it is accepted.
///
/// The first reason is the one that Moonshot answers with, as far as its order is known;
/// the [`Emulator`] answers with it. At most [`MAX_FINDINGS`](super::MAX_FINDINGS) are
/// returned.
///
/// - A value that is refused counts as absent in later checks. So a few reasons are only
///   found once others are repaired: explain the body again then.
/// - If the model is not on sale, only what all models refuse is found.
/// - Every fault of a schema is found, but those of its references only once its keywords
///   have none.
///
/// The work is proportional to the length of the body.
///
/// ```
/// use tower_moonshot::{Rule, emulator::{Grade, explain}};
///
/// let body = br#"{
///     "model": "kimi-k2.6", "temperature": 0.2, "tool_choice": "required",
///     "tools": [{"type": "function", "function": {"name": "clock"}}],
///     "messages": [{"role": "user", "content": "What time is it?"}]
/// }"#;
/// let findings = explain(body);
///
/// let temperature = &findings[0];
/// assert_eq!(temperature.pointer(), "/temperature");
/// assert_eq!(temperature.message(), "invalid temperature: only 1 is allowed for this model");
/// assert!(temperature.is_recorded());
/// assert_eq!(temperature.grade(), Grade::Suite);
/// assert_eq!(temperature.rule(), Some(Rule::Sampling));
///
/// assert_eq!(findings.len(), 2);
/// assert_eq!(findings[1].fact().what(), "`tool_choice` `required` while thinking is on");
/// ```
#[must_use]
pub fn explain(body: &[u8]) -> Vec<Finding> {
    Emulator::new().explain(body)
}
