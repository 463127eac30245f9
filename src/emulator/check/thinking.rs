//! `thinking` and `reasoning_effort`.

use serde_json::Value;

use super::{
    super::{
        error::ApiError,
        family::{Family, Thinks},
    },
    Object, field,
};

/// How a request thinks.
#[derive(Debug)]
pub(super) struct Thinking {
    pub(super) on: bool,
    /// Whether, while it is on, the thoughts of all earlier answers have to be
    /// sent along.
    pub(super) keeps_all: bool,
}

pub(super) fn check(body: &Object, model: &str, family: Family) -> Result<Thinking, ApiError> {
    let thinking = field::object(body, "thinking")?;
    check_effort(body, family, thinking.is_some())?;

    let disabled = match thinking.and_then(|thinking| thinking.get("type")) {
        None => false,
        Some(_) if family == Family::K3 => {
            return Err(ApiError::invalid(
                "invalid thinking: type is not supported by this model, which always thinks; use \
                 reasoning_effort",
            ));
        }
        Some(Value::String(kind)) if kind == "enabled" => false,
        Some(Value::String(kind)) if kind == "disabled" => true,
        Some(Value::String(_)) => {
            return Err(ApiError::invalid(
                "invalid thinking: type must be enabled or disabled",
            ));
        }
        Some(other) => {
            return Err(ApiError::wrong_type("thinking.type", "type string", other));
        }
    };
    if disabled && family == Family::K27 {
        return Err(ApiError::invalid(
            "invalid thinking: only type=enabled is allowed for this model",
        ));
    }

    let keep = match thinking.and_then(|thinking| thinking.get("keep")) {
        Some(_) if family == Family::K25 => {
            return Err(ApiError::invalid(format!(
                "thinking.keep is not supported by model \"{model}\""
            )));
        }
        None | Some(Value::Null) => None,
        Some(Value::String(keep)) => Some(keep),
        Some(other) => {
            return Err(ApiError::wrong_type("thinking.keep", "type string", other));
        }
    };
    let on = match family.thinks() {
        Thinks::Always => true,
        Thinks::ByDefault => !disabled,
        Thinks::Never => false,
    };
    Ok(Thinking {
        on,
        keeps_all: keep.is_some_and(|keep| keep == "all"),
    })
}

/// `reasoning_effort` is K3's. The other models that have fixed sampling ignore
/// its levels (live reports) and refuse `none`; about older ones nothing is
/// known but that it has to be a string.
fn check_effort(body: &Object, family: Family, thinking: bool) -> Result<(), ApiError> {
    let effort = match body.get("reasoning_effort") {
        None => return Ok(()),
        Some(Value::Null) if !family.fixes_sampling() => return Ok(()),
        Some(Value::String(effort)) => effort.as_str(),
        Some(other) => {
            return Err(ApiError::wrong_type(
                "reasoning_effort",
                "type string",
                other,
            ));
        }
    };
    if !family.fixes_sampling() {
        return Ok(());
    }
    if thinking {
        return Err(ApiError::invalid(
            "cannot specify both 'thinking' and 'reasoning_effort'",
        ));
    }
    match (family, effort) {
        (Family::K3, "low" | "high" | "max") => Ok(()),
        (Family::K3, _) => Err(ApiError::invalid(
            "invalid reasoning_effort: only low, high and max are allowed for this model",
        )),
        (Family::K27, "none") => Err(ApiError::invalid(
            "invalid reasoning_effort: none is not allowed for this model, which always thinks",
        )),
        (_, "none") => Err(ApiError::invalid(
            "invalid reasoning_effort: none is not allowed for this model; use thinking with \
             type=disabled",
        )),
        _ => Ok(()),
    }
}
