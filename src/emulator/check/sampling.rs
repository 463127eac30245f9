//! Checks the sampling parameters.

use serde_json::Value;

use super::{
    super::{error::ApiError, family::Family},
    Object, field,
    thinking::Thinking,
};

/// The least temperature that allows several answers. Moonshot only says "close
/// to 0 (for example 0.001)"; the bound is LiteLLM's.
const LEAST_FOR_SEVERAL: f64 = 0.3;

/// Checks the parameters and returns the number of answers asked for.
pub(super) fn check(body: &Object, family: Family, thinking: &Thinking) -> Result<usize, ApiError> {
    for name in ["max_tokens", "max_completion_tokens", "seed"] {
        field::number(body, name)?;
    }
    if family.fixes_sampling() {
        fixed(body, if thinking.on { 1.0 } else { 0.6 })?;
        return Ok(1);
    }
    for name in [
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "top_logprobs",
    ] {
        field::number(body, name)?;
    }
    field::boolean(body, "logprobs")?;
    range(body, family)
}

/// Each parameter has a single accepted value. Null is refused as well: no recorded
/// answer accepts it.
fn fixed(body: &Object, temperature: f64) -> Result<(), ApiError> {
    for (name, accepted) in [
        ("temperature", temperature),
        ("top_p", 0.95),
        ("n", 1.0),
        ("presence_penalty", 0.0),
        ("frequency_penalty", 0.0),
    ] {
        match body.get(name) {
            None => {}
            Some(Value::Number(number)) if number.as_f64() == Some(accepted) => {}
            Some(Value::Number(_) | Value::Null) => {
                return Err(ApiError::invalid(format!(
                    "invalid {name}: only {accepted} is allowed for this model"
                )));
            }
            Some(other) => return Err(ApiError::wrong_type(name, "type number", other)),
        }
    }
    match body.get("logprobs") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true) | Value::Null) => {
            return Err(ApiError::invalid(
                "invalid logprobs: only false is allowed for this model",
            ));
        }
        Some(other) => return Err(ApiError::wrong_type("logprobs", "type bool", other)),
    }
    if body.contains_key("top_logprobs") {
        return Err(ApiError::invalid(
            "invalid top_logprobs: it is not allowed for this model",
        ));
    }
    Ok(())
}

/// Temperatures from 0 to 1 and up to five answers are accepted. Moonshot's
/// wording of these refusals is unrecorded.
fn range(body: &Object, family: Family) -> Result<usize, ApiError> {
    let temperature = field::number(body, "temperature")?;
    if temperature.is_some_and(|temperature| !(0.0..=1.0).contains(&temperature)) {
        return Err(ApiError::invalid(
            "invalid temperature: it must be between 0 and 1",
        ));
    }
    let n = field::number(body, "n")?.unwrap_or(1.0);
    if n.fract() != 0.0 || !(1.0..=5.0).contains(&n) {
        return Err(ApiError::invalid(
            "invalid n: it must be an integer between 1 and 5",
        ));
    }
    // The default temperature of moonshot-v1 is documented as 0.
    let temperature = temperature.or((family == Family::V1).then_some(0.0));
    if n > 1.0 && temperature.is_some_and(|temperature| temperature < LEAST_FOR_SEVERAL) {
        return Err(ApiError::invalid(format!(
            "invalid n: only 1 is possible with a temperature close to 0; use a temperature of at \
             least {LEAST_FOR_SEVERAL}"
        )));
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an integer between 1 and 5"
    )]
    Ok(n as usize)
}
