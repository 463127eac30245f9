//! Reads arrays of tools.

use super::Walk;
use crate::{
    json::{self, Backend, Error, Kind, Pass, Scanner, Str, Value, push},
    rewrite::{
        chat::{Form, Parameters, Spans, Tool},
        keys::{FunctionField, ToolField, ToolType},
    },
    schema::Use,
};

/// The list that tools are recorded in.
#[derive(Clone, Copy)]
pub(super) enum List {
    Request,
    Message,
}

/// Reads an array of tools. A pass of its own, so that the code exists once for the two
/// places that have one.
pub(super) struct Tools<'s> {
    spans: &'s mut Spans,
    list: List,
}

impl<'s> Tools<'s> {
    pub(super) const fn new(spans: &'s mut Spans, list: List) -> Self {
        Self { spans, list }
    }
}

impl Pass for Tools<'_> {
    type Output = Result<(json::Place, Value), Error>;

    #[inline(always)]
    fn run<B: Backend>(self, scanner: Scanner<'_, B>) -> Self::Output {
        let Self { spans, list } = self;
        let mut walk = Walk { scanner, spans };
        let value = array!(walk, {
            let tool = walk.tool()?;
            match list {
                List::Request => push(&mut walk.spans.tools, tool),
                List::Message => push(&mut walk.spans.message_tools, tool),
            }
        });
        Ok((walk.scanner.place(), value))
    }
}

impl<B: Backend> Walk<'_, '_, B> {
    #[inline(always)]
    fn tool(&mut self) -> Result<Tool, Error> {
        let mut function = None;
        let mut nested = (None, Parameters::None);
        // The Responses API puts these into the tool instead of `function`.
        let mut flat = (None, Parameters::None);
        let mut flat_parameters = None;
        let mut kind = None;
        let tool = object!(self, ToolField, |key, field| {
            match field {
                Some(ToolField::Function) => {
                    let duplicate = self.spans.duplicate(function);
                    let value = self.function(&mut nested)?;
                    function = Some(self.spans.member(key, value, duplicate));
                }
                Some(ToolField::Type) => kind = word!(self, ToolType).0,
                Some(ToolField::Name) => flat.0 = self.scanner.skip()?.as_str(),
                Some(ToolField::Parameters) => {
                    let duplicate = self.spans.duplicate(flat_parameters);
                    let value;
                    (value, flat.1) = self.parameters()?;
                    flat_parameters = Some(self.spans.member(key, value, duplicate));
                }
                None => drop(self.scanner.skip()?),
            }
        });
        let is_flat = function.is_none() && kind.is_some() && flat.0.is_some();
        let (name, parameters) = if is_flat { flat } else { nested };
        Ok(Tool {
            span: tool.span,
            name,
            parameters,
            form: if is_flat { Form::Flat } else { Form::Nested },
        })
    }

    /// Reads the name and the parameters of a tool's function.
    #[inline(always)]
    fn function(&mut self, found: &mut (Option<Str>, Parameters)) -> Result<Value, Error> {
        *found = (None, Parameters::None);
        let mut earlier = None;
        Ok(object!(self, FunctionField, |key, field| {
            match field {
                Some(FunctionField::Name) => found.0 = self.scanner.skip()?.as_str(),
                Some(FunctionField::Parameters) => {
                    let duplicate = self.spans.duplicate(earlier);
                    let value;
                    (value, found.1) = self.parameters()?;
                    earlier = Some(self.spans.member(key, value, duplicate));
                }
                None => drop(self.scanner.skip()?),
            }
        }))
    }

    #[inline(always)]
    fn parameters(&mut self) -> Result<(Value, Parameters), Error> {
        let (value, schema) = self.schema(Use::Tool)?;
        let parameters = match schema {
            Some(schema) => Parameters::Schema(schema),
            None if value.kind == Kind::Null => Parameters::Null(value.span),
            None => Parameters::None,
        };
        Ok((value, parameters))
    }
}
