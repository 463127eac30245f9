//! Checks `thinking` and `reasoning_effort`.

use serde_json::Value;

use super::{
    super::{
        error::type_of,
        facts,
        family::{Family, Thinks},
        finding::Findings,
        place::Place,
    },
    Object, field,
};
use crate::Rule;

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

pub(super) fn check(
    body: &Object,
    model: &str,
    family: Family,
    findings: &mut Findings,
) -> Thinking {
    let place = Place::ROOT.key("thinking");
    let thinking = match body.get("thinking") {
        None | Some(Value::Null) => None,
        Some(Value::Object(thinking)) => Some(thinking),
        Some(other) => {
            // Only booleans can mean one thing alone.
            let rule = other.is_boolean().then_some(Rule::Thinking);
            let fact = &facts::THINKING_NOT_AN_OBJECT;
            findings.add_repaired(fact, &place, &[type_of(other)], rule);
            None
        }
    };
    check_effort(body, family, thinking, findings);
    let disabled = thinking.is_some_and(|thinking| is_disabled(thinking, family, &place, findings));
    let keeps_all =
        thinking.is_some_and(|thinking| keeps_all(thinking, model, family, &place, findings));
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
    Thinking { on, preserved }
}

fn is_disabled(
    thinking: &Object,
    family: Family,
    place: &Place<'_>,
    findings: &mut Findings,
) -> bool {
    let place = place.key("type");
    match thinking.get("type") {
        None => false,
        Some(Value::String(kind)) => match kind.as_str() {
            "enabled" => false,
            "disabled" if family == Family::K27 => {
                findings.add(&facts::THINKING_DISABLED, &place, &[]);
                false
            }
            "disabled" => true,
            _ => {
                let is_known = match family {
                    Family::K3 => true,
                    Family::K28 | Family::K27 | Family::K26 | Family::K25 => kind == "adaptive",
                    _ => false,
                };
                let rule = is_known.then_some(Rule::Thinking);
                findings.add_repaired(&facts::THINKING_TYPE, &place, &[kind], rule);
                false
            }
        },
        Some(other) => {
            let rule = (family == Family::K3).then_some(Rule::Thinking);
            let fact = &facts::THINKING_TYPE_NOT_A_STRING;
            findings.add_repaired(fact, &place, &[type_of(other)], rule);
            false
        }
    }
}

fn keeps_all(
    thinking: &Object,
    model: &str,
    family: Family,
    place: &Place<'_>,
    findings: &mut Findings,
) -> bool {
    let place = place.key("keep");
    match (family, thinking.get("keep")) {
        (_, None) => false,
        (Family::K25, Some(_)) => {
            findings.add(&facts::KEEP_UNSUPPORTED, &place, &[model]);
            false
        }
        (_, Some(Value::String(keep))) if keep == "all" => true,
        (Family::K27, Some(_)) => {
            findings.add(&facts::KEEP_NOT_ALL, &place, &[]);
            false
        }
        (_, Some(Value::String(_) | Value::Null)) => false,
        (_, Some(other)) => {
            findings.add(&facts::KEEP_NOT_A_STRING, &place, &[type_of(other)]);
            false
        }
    }
}

/// K3 and K2.8 have levels of effort, in `reasoning_effort` and in
/// `thinking.effort`. The other models with fixed sampling ignore the levels (live
/// reports). For older models, only the type is known to matter.
fn check_effort(body: &Object, family: Family, thinking: Option<&Object>, findings: &mut Findings) {
    let has_levels = matches!(family, Family::K3 | Family::K28);
    if let Some(thinking) = thinking.filter(|_| has_levels) {
        let place = Place::ROOT.key("thinking");
        if let Ok(Some(effort)) = field::string(thinking, "effort", &place, findings) {
            if !is_level(effort) {
                findings.add(&facts::THINKING_EFFORT, &place.key("effort"), &[]);
            }
        }
    }
    let place = Place::ROOT.key("reasoning_effort");
    let effort = match body.get("reasoning_effort") {
        None | Some(Value::Null) => return,
        Some(Value::String(effort)) => effort.as_str(),
        Some(other) => {
            let is_known =
                family.fixes_sampling() || other.get("effort").is_some_and(Value::is_string);
            let rule = is_known.then_some(Rule::ReasoningEffort);
            let fact = &facts::EFFORT_NOT_A_STRING;
            findings.add_repaired(fact, &place, &[type_of(other)], rule);
            return;
        }
    };
    let is_refused_together = matches!(
        family,
        Family::K28 | Family::K27 | Family::K26 | Family::K25
    );
    if is_refused_together && thinking.is_some() {
        findings.add(&facts::EFFORT_BESIDE_THINKING, &place, &[]);
    }
    if has_levels && !is_level(effort) {
        findings.add(&facts::EFFORT_LEVEL, &place, &[]);
    }
    if matches!(family, Family::K27 | Family::K26 | Family::K25) && effort == "none" {
        findings.add(&facts::EFFORT_NONE, &place, &[]);
    }
}

fn is_level(effort: &str) -> bool {
    matches!(effort, "low" | "high" | "max")
}
