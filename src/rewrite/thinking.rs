//! `thinking`: repairs what a model refuses in it, and translates other hosts' switches.
//!
//! `thinking` has to be an object (live reports, `expected type object`). Its `type` is
//! `enabled` or `disabled` (vendor's suite). Anthropic's `adaptive` means that the model
//! thinks, which is the default. K2.7 always thinks: it refuses `disabled`, and any
//! `keep` but `all` (documented). K2.5 refuses `keep` (live reports, `thinking.keep is
//! not supported by model "kimi-k2.5"`).
//!
//! Other hosts disable thinking with `enable_thinking`, `chat_template_kwargs` or
//! `reasoning`. Moonshot ignores these silently (live reports). On K2.5, K2.6 and K2.8,
//! whose thinking can be disabled, `thinking` is added with the same meaning
//! (judgement).

use super::{chat::Field, draft::Draft, keys::ThinkingField};
use crate::{
    json::Kind,
    model::{Thinking, ThinkingParam},
};

const AN_OBJECT: &str = "thinking must be an object";
const ON_OR_OFF: &str = "thinking.type must be enabled or disabled";
const ALWAYS_ON: &str = "the model always thinks; only type enabled is accepted";
const NO_KEEP: &str = "the model does not support thinking.keep";
const KEEPS_ALL: &str = "only all is accepted in thinking.keep";

pub(super) fn apply(draft: &mut Draft<'_>) {
    match draft.given(Field::Thinking).map(|given| given.value.kind) {
        None => draft.follow_other_switches(),
        Some(Kind::Object) => repair(draft),
        Some(Kind::False) if draft.family.thinking == Thinking::Switchable => {
            draft.disable_thinking(AN_OBJECT);
        }
        Some(Kind::True | Kind::False) => draft.remove_thinking(AN_OBJECT),
        Some(_) => {}
    }
}

fn repair(draft: &mut Draft<'_>) {
    let kind = draft
        .thinking_member(ThinkingField::Type)
        .and_then(|kind| draft.string(kind.value));
    let is_adaptive = kind.as_deref() == Some(b"adaptive");
    let is_disabled = kind.as_deref() == Some(b"disabled");
    match draft.family.thinking_param {
        ThinkingParam::OnOrOff => {
            if kind.is_some_and(|kind| !matches!(&*kind, b"enabled" | b"disabled")) {
                draft.remove_from_thinking(ThinkingField::Type, ON_OR_OFF);
            }
        }
        ThinkingParam::AlwaysKept if is_disabled || is_adaptive => {
            draft.remove_thinking(ALWAYS_ON);
        }
        ThinkingParam::AlwaysKept => {
            let keep = draft.thinking_member(ThinkingField::Keep);
            if keep.is_some_and(|keep| !draft.is_string(keep.value, "all")) {
                draft.remove_from_thinking(ThinkingField::Keep, KEEPS_ALL);
            }
        }
        param @ (ThinkingParam::NotAdaptive | ThinkingParam::NotKept) => {
            if is_adaptive {
                draft.set_in_thinking(ThinkingField::Type, "\"enabled\"", ON_OR_OFF);
            }
            let keep = draft.thinking_member(ThinkingField::Keep);
            if param == ThinkingParam::NotKept && keep.is_some() {
                draft.remove_from_thinking(ThinkingField::Keep, NO_KEEP);
            }
        }
        ThinkingParam::Unknown => {}
    }
}
