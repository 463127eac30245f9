//! What was changed in a request, where and why.

use std::{fmt, sync::Arc};

use http::Extensions;

use crate::{
    json,
    rewrite::{Change, NotAChat},
};

/// What [`MoonshotCompat`](crate::MoonshotCompat) did to the body of one request.
///
/// The report is in the extensions of the request, for the inner service, and in those
/// of the response, for the services outside. Every `POST …/chat/completions` has one;
/// if its body was left unread or unjudged, the report says why. Other requests have
/// none: the layer does not read them.
///
/// Displayed on one line for logs. Of the request's contents, it holds only the names of
/// properties of tool schemas.
///
/// ```
/// use bytes::Bytes;
/// use tower_moonshot::{MoonshotCompatLayer, Rule};
///
/// let body = r#"{"model":"moonshot-v1-8k","messages":[],"temperature":2}"#;
/// let body = Bytes::from(body);
/// let (_, report) = MoonshotCompatLayer::new().rewrite(body);
///
/// let change = &report.changes()[0];
/// assert_eq!(change.rule(), Rule::Temperature);
/// assert_eq!(change.pointer(), "/temperature");
/// assert_eq!(
///     report.to_string(),
///     "rewritten: temperature at /temperature: at most 1 is accepted",
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    outcome: Outcome,
}

#[derive(Clone, Debug)]
enum Outcome {
    Rewritten(Changes),
    NothingToChange,
    Skipped(Skipped),
}

/// What the rules changed.
#[derive(Clone, Debug)]
struct Changes {
    listed: Arc<[Change]>,
    left_out: usize,
    unrepaired_schemas: usize,
}

impl From<Outcome> for Report {
    fn from(outcome: Outcome) -> Self {
        Self { outcome }
    }
}

impl Report {
    pub(crate) fn nothing_to_change() -> Self {
        Outcome::NothingToChange.into()
    }

    pub(crate) fn rewritten(
        listed: Arc<[Change]>,
        left_out: usize,
        unrepaired_schemas: usize,
    ) -> Self {
        Outcome::Rewritten(Changes {
            listed,
            left_out,
            unrepaired_schemas,
        })
        .into()
    }

    pub(crate) fn skipped_because(why: Skipped) -> Self {
        Outcome::Skipped(why).into()
    }

    /// Puts the report into the extensions of a request. If an outer layer of this kind
    /// has put one there, the new changes are appended to it.
    pub(crate) fn file(self, extensions: &mut Extensions) -> Self {
        let report = match extensions.get::<Self>() {
            Some(earlier) => self.after(earlier),
            None => self,
        };
        extensions.insert(report.clone());
        report
    }

    /// Puts the report into the extensions of a response, unless an inner layer of this
    /// kind has put one there, which also covers the changes of this layer.
    pub(crate) fn file_unless_there(self, extensions: &mut Extensions) {
        if extensions.get::<Self>().is_none() {
            extensions.insert(self);
        }
    }

    fn after(self, earlier: &Self) -> Self {
        let outcome = match (&earlier.outcome, self.outcome) {
            (Outcome::Rewritten(first), Outcome::Rewritten(second)) => {
                let all = first.listed.iter().chain(second.listed.iter());
                Outcome::Rewritten(Changes {
                    listed: all.cloned().collect(),
                    left_out: first.left_out + second.left_out,
                    unrepaired_schemas: second.unrepaired_schemas,
                })
            }
            (Outcome::Rewritten(_), _) => earlier.outcome.clone(),
            (_, outcome) => outcome,
        };
        Self { outcome }
    }

    /// The changes, in the order in which the rules were applied. Empty if the body is
    /// unchanged.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match &self.outcome {
            Outcome::Rewritten(changes) => &changes.listed,
            _ => &[],
        }
    }

    /// The number of changes that [`changes`](Self::changes) does not list. It lists at
    /// most 1000.
    #[must_use]
    pub const fn changes_left_out(&self) -> usize {
        match &self.outcome {
            Outcome::Rewritten(changes) => changes.left_out,
            _ => 0,
        }
    }

    /// The number of schemas that were left unrepaired because the
    /// [schema budget](crate::MoonshotCompatLayer::with_schema_budget) was spent.
    /// Moonshot may refuse the request because of them.
    #[must_use]
    pub const fn unrepaired_schemas(&self) -> usize {
        match &self.outcome {
            Outcome::Rewritten(changes) => changes.unrepaired_schemas,
            _ => 0,
        }
    }

    /// The number of messages whose required reasoning was not found, so that a space was
    /// inserted in its place.
    ///
    /// Moonshot accepts such a request, but the model can't see why it called its tools.
    /// If the number is not 0, use a client that sends back the `reasoning_content` of
    /// earlier answers.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use tower_moonshot::MoonshotCompatLayer;
    ///
    /// let body = Bytes::from_static(br#"{"model":"kimi-k3","messages":[
    ///     {"role":"user","content":"What time is it?"},
    ///     {"role":"assistant","tool_calls":[{"id":"clock:0","type":"function",
    ///         "function":{"name":"clock","arguments":"{}"}}]},
    ///     {"role":"tool","tool_call_id":"clock:0","content":"noon"}
    /// ]}"#);
    /// let (_, report) = MoonshotCompatLayer::new().rewrite(body);
    ///
    /// assert_eq!(report.lost_thoughts(), 1);
    /// assert_eq!(report.changes()[0].pointer(), "/messages/1/reasoning_content");
    /// ```
    #[must_use]
    pub fn lost_thoughts(&self) -> usize {
        let lost = |change: &&Change| change.lost_thoughts();
        self.changes().iter().filter(lost).count()
    }

    /// Why the rules did not judge the body, or `None` if they did.
    #[must_use]
    pub const fn skipped(&self) -> Option<&Skipped> {
        match &self.outcome {
            Outcome::Skipped(why) => Some(why),
            _ => None,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Rewritten(changes) => {
                f.write_str(if changes.listed.is_empty() {
                    "nothing was changed"
                } else {
                    "rewritten: "
                })?;
                for (index, change) in changes.listed.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "; " })?;
                    change.fmt(f)?;
                }
                if changes.left_out > 0 {
                    write!(f, "; {} more changes", changes.left_out)?;
                }
                if changes.unrepaired_schemas > 0 {
                    let count = changes.unrepaired_schemas;
                    write!(f, "; {count} schemas left unrepaired, the budget is spent")?;
                }
                Ok(())
            }
            Outcome::NothingToChange => f.write_str("nothing to change"),
            Outcome::Skipped(why) => write!(f, "left unchanged: {why}"),
        }
    }
}

/// Why a body was left unchanged without being judged by the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skipped {
    /// The request was sent to the path of chat requests but is not one: its content
    /// type is not JSON, or its JSON has no array of `messages`.
    NotAChatRequest,
    /// The body has a `Content-Encoding`. Decompress it outside of this layer.
    Compressed,
    /// The body is longer than
    /// [`max_body_bytes`](crate::MoonshotCompatLayer::with_max_body_bytes).
    #[non_exhaustive]
    TooLarge {
        /// That limit, in bytes.
        limit: usize,
    },
    /// The extensions of the request hold [`LeaveBody`](crate::LeaveBody).
    ByRequest,
    /// The body is not JSON.
    InvalidJson(InvalidJson),
    /// Reading the body failed. The inner service receives the same error.
    ReadError,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAChatRequest => f.write_str("not a chat request"),
            Self::Compressed => f.write_str("the body is compressed"),
            Self::TooLarge { limit } => write!(f, "the body is longer than {limit} bytes"),
            Self::ByRequest => f.write_str("the request's extensions ask for it"),
            Self::InvalidJson(invalid) => invalid.fmt(f),
            Self::ReadError => f.write_str("the body could not be read"),
        }
    }
}

/// The first error in a body that is not valid JSON.
///
/// Valid is what RFC 8259 allows, in UTF-8, nested at most 127 levels deep and shorter
/// than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidJson {
    error: json::Error,
    line: usize,
    column: usize,
}

impl InvalidJson {
    /// The offset in bytes of the first byte that is not allowed in its place.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.error.offset()
    }

    /// The line of that byte, counted from 1.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// The column of that byte, in bytes, counted from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for InvalidJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "not JSON at byte {} (line {}, column {}): {}",
            self.error.offset(),
            self.line,
            self.column,
            self.error.kind
        )
    }
}

impl Skipped {
    pub(crate) fn from_rewrite(why: NotAChat, body: &[u8]) -> Self {
        match why {
            NotAChat::OtherJson => Self::NotAChatRequest,
            NotAChat::Invalid(error) => {
                let (line, column) = error.line_and_column(body);
                Self::InvalidJson(InvalidJson {
                    error,
                    line,
                    column,
                })
            }
        }
    }
}
