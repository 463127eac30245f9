//! Checks `thinking` and `reasoning_effort`.

use serde_json::Value;

use super::{
    super::{
        error::{ApiError, type_of},
        family::{Family, Thinks},
    },
    Object, field,
};

/// Whether a request thinks, and which earlier thoughts it has to contain.
#[derive(Debug)]
pub(super) struct Thinking {
    pub(super) on: bool,
    /// Which assistant messages need `reasoning_content` while thinking is on.
    pub(super) preserved: Preserved,
}

/// The assistant messages whose thoughts have to be sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preserved {
    /// Those with tool calls.
    Calls,
    /// All of them, because the model always preserves thoughts (K2.7).
    ByModel,
    /// All of them, because the request has `thinking.keep` set to `all`.
    ByRequest,
}

pub(super) fn check(body: &Object, model: &str, family: Family) -> Result<Thinking, ApiError> {
    let thinking = match body.get("thinking") {
        None | Some(Value::Null) => None,
        Some(Value::Object(thinking)) => Some(thinking),
        Some(other) => return Err(no_object(other)),
    };
    check_effort(body, family, thinking)?;
    let disabled = match thinking {
        None => false,
        Some(thinking) => is_disabled(thinking, family)?,
    };
    let keeps_all = match thinking {
        None => false,
        Some(thinking) => keeps_all(thinking, model, family)?,
    };
    let on = match family.thinks() {
        Thinks::Always => true,
        Thinks::ByDefault => !disabled,
        Thinks::Never => false,
    };
    let preserved = match family {
        _ if keeps_all => Preserved::ByRequest,
        Family::K27 => Preserved::ByModel,
        _ => Preserved::Calls,
    };
    Ok(Thinking { on, preserved })
}

/// Unlike the other messages of this kind, this one was recorded without quotes
/// around the name of the field.
fn no_object(found: &Value) -> ApiError {
    ApiError::invalid(format!(
        "Invalid request: the thinking field in the request (expected type object) is illegal, \
         and {} is not acceptable",
        type_of(found)
    ))
}

fn is_disabled(thinking: &Object, family: Family) -> Result<bool, ApiError> {
    match thinking.get("type") {
        None => Ok(false),
        Some(Value::String(kind)) => match kind.as_str() {
            "enabled" => Ok(false),
            "disabled" if family == Family::K27 => Err(ApiError::invalid(
                "invalid thinking: only type=enabled is allowed for this model",
            )),
            "disabled" => Ok(true),
            _ => Err(ApiError::invalid(format!(
                "invalid value for thinking type: {kind}"
            ))),
        },
        Some(other) => Err(ApiError::wrong_type("thinking.type", "type string", other)),
    }
}

fn keeps_all(thinking: &Object, model: &str, family: Family) -> Result<bool, ApiError> {
    match (family, thinking.get("keep")) {
        (_, None) => Ok(false),
        (Family::K25, Some(_)) => Err(ApiError::invalid(format!(
            "thinking.keep is not supported by model \"{model}\""
        ))),
        (_, Some(Value::String(keep))) if keep == "all" => Ok(true),
        (Family::K27, Some(_)) => Err(ApiError::invalid(
            "invalid thinking: only keep=all is allowed for this model",
        )),
        (_, Some(Value::String(_) | Value::Null)) => Ok(false),
        (_, Some(other)) => Err(ApiError::wrong_type("thinking.keep", "type string", other)),
    }
}

/// K3 and K2.8 have levels of effort, in `reasoning_effort` and in
/// `thinking.effort`. The other models with fixed sampling ignore the levels (live
/// reports). For older models, only the type is known to matter.
fn check_effort(body: &Object, family: Family, thinking: Option<&Object>) -> Result<(), ApiError> {
    let has_levels = matches!(family, Family::K3 | Family::K28);
    if let Some(thinking) = thinking.filter(|_| has_levels) {
        if let Some(effort) = field::string(thinking, "effort")? {
            check_level("thinking.effort", effort)?;
        }
    }
    let Some(effort) = field::string(body, "reasoning_effort")? else {
        return Ok(());
    };
    match family {
        Family::K28 | Family::K27 | Family::K26 | Family::K25 if thinking.is_some() => Err(
            ApiError::invalid("cannot specify both 'thinking' and 'reasoning_effort'"),
        ),
        Family::K3 | Family::K28 => check_level("reasoning_effort", effort),
        Family::K27 if effort == "none" => Err(ApiError::invalid(
            "invalid reasoning_effort: none is not allowed for this model, which always thinks",
        )),
        Family::K26 | Family::K25 if effort == "none" => Err(ApiError::invalid(
            "invalid reasoning_effort: none is not allowed for this model; use thinking with \
             type=disabled",
        )),
        _ => Ok(()),
    }
}

fn check_level(field: &str, effort: &str) -> Result<(), ApiError> {
    match effort {
        "low" | "high" | "max" => Ok(()),
        _ => Err(ApiError::invalid(format!(
            "invalid {field}: only low, high and max are allowed for this model"
        ))),
    }
}
