//! `reasoning_effort`, and the `effort` of `thinking`.

use serde_json::Value;
use tower_moonshot::Rule;

use super::{Family, Object, Reference, disabled, get, thinking::follow_other_switches};

pub(super) fn reasoning_effort(layer: &Reference, family: Family, request: &mut Object) {
    if family.is_k3() || family == Family::K28 {
        effort_of_thinking(layer, family, request);
    }
    // Some clients send null for "not given".
    if get(request, "reasoning_effort").is_null() {
        return;
    }
    let sent = request.remove("reasoning_effort").unwrap_or_default();
    let word = match &sent {
        Value::Object(object) => get(object, "effort").as_str(),
        other => other.as_str(),
    };
    // It is removed from here on. An effort that stays is inserted again.
    let Some(word) = word.map(str::to_owned) else {
        if !family.is_fixed() {
            request.insert("reasoning_effort".into(), sent);
        }
        return;
    };
    let has_thinking = !get(request, "thinking").is_null();
    let stays = match (family, &*word) {
        (Family::K28 | Family::CodeK3 | Family::K26 | Family::K25, "none") => {
            if !has_thinking {
                request.insert("thinking".into(), disabled());
            }
            None
        }
        (Family::K3, "none") => Some("low"),
        (Family::K27, "none") => None,
        (Family::K3 | Family::CodeK3, _) => level(&word),
        (Family::K28, _) if has_thinking => {
            move_into_thinking(level(&word), request);
            None
        }
        (Family::K28, _) => level(&word),
        (Family::K27 | Family::K26 | Family::K25, _) if has_thinking => None,
        _ => Some(&*word),
    };
    if let Some(effort) = stays {
        request.insert("reasoning_effort".into(), effort.into());
    }
}

/// The nearest of the levels low, high and max.
fn level(word: &str) -> Option<&'static str> {
    match word {
        "minimal" | "low" => Some("low"),
        "medium" | "high" => Some("high"),
        "xhigh" | "max" => Some("max"),
        _ => None,
    }
}

fn effort_of_thinking(layer: &Reference, family: Family, request: &mut Object) {
    let Some(thinking) = request.get_mut("thinking").and_then(Value::as_object_mut) else {
        return;
    };
    let word = match get(thinking, "effort") {
        Value::String(word) => word.clone(),
        _ => return,
    };
    let effort = match (family, &*word) {
        (Family::K3, "none") => Some("low"),
        _ => level(&word),
    };
    match effort {
        Some(effort) => drop(thinking.insert("effort".into(), effort.into())),
        None => drop(thinking.remove("effort")),
    }
    if thinking.is_empty() {
        request.remove("thinking");
        if layer.has(Rule::Thinking) {
            follow_other_switches(family, request);
        }
    }
}

/// Moves the effort to where K2.8 expects it beside `thinking`.
fn move_into_thinking(effort: Option<&str>, request: &mut Object) {
    let Some(thinking) = request.get_mut("thinking").and_then(Value::as_object_mut) else {
        return;
    };
    let has_one = !get(thinking, "effort").is_null();
    if let Some(effort) = effort {
        if !has_one && get(thinking, "type") != "disabled" {
            thinking.insert("effort".into(), effort.into());
        }
    }
}
