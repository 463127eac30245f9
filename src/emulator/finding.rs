//! Why a request is refused.

use std::fmt;

use http::StatusCode;

use super::{
    error::ApiError,
    facts::{Fact, Grade},
    family::Family,
    place::Place,
};
use crate::Rule;

/// The most findings about one request.
///
/// A body of the longest length has room for millions of faults, so there has to be a
/// limit. Those that come first are kept. There are fewer if their pointers and messages
/// are longer than 256 KiB in all, because they repeat the names in a schema.
pub const MAX_FINDINGS: usize = 1_000;

/// The length of all pointers and messages, in bytes, from which no more findings are kept.
pub(super) const MAX_TEXT: usize = 256 * 1024;

/// One reason for which Moonshot refuses a request: where it is, what is wrong, how that
/// is known, and which rule of the layer repairs it.
///
/// Displayed as `/temperature: invalid temperature: only 1 is allowed for this model`.
/// The message may quote the request: a name, an id, or a URL.
///
/// See [`explain`](super::explain).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    fact: &'static Fact,
    pointer: String,
    message: String,
    grade: Grade,
    rule: Option<Rule>,
}

impl Finding {
    pub(super) fn new(fact: &'static Fact, values: &[&str]) -> Self {
        Self {
            fact,
            pointer: String::new(),
            message: fact.refusal(values),
            grade: fact.grade_on(Family::Unknown),
            rule: fact.rule(),
        }
    }

    /// The fact about Moonshot that the request ignores.
    #[must_use]
    pub fn fact(&self) -> &'static Fact {
        self.fact
    }

    /// The place of the fault: a JSON Pointer (RFC 6901) into the body, such as
    /// `/messages/3/content`. If something is missing, it is the place where it is
    /// expected, or that of the object that lacks it. Empty for the body itself.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The message with which Moonshot refuses the request, if [`is_recorded`]; else the
    /// emulator's own.
    ///
    /// [`is_recorded`]: Self::is_recorded
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether the wording of the message is known from Moonshot or its validator.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.fact.is_recorded()
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.fact.status()
    }

    /// How it is known that Moonshot refuses this, for the request's model.
    #[must_use]
    pub fn grade(&self) -> Grade {
        self.grade
    }

    /// The rule of the layer that repairs this with its default settings. None if no rule
    /// does, because nothing but a guess could take the place of what is wrong.
    ///
    /// Schemas are repaired by [`Rule::ToolSchema`] where that is possible, which is
    /// nearly always.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        self.rule
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.pointer, self.message)
    }
}

impl From<Finding> for ApiError {
    fn from(finding: Finding) -> Self {
        Self::new(
            finding.fact.status(),
            finding.fact.error_type(),
            finding.message,
        )
    }
}

/// Gathers findings in the order in which the checks make them.
#[derive(Debug)]
pub(super) struct Findings {
    found: Vec<Finding>,
    limit: usize,
    /// The length of all pointers and messages in bytes.
    text: usize,
    family: Family,
    /// Whether the model is unknown, so that only facts about all models count.
    only_universal: bool,
}

impl Findings {
    pub(super) fn up_to(limit: usize) -> Self {
        Self {
            found: Vec::new(),
            limit,
            text: 0,
            family: Family::Unknown,
            only_universal: false,
        }
    }

    /// Sets the family of the model. With none, facts that don't hold for all models are
    /// left out from now on.
    pub(super) fn set_family(&mut self, family: Option<Family>) {
        self.family = family.unwrap_or(Family::Unknown);
        self.only_universal = family.is_none();
    }

    /// Adds a finding, which the fact's own rule repairs.
    ///
    /// `values` are what the fact's message has room for.
    pub(super) fn add(&mut self, fact: &'static Fact, place: &Place<'_>, values: &[&str]) {
        self.add_repaired(fact, place, values, fact.rule());
    }

    /// Adds a finding, and says which rule repairs it in this case.
    pub(super) fn add_repaired(
        &mut self,
        fact: &'static Fact,
        place: &Place<'_>,
        values: &[&str],
        rule: Option<Rule>,
    ) {
        if self.is_full() || (self.only_universal && !fact.is_universal()) {
            return;
        }
        debug_assert!(
            fact.holds_on(self.family),
            "{} does not hold for {:?}",
            fact.id(),
            self.family
        );
        let finding = Finding {
            fact,
            pointer: place.to_string(),
            message: fact.refusal(values),
            grade: fact.grade_on(self.family),
            rule,
        };
        self.text += finding.pointer.len() + finding.message.len();
        self.found.push(finding);
    }

    /// How many more findings are kept.
    pub(super) fn left(&self) -> usize {
        if self.text >= MAX_TEXT {
            return 0;
        }
        self.limit.saturating_sub(self.found.len())
    }

    pub(super) fn is_full(&self) -> bool {
        self.left() == 0
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}
