//! Checks `tool_choice`.

use serde_json::Value;

use super::{
    super::{error::ApiError, family::Family},
    Object,
    thinking::Thinking,
};

/// Which function the model has to call.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Choice<'a> {
    None,
    /// Any, or none at all.
    Auto,
    /// Any.
    Required,
    /// This one.
    Named(&'a Object),
}

pub(super) fn check<'a>(
    body: &'a Object,
    functions: &[&'a Object],
    family: Family,
    thinking: &Thinking,
) -> Result<Choice<'a>, ApiError> {
    let wish = match body.get("tool_choice") {
        None | Some(Value::Null) => return Ok(Choice::Auto),
        Some(choice) => Wish::of(choice)?,
    };
    if family == Family::K3 && matches!(wish, Wish::Named(_)) {
        return Ok(Choice::Auto);
    }
    let needs_tools = match wish {
        Wish::None | Wish::Auto => {
            family != Family::K3 || body.get("tools").is_some_and(Value::is_array)
        }
        Wish::Required | Wish::Named(_) => true,
    };
    if functions.is_empty() && needs_tools {
        return Err(ApiError::invalid(
            "Invalid request: tool_choice is only allowed when tools are specified",
        ));
    }
    wish.check(family, thinking)?;
    match wish {
        Wish::None => Ok(Choice::None),
        Wish::Auto => Ok(Choice::Auto),
        Wish::Required => Ok(Choice::Required),
        Wish::Named(wanted) => {
            let has_name =
                |function: &&&Object| function.get("name").and_then(Value::as_str) == Some(wanted);
            match functions.iter().find(has_name) {
                Some(function) => Ok(Choice::Named(function)),
                None => Err(ApiError::invalid(format!(
                    "Invalid request: tool_choice names the function {wanted}, which is not among \
                     the tools"
                ))),
            }
        }
    }
}

/// A `tool_choice` as it is written in the request.
#[derive(Clone, Copy, Debug)]
enum Wish<'a> {
    None,
    Auto,
    Required,
    /// There may be no function with this name.
    Named(&'a str),
}

impl<'a> Wish<'a> {
    fn of(choice: &'a Value) -> Result<Self, ApiError> {
        match choice {
            Value::String(choice) => match choice.as_str() {
                "none" => Ok(Self::None),
                "auto" => Ok(Self::Auto),
                "required" => Ok(Self::Required),
                _ => Err(ApiError::invalid(format!(
                    "Invalid request: tool_choice '{choice}' is unknown, only none, auto, \
                     required and an object with a function are allowed"
                ))),
            },
            Value::Object(fields) => {
                let is_function = fields.get("type").and_then(Value::as_str) == Some("function");
                let function = fields.get("function").filter(|_| is_function);
                match function.and_then(|function| function.get("name")) {
                    Some(Value::String(name)) => Ok(Self::Named(name)),
                    _ => Err(ApiError::invalid(
                        "Invalid request: tool_choice as an object must have the type 'function' \
                         and a function with a name",
                    )),
                }
            }
            other => Err(ApiError::wrong_type(
                "tool_choice",
                "type string or object",
                other,
            )),
        }
    }

    /// Whether a family can be forced to call. On older models a named function is
    /// accepted: whether Moonshot does so is not known.
    fn check(self, family: Family, thinking: &Thinking) -> Result<(), ApiError> {
        let word = match self {
            Self::None | Self::Auto => return Ok(()),
            Self::Required => "required",
            Self::Named(_) => "specified",
        };
        match (family, self) {
            (Family::K3, _) => Ok(()),
            (Family::K28 | Family::K26 | Family::K25, _) if !thinking.on => Ok(()),
            (Family::K28 | Family::K27 | Family::K26 | Family::K25, _)
            | (Family::K2Thinking, Self::Required) => Err(ApiError::invalid(format!(
                "tool_choice '{word}' is incompatible with thinking enabled"
            ))),
            (_, Self::Required) => Err(ApiError::invalid(
                "Invalid request: tool_choice 'required' is not supported by this model",
            )),
            _ => Ok(()),
        }
    }
}
