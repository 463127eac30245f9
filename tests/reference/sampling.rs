//! `temperature` on models that accept a range, `sampling` on models that accept one
//! value, and `min_completion_tokens`.

use serde_json::{Value, json};
use tower_moonshot::NPolicy;

use super::{Family, Object, Reference, get};

pub(super) fn temperature(_: &Reference, family: Family, request: &mut Object) {
    if family.is_fixed() {
        return;
    }
    let several = get(request, "n").as_f64().is_some_and(|n| n > 1.0);
    let temperature = match get(request, "temperature") {
        // The default of V1 is 0.
        Value::Null if several && family == Family::V1 => json!(0.3),
        Value::Number(number) => match number.as_f64() {
            Some(number) if several && number < 0.3 => json!(0.3),
            Some(number) if number > 1.0 => json!(1),
            _ => return,
        },
        _ => return,
    };
    request.insert("temperature".into(), temperature);
}

pub(super) fn sampling(layer: &Reference, family: Family, request: &mut Object) {
    if !family.is_fixed() {
        return;
    }
    let temperature = if family.thinks(request) { 1.0 } else { 0.6 };
    request.retain(|key, value| {
        let is = |accepted: f64| value.as_f64() == Some(accepted);
        let several = value.as_f64().is_some_and(|n| n > 1.0);
        match key.as_str() {
            "temperature" => is(temperature),
            "top_p" => is(0.95),
            "n" => is(1.0) || several && layer.n == NPolicy::Keep,
            "presence_penalty" | "frequency_penalty" => is(0.0),
            "logprobs" => *value == json!(false),
            "top_logprobs" => false,
            _ => true,
        }
    });
}

pub(super) fn min_completion_tokens(layer: &Reference, family: Family, request: &mut Object) {
    if !family.thinks(request) {
        return;
    }
    for key in ["max_tokens", "max_completion_tokens"] {
        let is_too_low = |budget: f64| budget > 0.0 && budget < layer.min_completion_tokens.into();
        if get(request, key).as_f64().is_some_and(is_too_low) {
            request.insert(key.into(), layer.min_completion_tokens.into());
        }
    }
}
