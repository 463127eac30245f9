//! Tools and their schemas, as the walk records them.

use crate::json::{Span, Str};

/// A JSON Schema.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema {
    pub(super) span: Span,
    /// Whether it may need a repair.
    pub(super) doubtful: bool,
}

/// The `parameters` of a tool.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parameters {
    /// Absent, or of a type that no rule looks at.
    None,
    Null(Span),
    Schema(Schema),
}

/// An element of `tools` in the request or in a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tool {
    pub(super) span: Span,
    /// The function's name.
    pub(super) name: Option<Str>,
    pub(super) parameters: Parameters,
    pub(super) form: Form,
}

/// Where the name and the parameters of a tool are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// In its `function`.
    Nested,
    /// In the tool itself.
    Flat,
    /// A rule has removed it.
    Removed,
}

impl Tool {
    /// Whether its name and parameters are in the tool itself, not in `function`.
    pub(super) fn is_flat(&self) -> bool {
        self.form == Form::Flat
    }

    /// Whether the rule `tools` has to change its form.
    pub(super) fn is_odd(&self) -> bool {
        self.is_flat() | matches!(self.parameters, Parameters::Null(_))
    }

    /// The schema of the parameters, if they are an object and no rule has removed the
    /// tool.
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
