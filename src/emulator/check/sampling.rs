//! Checks the sampling parameters.

use serde_json::Value;

use super::{
    super::{
        error::type_of,
        facts::{self, Fact},
        family::Family,
        finding::Findings,
        place::Place,
    },
    Object, field,
    thinking::Thinking,
};
use crate::Rule;

/// The least temperature that allows several answers. Moonshot only says "close
/// to 0 (for example 0.001)"; the bound is LiteLLM's.
const LEAST_FOR_SEVERAL: f64 = 0.3;

/// Checks the parameters and returns the number of answers asked for.
pub(super) fn check(
    body: &Object,
    family: Family,
    thinking: &Thinking,
    findings: &mut Findings,
) -> usize {
    let place = Place::ROOT;
    for name in ["max_tokens", "max_completion_tokens", "seed"] {
        let _ = field::number(body, name, &place, findings);
    }
    if family.fixes_sampling() {
        fixed(body, thinking.on, findings);
        return 1;
    }
    for name in [
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "top_logprobs",
    ] {
        let _ = field::number(body, name, &place, findings);
    }
    let _ = field::boolean(body, "logprobs", &place, findings);
    range(body, family, findings)
}

/// Each parameter has a single accepted value. Null is refused as well: no recorded
/// answer accepts it.
fn fixed(body: &Object, thinks: bool, findings: &mut Findings) {
    let temperature: (&'static Fact, f64) = if thinks {
        (&facts::TEMPERATURE_FIXED, 1.0)
    } else {
        (&facts::TEMPERATURE_WITHOUT_THINKING, 0.6)
    };
    for (name, (fact, accepted)) in [
        ("temperature", temperature),
        ("top_p", (&facts::TOP_P_FIXED, 0.95)),
        ("n", (&facts::N_FIXED, 1.0)),
        ("presence_penalty", (&facts::PRESENCE_PENALTY_FIXED, 0.0)),
        ("frequency_penalty", (&facts::FREQUENCY_PENALTY_FIXED, 0.0)),
    ] {
        let place = Place::ROOT.key(name);
        let values = [name, &accepted.to_string()];
        match body.get(name) {
            None => {}
            Some(Value::Number(number)) if number.as_f64() == Some(accepted) => {}
            Some(Value::Number(_)) => findings.add(fact, &place, &values),
            Some(Value::Null) => findings.add(&facts::SAMPLING_NULL, &place, &values),
            Some(other) => wrong_type(name, "type number", other, findings),
        }
    }
    let place = Place::ROOT.key("logprobs");
    match body.get("logprobs") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => {
            findings.add(&facts::LOGPROBS_FIXED, &place, &["logprobs", "false"]);
        }
        Some(Value::Null) => findings.add(&facts::SAMPLING_NULL, &place, &["logprobs", "false"]),
        Some(other) => wrong_type("logprobs", "type bool", other, findings),
    }
    if body.contains_key("top_logprobs") {
        findings.add(&facts::TOP_LOGPROBS, &Place::ROOT.key("top_logprobs"), &[]);
    }
}

fn wrong_type(name: &str, expected: &str, found: &Value, findings: &mut Findings) {
    let values = [name, expected, type_of(found)];
    findings.add(&facts::SAMPLING_TYPE, &Place::ROOT.key(name), &values);
}

/// Temperatures from 0 to 1 and up to five answers are accepted. Moonshot's
/// wording of these refusals is unrecorded.
fn range(body: &Object, family: Family, findings: &mut Findings) -> usize {
    let place = Place::ROOT;
    let mut temperature = field::number(body, "temperature", &place, findings);
    if let Ok(Some(value)) = temperature {
        if !(0.0..=1.0).contains(&value) {
            // Together with several answers, low ones are raised.
            let is_several = body
                .get("n")
                .and_then(Value::as_f64)
                .is_some_and(|n| n > 1.0);
            let rule = (value > 1.0 || is_several).then_some(Rule::Temperature);
            let place = place.key("temperature");
            findings.add_repaired(&facts::TEMPERATURE_RANGE, &place, &[], rule);
            temperature = Err(field::Reported);
        }
    }
    let place = place.key("n");
    let Ok(n) = field::number(body, "n", &Place::ROOT, findings) else {
        return 1;
    };
    let n = n.unwrap_or(1.0);
    if n.fract() != 0.0 || !(1.0..=5.0).contains(&n) {
        findings.add(&facts::N_RANGE, &place, &[]);
        return 1;
    }
    if n > 1.0 {
        match temperature {
            Ok(Some(temperature)) if temperature < LEAST_FOR_SEVERAL => {
                findings.add(&facts::N_COLD, &place, &[]);
            }
            // The default temperature of moonshot-v1 is documented as 0.
            Ok(None) if family == Family::V1 => {
                findings.add(&facts::N_COLD_DEFAULT, &place, &[]);
            }
            _ => {}
        }
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an integer between 1 and 5"
    )]
    let n = n as usize;
    n
}
