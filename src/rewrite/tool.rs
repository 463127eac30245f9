//! A tool as the walk records it.

use super::chat::Schema;
use crate::json::{Span, Str};

/// The `parameters` of a tool.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameters {
    /// Absent, or of a type that no rule looks at.
    None,
    Null(Span),
    Schema(Schema),
}

/// An element of `tools`, those of the request or those of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tool {
    pub(super) span: Span,
    /// The function's name.
    pub(super) name: Option<Str>,
    pub(super) parameters: Parameters,
    pub(super) form: Form,
}

/// Where a tool has its name and its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// In its `function`.
    Nested,
    /// Itself.
    Flat,
    /// A rule has removed it.
    Removed,
}

impl Tool {
    /// Whether it is a function that has its name itself, not in `function`.
    pub(super) fn is_flat(&self) -> bool {
        self.form == Form::Flat
    }

    /// Whether it may need another form than it has.
    pub(super) fn is_odd(&self) -> bool {
        self.is_flat() | matches!(self.parameters, Parameters::Null(_))
    }

    /// The schema of the parameters, if they are an object and still there.
    pub(super) fn schema(&self) -> Option<Schema> {
        match self.parameters {
            Parameters::Schema(schema) if !self.is_removed() => Some(schema),
            _ => None,
        }
    }

    pub(super) fn is_removed(&self) -> bool {
        self.form == Form::Removed
    }
}
