//! `thinking`: what each family accepts, and the switches of other hosts.

use serde_json::{Value, json};

use super::{Family, Object, Reference, disabled, get};

pub(super) fn thinking(_: &Reference, family: Family, request: &mut Object) {
    match get(request, "thinking") {
        // A boolean is refused. Thinking is enabled by default, so `true` is removed.
        Value::Bool(true) => drop(request.remove("thinking")),
        Value::Bool(false) => {
            request.remove("thinking");
            if family.can_switch_thinking() || family.is_k3() {
                request.insert("thinking".into(), disabled());
            }
        }
        Value::Object(_) => object(family, request),
        _ => {}
    }
    follow_other_switches(family, request);
}

/// Translates the switches of other hosts, if `thinking` is absent.
pub(super) fn follow_other_switches(family: Family, request: &mut Object) {
    let is_absent = get(request, "thinking").is_null();
    if is_absent && family.can_switch_thinking() && is_off_elsewhere(request) {
        request.insert("thinking".into(), disabled());
    }
}

fn object(family: Family, request: &mut Object) {
    let Some(thinking) = request.get_mut("thinking").and_then(Value::as_object_mut) else {
        return;
    };
    let was_empty = thinking.is_empty();
    let kind = get(thinking, "type").as_str().map(str::to_owned);
    match (family, kind.as_deref()) {
        (Family::K3 | Family::CodeK3, Some("enabled" | "disabled") | None) => {}
        (Family::K3 | Family::CodeK3, Some(_)) => drop(thinking.remove("type")),
        (Family::K28 | Family::K26 | Family::K25, Some("adaptive")) => {
            thinking.insert("type".into(), "enabled".into());
        }
        (Family::K27, Some("adaptive" | "disabled")) => thinking.clear(),
        _ => {}
    }
    let keeps_all = get(thinking, "keep") == "all";
    if family == Family::K25 || family == Family::K27 && !keeps_all {
        thinking.remove("keep");
    }
    // An object without members is removed, unless it was sent empty.
    if thinking.is_empty() && !was_empty {
        request.remove("thinking");
    }
}

/// Whether the switch of another host disables thinking. Moonshot ignores all of them.
fn is_off_elsewhere(request: &Object) -> bool {
    let template = get(request, "chat_template_kwargs");
    let reasoning = get(request, "reasoning");
    let off = json!(false);
    *get(request, "enable_thinking") == off
        || template["thinking"] == off
        || template["enable_thinking"] == off
        || reasoning["enabled"] == off
        || reasoning["effort"] == "none"
}
