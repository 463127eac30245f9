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
///
/// Packed, because a body of nothing but the smallest elements has as many of these.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tool {
    span: Span,
    name: Span,
    parameters: Span,
    name_is_escaped: bool,
    has: Has,
    form: Form,
}

const _: () = assert!(size_of::<Tool>() <= 28);

/// What a tool has for `parameters`.
#[derive(Clone, Copy, Debug)]
enum Has {
    Nothing,
    Null,
    Schema { doubtful: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// Name and parameters are those of its `function`.
    Nested,
    /// They are its own.
    Flat,
    Removed,
}

impl Tool {
    pub(super) fn new(
        span: Span,
        is_flat: bool,
        name: Option<Str>,
        parameters: Parameters,
    ) -> Self {
        const NONE: Span = Span { start: 0, end: 0 };
        let (has, parameters) = match parameters {
            Parameters::None => (Has::Nothing, NONE),
            Parameters::Null(span) => (Has::Null, span),
            Parameters::Schema(Schema { span, doubtful }) => (Has::Schema { doubtful }, span),
        };
        Self {
            span,
            name: name.map_or(NONE, |name| name.span),
            parameters,
            name_is_escaped: name.is_some_and(|name| name.escaped),
            has,
            form: if is_flat { Form::Flat } else { Form::Nested },
        }
    }

    pub(super) const fn span(&self) -> Span {
        self.span
    }

    /// Whether it is a function that has its name itself, not in `function`.
    pub(super) fn is_flat(&self) -> bool {
        self.form == Form::Flat
    }

    /// The function's name.
    pub(super) fn name(&self) -> Option<Str> {
        (self.name.length() > 0).then_some(Str {
            span: self.name,
            escaped: self.name_is_escaped,
        })
    }

    pub(super) const fn parameters(&self) -> Parameters {
        let span = self.parameters;
        match self.has {
            Has::Nothing => Parameters::None,
            Has::Null => Parameters::Null(span),
            Has::Schema { doubtful } => Parameters::Schema(Schema { span, doubtful }),
        }
    }

    /// The schema of the parameters, if they are an object and still there.
    pub(super) fn schema(&self) -> Option<Schema> {
        match self.parameters() {
            Parameters::Schema(schema) if !self.is_removed() => Some(schema),
            _ => None,
        }
    }

    /// Takes note that a rule has removed it.
    pub(super) const fn remove(&mut self) {
        self.form = Form::Removed;
    }

    pub(super) fn is_removed(&self) -> bool {
        self.form == Form::Removed
    }
}
