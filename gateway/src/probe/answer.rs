//! What Moonshot answered, and whether it is what was expected.

use axum::http::StatusCode;
use serde_json::Value;
use tower_moonshot::emulator::ExpectedAnswer;

use super::{account::Key, client::Response};

/// The longest message that is kept, in characters.
const MAX_MESSAGE: usize = 500;

/// An answer in Moonshot's form. Of one that accepts the request only the status is
/// kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) error_type: Option<String>,
    pub(super) message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Confirmed,
    Changed,
}

impl Verdict {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Changed => "changed",
        }
    }
}

impl Answer {
    /// Reads an answer, and leaves out the key. None if it isn't in Moonshot's form: an
    /// object with an error, or with choices.
    pub(super) fn read(response: &Response, key: &Key) -> Option<Self> {
        let body: Value = serde_json::from_slice(&response.body).ok()?;
        let status = response.status;
        if status.is_success() {
            return body
                .get("choices")
                .is_some_and(Value::is_array)
                .then_some(Self {
                    status,
                    error_type: None,
                    message: None,
                });
        }
        let error = body.get("error")?;
        let text = |name: &str| {
            let text = error.get(name).and_then(Value::as_str)?;
            let text = key.removed_from(text);
            Some(text.chars().take(MAX_MESSAGE).collect())
        };
        Some(Self {
            status,
            error_type: text("type"),
            message: text("message"),
        })
    }

    pub(super) fn verdict(&self, expected: &ExpectedAnswer) -> Verdict {
        let same_wording = match &expected.message {
            None => true,
            Some(_) => self.message == expected.message,
        };
        let same = self.status == expected.status
            && self.error_type.as_deref() == expected.error_type
            && same_wording;
        if same {
            Verdict::Confirmed
        } else {
            Verdict::Changed
        }
    }

    pub(super) fn is_of(&self, error_type: &str) -> bool {
        self.error_type.as_deref() == Some(error_type)
    }

    /// The status with the type and the message of an error.
    pub(super) fn text(&self) -> String {
        text(
            self.status,
            self.error_type.as_deref(),
            self.message.as_deref(),
        )
    }
}

/// A status with the type and the message of an error.
pub(super) fn text(status: StatusCode, error_type: Option<&str>, message: Option<&str>) -> String {
    let mut text = status.as_u16().to_string();
    if let Some(error_type) = error_type {
        text.push(' ');
        text.push_str(error_type);
    }
    if let Some(message) = message {
        text.push_str(": ");
        text.push_str(message);
    }
    text
}
