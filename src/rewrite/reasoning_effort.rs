//! `reasoning_effort`: a level that the model has.
//!
//! Anything but a string is refused everywhere (live reports); some clients send
//! OpenAI's newer object, `{"effort":"high"}`. K3 has the levels low, high and max
//! (documented); the nearest one is a judgement. K2.6 and K2.5 ignore levels (live
//! reports), but can be told not to think, which is what `none` asks for; K2.7
//! can't, and refuses `none` (live reports). No model takes an effort beside
//! `thinking` (live reports, `cannot specify both 'thinking' and
//! 'reasoning_effort'`).

use super::{
    Rule,
    change::Place,
    chat::Field,
    draft::{Draft, NOT_BOTH},
};
use crate::{
    json::{Kind, Span, Value},
    model::{Effort, Sampling},
};

const A_STRING: &str = "the effort must be a string";
const LEVELS: &str = "the model's levels are low, high and max";
const NO_SUCH: &str = "the model has no such effort";
const DISABLED: &str = "no effort is disabled thinking on this model";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(sent) = draft.field(Field::ReasoningEffort).map(|found| found.value) else {
        return;
    };
    let effort = effort(draft, sent);
    let Some(asked) = effort.and_then(|effort| draft.string(effort)) else {
        let fixed = matches!(draft.family.sampling, Sampling::Fixed { .. });
        if fixed && sent.kind != Kind::String {
            draft.remove(Field::ReasoningEffort, A_STRING);
        }
        return;
    };
    let is_none = *asked == *b"none";
    let thinking = draft.given(Field::Thinking).is_some();
    match draft.family.effort {
        Effort::Levels => match level(&asked) {
            Some(level) => {
                if !draft.is_string(sent, level.trim_matches('"')) {
                    draft.set(Field::ReasoningEffort, level, LEVELS);
                }
                if thinking {
                    draft.remove(Field::Thinking, NOT_BOTH);
                }
            }
            None => draft.remove(Field::ReasoningEffort, NO_SUCH),
        },
        Effort::NoneDisables if is_none => {
            if !thinking {
                draft.set(Field::Thinking, "{\"type\":\"disabled\"}", DISABLED);
                draft.thinks = false;
            }
            draft.remove(Field::ReasoningEffort, NO_SUCH);
        }
        Effort::IgnoredButNone if is_none => draft.remove(Field::ReasoningEffort, NO_SUCH),
        Effort::NoneDisables | Effort::IgnoredButNone if thinking => {
            draft.remove(Field::ReasoningEffort, NOT_BOTH);
        }
        _ => unwrap_object(draft, sent),
    }
}

/// Whether this rule is on and takes `thinking` out, in favour of the effort.
pub(super) fn replaces_thinking(draft: &Draft<'_>) -> bool {
    draft.settings.is_on(Rule::ReasoningEffort)
        && draft.family.effort == Effort::Levels
        && draft
            .field(Field::ReasoningEffort)
            .and_then(|sent| effort(draft, sent.value))
            .and_then(|effort| draft.string(effort))
            .is_some_and(|asked| level(&asked).is_some())
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

/// K3's level for one of OpenAI's, in quotes.
fn level(asked: &[u8]) -> Option<&'static str> {
    match asked {
        b"minimal" | b"low" | b"none" => Some("\"low\""),
        b"medium" | b"high" => Some("\"high\""),
        b"xhigh" | b"max" => Some("\"max\""),
        _ => None,
    }
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
