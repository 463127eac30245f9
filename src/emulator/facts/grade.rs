//! How something is known.

use std::fmt;

/// How a fact about Moonshot is known.
///
/// Displayed as one word, such as `documented`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Grade {
    /// `documented`: Moonshot's documentation says so.
    Documented,
    /// `suite`: Moonshot's test suite for other hosts of its models requires it
    /// (Kimi-Vendor-Verifier, 2026-08-13).
    Suite,
    /// `reported`: somebody recorded an answer of the live service.
    Reported,
    /// `client`: Moonshot's own clients do so.
    Client,
    /// `validator`: Moonshot's own schema validator does so (walle, 2026-06-29).
    Validator,
    /// `judgement`: nobody has recorded it; it follows from what is known.
    Judgement,
}

impl Grade {
    /// The grade in one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Suite => "suite",
            Self::Reported => "reported",
            Self::Client => "client",
            Self::Validator => "validator",
            Self::Judgement => "judgement",
        }
    }

    /// The source in a few words.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Documented => "Moonshot's documentation",
            Self::Suite => "Moonshot's test suite for other hosts of its models",
            Self::Reported => "recorded answers of the live service",
            Self::Client => "Moonshot's own clients",
            Self::Validator => "Moonshot's own schema validator",
            Self::Judgement => "no source; it follows from what is known",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
