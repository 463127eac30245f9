//! Checks the tools of the request and those that system messages declare.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    super::{error::ApiError, family::Family, schema::check_schema},
    Object,
    choice::{self, Choice},
    field,
    thinking::Thinking,
};

/// The longest name of a function, in bytes.
const MAX_NAME: usize = 256;

/// The functions of a request, and who chooses among them.
#[derive(Debug)]
pub(in super::super) struct Tools<'a> {
    /// First those of the request, then those of its system messages.
    pub(in super::super) functions: Vec<&'a Object>,
    pub(in super::super) choice: Choice<'a>,
}

/// Checks `tools`, `messages[].tools` and `tool_choice`.
pub(super) fn check<'a>(
    body: &'a Object,
    family: Family,
    thinking: &Thinking,
) -> Result<Tools<'a>, ApiError> {
    let tools = field::array(body, "tools")?;
    let mut functions = Vec::new();
    let mut names = HashSet::new();
    let messages = field::array(body, "messages")?.unwrap_or_default();
    let declared = messages
        .iter()
        .filter_map(|message| message.get("tools").and_then(Value::as_array));
    for tool in tools
        .into_iter()
        .chain(declared.map(Vec::as_slice))
        .flatten()
    {
        let (name, function) = check_tool(tool)?;
        if !names.insert(name) {
            return Err(ApiError::invalid(format!(
                "function name {name} is duplicated"
            )));
        }
        functions.push(function);
    }
    let choice = choice::check(body, &functions, family, thinking)?;
    Ok(Tools { functions, choice })
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
    // The names of Moonshot's own functions begin with a dollar sign, like
    // `$web_search`.
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
    if name.len() > MAX_NAME {
        return Err(ApiError::invalid(format!(
            "Invalid request: function name is invalid, must not be longer than {MAX_NAME} \
             characters"
        )));
    }
    if let Some(schema) = function.get("parameters") {
        check_parameters(schema)?;
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
