//! What a fact tells its users: the request that shows it, and the answer.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::family::Family,
    fact::{Answer, Fact, Sample, SampleKey},
    grade::Grade,
};
use crate::Rule;

/// The number of tokens that the answer to a sample may have.
const MAX_TOKENS: u32 = 8;

/// The name that is one letter too long.
const LONG: usize = 257;

/// The answer to the request of a [`Fact`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedAnswer {
    /// The status.
    pub status: StatusCode,
    /// The type of the error. None if the request is accepted.
    pub error_type: Option<&'static str>,
    /// The message of the error. None if the request is accepted, or if nobody has
    /// recorded the wording.
    pub message: Option<String>,
}

impl Fact {
    /// The name of the fact, such as `temperature_fixed`. It is unique, and stays the
    /// same in later releases as long as the fact does.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// What is accepted or refused, in a few words of Markdown.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        self.what
    }

    /// Whether the fact is about the family of this model.
    #[must_use]
    pub fn holds_for(&self, model: &str) -> bool {
        self.holds_on(Family::of(model))
    }

    /// The body of the smallest request to this model that shows the fact. If it is
    /// accepted, its answer has 8 tokens at most.
    ///
    /// None if there is no short one: a body over 100 MB, or 129 tools.
    #[must_use]
    pub fn request(&self, model: &str) -> Option<String> {
        let members = match self.sample {
            Sample::None => return None,
            Sample::Body(body) => return Some(body.replace("$MODEL", model)),
            Sample::Members(members) => members,
        };
        let members = members
            .replace("$MODEL", model)
            .replace("$LONG", &"a".repeat(LONG));
        let mut request = json!({
            "model": model,
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": MAX_TOKENS,
        });
        // A test parses the members of every fact.
        if let Ok(Value::Object(members)) = serde_json::from_str(&members) {
            for (name, value) in members {
                request[name] = value;
            }
        }
        Some(request.to_string())
    }

    /// The key with which that request is sent.
    #[must_use]
    pub const fn key(&self) -> SampleKey {
        self.key
    }

    /// The answer to that request.
    #[must_use]
    pub fn answer(&self, model: &str) -> ExpectedAnswer {
        match self.answer {
            Answer::Accepted => ExpectedAnswer {
                status: StatusCode::OK,
                error_type: None,
                message: None,
            },
            Answer::Refused {
                status,
                error_type,
                values,
                is_recorded,
                ..
            } => ExpectedAnswer {
                status,
                error_type: Some(error_type),
                message: is_recorded.then(|| self.refusal(values).replace("$MODEL", model)),
            },
        }
    }

    /// How it is known for this model.
    #[must_use]
    pub fn grade(&self, model: &str) -> Grade {
        self.grade_on(Family::of(model))
    }

    /// The rule of the layer that repairs such requests, if one does. It may depend on
    /// the request: see [`Finding::rule`](crate::emulator::Finding::rule).
    #[must_use]
    pub const fn rule(&self) -> Option<Rule> {
        self.rule
    }

    /// The day on which the live service last confirmed it, such as `2026-12-01`. None if
    /// it never did.
    #[must_use]
    pub const fn confirmed(&self) -> Option<&'static str> {
        self.confirmed
    }

    pub(in crate::emulator) fn status(&self) -> StatusCode {
        match self.answer {
            Answer::Accepted => StatusCode::OK,
            Answer::Refused { status, .. } => status,
        }
    }
}

impl PartialEq for Fact {
    /// Facts are equal if their names are.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Fact {}
