//! `reasoning_effort`: replaces it, and `effort` in `thinking`, by a level that the
//! model accepts, or removes it.
//!
//! Moonshot refuses any value but a string (live reports). Some clients send OpenAI's
//! newer object, `{"effort":"high"}`, of which the string is kept. Null is accepted
//! (vendor's client).
//!
//! - K3 and K2.8 accept the levels low, high and max (documented). Which one is nearest
//!   to another level is a judgement. `none` is replaced by disabled thinking on K2.8
//!   and Kimi Code's K3, where that takes effect, and by `low` on K3 (judgement).
//! - K3 accepts an effort beside `thinking` (vendor's suite). On K2.8 the effort is
//!   moved into `thinking`, where the vendor's client puts it.
//! - K2.5, K2.6 and K2.7 ignore levels, and refuse them beside `thinking` (live
//!   reports, `cannot specify both 'thinking' and 'reasoning_effort'`). On K2.5 and
//!   K2.6, `none` is replaced by disabled thinking (judgement). K2.7 refuses it (live
//!   reports).

use super::{change::Place, chat::Field, draft::Draft, keys::ThinkingField};
use crate::{
    json::{Kind, Span, Value},
    model::{Effort, Sampling},
};

const A_STRING: &str = "reasoning_effort must be a string";
const LEVELS: &str = "the accepted levels are low, high and max";
const NO_NONE: &str = "the model always thinks and refuses the level none";
const NOT_BOTH: &str = "reasoning_effort is refused beside thinking";
const INSIDE: &str = "beside thinking, the effort belongs in thinking.effort";
const DISABLED: &str = "the effort none means disabled thinking";

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
            let why = match draft.family.effort {
                Effort::Levels { .. } => LEVELS,
                Effort::Ignored { .. } | Effort::Unknown => NOT_BOTH,
            };
            draft.remove(Field::ReasoningEffort, why);
        }
        Effort::Levels {
            beside_thinking, ..
        } => match level(&asked) {
            None => draft.remove(Field::ReasoningEffort, LEVELS),
            Some(level) if !beside_thinking && draft.thinking_is_given() => {
                move_into_thinking(draft, level);
            }
            Some(level) => {
                if !draft.is_string(sent, level.trim_matches('"')) {
                    draft.set(Field::ReasoningEffort, level, LEVELS);
                }
            }
        },
        Effort::Ignored { .. } if is_none => draft.remove(Field::ReasoningEffort, NO_NONE),
        Effort::Ignored { .. } if draft.thinking_is_given() => {
            draft.remove(Field::ReasoningEffort, NOT_BOTH);
        }
        Effort::Ignored { .. } | Effort::Unknown => unwrap_object(draft, sent),
    }
}

/// The effort itself: the string that was sent, or the `effort` of an object.
fn effort(draft: &Draft<'_>, sent: Value) -> Option<Value> {
    match sent.kind {
        Kind::String => Some(sent),
        _ => draft
            .member(sent, "effort")
            .map(|effort| effort.value)
            .filter(|effort| effort.kind == Kind::String),
    }
}

/// The quoted level that replaces one of OpenAI's levels.
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
        None => draft.remove_from_thinking(ThinkingField::Effort, LEVELS),
        Some(level) if draft.is_string(sent.value, level.trim_matches('"')) => {}
        Some(level) => draft.set_in_thinking(ThinkingField::Effort, level, LEVELS),
    }
}

/// Moves the effort into `thinking`, unless `thinking` has one or is disabled.
fn move_into_thinking(draft: &mut Draft<'_>, level: &'static str) {
    let own = draft.thinking_member(ThinkingField::Effort);
    if draft.thinks && own.is_none_or(|own| own.value.kind == Kind::Null) {
        draft.set_in_thinking(ThinkingField::Effort, level, INSIDE);
    }
    draft.remove(Field::ReasoningEffort, INSIDE);
}

/// Replaces an object such as `{"effort":"high","summary":"auto"}` by its effort.
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
