//! The tools and which of them to call.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    super::{error::ApiError, family::Family, schema::check_schema},
    Object, field,
    thinking::Thinking,
};

/// The functions of a request, and who chooses among them.
#[derive(Debug)]
pub(in super::super) struct Tools<'a> {
    pub(in super::super) functions: Vec<&'a Object>,
    pub(in super::super) choice: Choice<'a>,
}

/// Which function is to be called.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Choice<'a> {
    None,
    /// Whichever the model likes, also none.
    Auto,
    /// Whichever the model likes.
    Required,
    /// This one.
    Named(&'a Object),
}

/// Checks `tools` and `tool_choice`.
pub(super) fn check<'a>(
    body: &'a Object,
    family: Family,
    thinking: &Thinking,
) -> Result<Tools<'a>, ApiError> {
    let tools = field::array(body, "tools")?.unwrap_or_default();
    let mut functions = Vec::with_capacity(tools.len());
    let mut names = BTreeSet::new();
    for tool in tools {
        let (name, function) = check_tool(tool)?;
        if !names.insert(name) {
            return Err(ApiError::invalid(format!(
                "function name {name} is duplicated"
            )));
        }
        functions.push(function);
    }
    let choice = check_choice(body, &functions, family, thinking)?;
    Ok(Tools { functions, choice })
}

fn check_choice<'a>(
    body: &'a Object,
    functions: &[&'a Object],
    family: Family,
    thinking: &Thinking,
) -> Result<Choice<'a>, ApiError> {
    let wish = match body.get("tool_choice") {
        None | Some(Value::Null) => return Ok(Choice::Auto),
        Some(choice) => Wish::of(choice)?,
    };
    if functions.is_empty() {
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

/// A `tool_choice` as it stands in the request.
#[derive(Clone, Copy, Debug)]
enum Wish<'a> {
    None,
    Auto,
    Required,
    /// The name may be nobody's.
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
                let function = fields.get("function");
                match function.and_then(|function| function.get("name")) {
                    Some(Value::String(name)) => Ok(Self::Named(name)),
                    _ => Err(ApiError::invalid(
                        "Invalid request: tool_choice as an object must have a function with a \
                         name",
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

    /// Whether a family lets itself be forced. Where it does not think, a named
    /// function is let through: whether Moonshot takes it is not known.
    fn check(self, family: Family, thinking: &Thinking) -> Result<(), ApiError> {
        let word = match self {
            Self::None | Self::Auto => return Ok(()),
            Self::Required => "required",
            Self::Named(_) => "specified",
        };
        match (family, self) {
            (Family::K3, Self::Required) => Ok(()),
            (Family::K26 | Family::K25, _) if !thinking.on => Ok(()),
            (Family::K3 | Family::K27 | Family::K26 | Family::K25, _)
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

fn check_tool(tool: &Value) -> Result<(&str, &Object), ApiError> {
    let Some(tool) = tool.as_object() else {
        return Err(ApiError::wrong_type("tools[]", "type object", tool));
    };
    let builtin = match field::string(tool, "type")? {
        Some("function") => false,
        Some("builtin_function") => true,
        other => {
            return Err(ApiError::invalid(format!(
                "Invalid request: tool type '{}' is unknown, only function and builtin_function \
                 are allowed",
                other.unwrap_or_default()
            )));
        }
    };
    let Some(function) = field::object(tool, "function")? else {
        return Err(ApiError::invalid(
            "Invalid request: a tool must have a function",
        ));
    };
    let name = field::string(function, "name")?.unwrap_or_default();
    // Moonshot's own functions start with a dollar sign, as `$web_search` does.
    let own = if builtin {
        name.strip_prefix('$')
    } else {
        None
    };
    if !is_name(own.unwrap_or(name)) {
        return Err(ApiError::invalid(
            "Invalid request: function name is invalid, must start with a letter and can contain \
             letters, numbers, underscores, and dashes",
        ));
    }
    match function.get("parameters") {
        None | Some(Value::Null) => {}
        Some(schema) => check_parameters(schema)?,
    }
    Ok((name, function))
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn check_parameters(schema: &Value) -> Result<(), ApiError> {
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(ApiError::invalid(
            "tools.function.parameters.type is required and must be \"object\"",
        ));
    }
    check_schema(schema).map_err(|error| {
        ApiError::invalid(format!(
            "Invalid request: tools.function.parameters is not a valid moonshot flavored json \
             schema, details: <{error}>"
        ))
    })
}
