//! `reasoning_effort`, and `effort` in `thinking`: a level that the model has.
//!
//! Anything but a string is refused (live reports); some clients send OpenAI's newer
//! object, `{"effort":"high"}`. Null is accepted (the vendor's client sends it).
//!
//! - K3 and K2.8 have the levels low, high and max (documented); which one is nearest
//!   is a judgement. `none` is no level: where thinking can be disabled for sure, on
//!   Kimi Code's models and K2.8, it is disabled, and on K3 the level is low
//!   (judgement).
//! - Beside `thinking`, K3 accepts an effort (vendor's suite). On K2.8 it is moved
//!   into `thinking`, where the vendor's client puts it.
//! - K2.5, K2.6 and K2.7 ignore levels, and refuse them beside `thinking` (live
//!   reports, `cannot specify both 'thinking' and 'reasoning_effort'`). On K2.5 and
//!   K2.6 `none` disables thinking (judgement); K2.7 refuses it (live reports).

use super::{change::Place, chat::Field, draft::Draft, words::ThinkingField};
use crate::{
    json::{Kind, Span, Value},
    model::{Effort, Sampling},
};

const A_STRING: &str = "the effort must be a string";
const LEVELS: &str = "the model's levels are low, high and max";
const NO_SUCH: &str = "the model has no such effort";
const NOT_BOTH: &str = "effort and thinking are refused together";
const INSIDE: &str = "beside thinking, the effort belongs into it";
const DISABLED: &str = "no effort is disabled thinking on this model";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if let Effort::Levels { none_disables, .. } = draft.family.effort {
        repair_in_thinking(draft, none_disables);
    }
    let Some(sent) = draft.given(Field::ReasoningEffort).map(|found| found.value) else {
        return;
    };
    let Some(asked) = effort(draft, sent).and_then(|effort| draft.string(effort)) else {
        if draft.family.sampling == Sampling::Fixed && sent.kind != Kind::String {
            draft.remove(Field::ReasoningEffort, A_STRING);
        }
        return;
    };
    let is_none = *asked == *b"none";
    match draft.family.effort {
        Effort::Levels {
            none_disables: true,
            ..
        }
        | Effort::Ignored {
            none_disables: true,
        } if is_none => {
            if !draft.thinking_is_given() {
                draft.disable_thinking(DISABLED);
            }
            draft.remove(Field::ReasoningEffort, NO_SUCH);
        }
        Effort::Levels {
            beside_thinking, ..
        } => match level(&asked) {
            None => draft.remove(Field::ReasoningEffort, NO_SUCH),
            Some(level) if !beside_thinking && draft.thinking_is_given() => {
                move_into_thinking(draft, level);
            }
            Some(level) => {
                if !draft.is_string(sent, level.trim_matches('"')) {
                    draft.set(Field::ReasoningEffort, level, LEVELS);
                }
            }
        },
        Effort::Ignored { .. } if is_none => draft.remove(Field::ReasoningEffort, NO_SUCH),
        Effort::Ignored { .. } if draft.thinking_is_given() => {
            draft.remove(Field::ReasoningEffort, NOT_BOTH);
        }
        Effort::Ignored { .. } | Effort::Unknown => unwrap_object(draft, sent),
    }
}

/// The effort itself: what was sent, or the `effort` in it.
fn effort(draft: &Draft<'_>, sent: Value) -> Option<Value> {
    match sent.kind {
        Kind::String => Some(sent),
        _ => draft
            .member(sent, "effort")
            .map(|effort| effort.value)
            .filter(|effort| effort.kind == Kind::String),
    }
}

/// The level for one of OpenAI's, in quotes.
fn level(asked: &[u8]) -> Option<&'static str> {
    match asked {
        b"minimal" | b"low" | b"none" => Some("\"low\""),
        b"medium" | b"high" => Some("\"high\""),
        b"xhigh" | b"max" => Some("\"max\""),
        _ => None,
    }
}

fn repair_in_thinking(draft: &mut Draft<'_>, none_disables: bool) {
    let Some(sent) = draft.thinking_member(ThinkingField::Effort) else {
        return;
    };
    let Some(asked) = draft.string(sent.value) else {
        return;
    };
    let is_none = *asked == *b"none";
    match level(&asked).filter(|_| !(is_none && none_disables)) {
        None => draft.remove_from_thinking(ThinkingField::Effort, NO_SUCH),
        Some(level) if draft.is_string(sent.value, level.trim_matches('"')) => {}
        Some(level) => draft.set_in_thinking(ThinkingField::Effort, level, LEVELS),
    }
}

/// Moves the effort into `thinking`, unless that has one or is disabled. A `thinking`
/// of a wrong type is left for Moonshot to judge.
fn move_into_thinking(draft: &mut Draft<'_>, level: &'static str) {
    if draft.thinks {
        if draft.thinking().is_none() {
            return;
        }
        let own = draft.thinking_member(ThinkingField::Effort);
        if own.is_none_or(|own| own.value.kind == Kind::Null) {
            draft.set_in_thinking(ThinkingField::Effort, level, INSIDE);
        }
    }
    draft.remove(Field::ReasoningEffort, INSIDE);
}

/// Leaves of `{"effort":"high","summary":"auto"}` only the string.
fn unwrap_object(draft: &mut Draft<'_>, sent: Value) {
    let Some(effort) = effort(draft, sent).filter(|_| sent.kind == Kind::Object) else {
        return;
    };
    draft.edits().cut(Span {
        end: effort.span.start,
        ..sent.span
    });
    draft.edits().cut(Span {
        start: effort.span.end,
        ..sent.span
    });
    draft.note(Place::Field(Field::ReasoningEffort), A_STRING);
}
