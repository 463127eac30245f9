//! One fact about Moonshot.

use http::StatusCode;

use super::{super::family::Family, grade::Grade, models::Models};
use crate::Rule;

/// The type of errors in the request itself.
pub(in crate::emulator) const INVALID_REQUEST: &str = "invalid_request_error";

/// One fact about what Moonshot accepts or refuses: the smallest request that shows it,
/// the answer, how that is known, and which rule of the layer depends on it.
///
/// See [`facts`](super::facts).
#[derive(Debug)]
pub struct Fact {
    pub(super) id: &'static str,
    pub(super) what: &'static str,
    pub(super) models: Models,
    pub(super) sample: Sample,
    pub(super) key: SampleKey,
    pub(super) answer: Answer,
    pub(super) grades: &'static [Grade],
    /// The models that the grades are about, if not all; for others it is a judgement.
    pub(super) known_on: Option<Models>,
    pub(super) note: &'static str,
    pub(super) rule: Option<Rule>,
    pub(super) confirmed: Option<&'static str>,
}

/// The body of the request that shows a fact.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample {
    /// Members that are added to those of a short conversation, or replace them.
    Members(&'static str),
    /// The whole body.
    Body(&'static str),
    /// There is no short one.
    None,
}

/// The key with which the request that shows a fact is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleKey {
    /// The account's own.
    Valid,
    /// A key that belongs to nobody.
    Wrong,
    /// No key at all.
    Missing,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Accepted,
    Refused {
        status: StatusCode,
        error_type: &'static str,
        /// `{}` stands for a value of the request.
        message: &'static str,
        /// The values in the answer to the sample.
        values: &'static [&'static str],
        is_recorded: bool,
    },
}

// === impl Fact: the table ===

impl Fact {
    const fn new(id: &'static str, models: Models, what: &'static str) -> Self {
        Self {
            id,
            what,
            models,
            sample: Sample::None,
            key: SampleKey::Valid,
            answer: Answer::Accepted,
            grades: &[Grade::Judgement],
            known_on: None,
            note: "",
            rule: None,
            confirmed: None,
        }
    }

    /// A request that is accepted, with these members.
    pub(super) const fn accepted(
        id: &'static str,
        models: Models,
        what: &'static str,
        members: &'static str,
    ) -> Self {
        let mut fact = Self::new(id, models, what);
        fact.sample = Sample::Members(members);
        fact
    }

    /// A request that is refused. Its sample and message are to follow.
    pub(super) const fn refused(id: &'static str, models: Models, what: &'static str) -> Self {
        let mut fact = Self::new(id, models, what);
        fact.answer = Answer::Refused {
            status: StatusCode::BAD_REQUEST,
            error_type: INVALID_REQUEST,
            message: "",
            values: &[],
            is_recorded: false,
        };
        fact
    }

    /// The members of the sample. `$MODEL` stands for the model and `$LONG` for 257
    /// letters.
    pub(super) const fn with(mut self, members: &'static str) -> Self {
        self.sample = Sample::Members(members);
        self
    }

    pub(super) const fn without_sample(mut self) -> Self {
        self.sample = Sample::None;
        self
    }

    pub(super) const fn with_body(mut self, body: &'static str) -> Self {
        self.sample = Sample::Body(body);
        self
    }

    pub(super) const fn with_key(mut self, key: SampleKey) -> Self {
        self.sample = Sample::Members("{}");
        self.key = key;
        self
    }

    /// The message, in Moonshot's words.
    pub(super) const fn says(self, message: &'static str, values: &'static [&'static str]) -> Self {
        self.message(message, values, true)
    }

    /// The message, in the emulator's own words.
    pub(super) const fn says_like(
        self,
        message: &'static str,
        values: &'static [&'static str],
    ) -> Self {
        self.message(message, values, false)
    }

    const fn message(
        mut self,
        new: &'static str,
        new_values: &'static [&'static str],
        recorded: bool,
    ) -> Self {
        if let Answer::Refused {
            message,
            values,
            is_recorded,
            ..
        } = &mut self.answer
        {
            *message = new;
            *values = new_values;
            *is_recorded = recorded;
        }
        self
    }

    pub(super) const fn with_status(mut self, new: StatusCode, new_type: &'static str) -> Self {
        if let Answer::Refused {
            status, error_type, ..
        } = &mut self.answer
        {
            *status = new;
            *error_type = new_type;
        }
        self
    }

    /// How it is known, the best first. It is a judgement otherwise.
    pub(super) const fn known(mut self, grades: &'static [Grade]) -> Self {
        self.grades = grades;
        self
    }

    /// How it is known for these models. It is a judgement for others.
    pub(super) const fn known_on(mut self, models: Models, grades: &'static [Grade]) -> Self {
        self.grades = grades;
        self.known_on = Some(models);
        self
    }

    /// What else is to be said about the source.
    pub(super) const fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    pub(super) const fn repaired_by(mut self, rule: Rule) -> Self {
        self.rule = Some(rule);
        self
    }

    /// The day on which the live service last confirmed it, such as `2026-12-01`.
    #[allow(dead_code, reason = "nothing was measured yet")]
    pub(super) const fn confirmed_on(mut self, day: &'static str) -> Self {
        self.confirmed = Some(day);
        self
    }
}

// === impl Fact: for checks and tables ===

impl Fact {
    /// The message of a refusal, with these values of the request.
    pub(in crate::emulator) fn refusal(&self, values: &[&str]) -> String {
        let Answer::Refused { message, .. } = self.answer else {
            return String::new();
        };
        let mut values = values.iter();
        let mut parts = message.split("{}");
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            text.push_str(values.next().copied().unwrap_or_default());
            text.push_str(part);
        }
        text
    }

    pub(in crate::emulator) fn grade_on(&self, family: Family) -> Grade {
        match self.known_on {
            Some(models) if !models.has(family) => Grade::Judgement,
            _ => self.grades.first().copied().unwrap_or(Grade::Judgement),
        }
    }

    pub(in crate::emulator) fn holds_on(&self, family: Family) -> bool {
        self.models.has(family)
    }

    pub(in crate::emulator) fn is_universal(&self) -> bool {
        self.models.are_all()
    }

    pub(in crate::emulator) fn is_recorded(&self) -> bool {
        matches!(
            self.answer,
            Answer::Refused {
                is_recorded: true,
                ..
            }
        )
    }

    pub(in crate::emulator) fn error_type(&self) -> &'static str {
        match self.answer {
            Answer::Accepted => "",
            Answer::Refused { error_type, .. } => error_type,
        }
    }
}
