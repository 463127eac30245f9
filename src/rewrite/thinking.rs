//! `thinking`: what a model refuses in it, and what other hosts call it.
//!
//! Moonshot accepts an object (live reports, `expected type object`). Its `type` is
//! `enabled` or `disabled` (vendor's suite); Anthropic's `adaptive` means that the
//! model thinks, which is the default. K2.7 always thinks: it refuses `disabled`, and
//! any `keep` but `all` (documented). K2.5 has no `keep` (live reports,
//! `thinking.keep is not supported by model "kimi-k2.5"`).
//!
//! What switches thinking off at other hosts (`enable_thinking`,
//! `chat_template_kwargs`, `reasoning`) is ignored by Moonshot without a word (live
//! reports). On K2.5, K2.6 and K2.8, which can do without, `thinking` is added to say
//! the same (judgement).

use super::{chat::Field, draft::Draft, words::ThinkingField};
use crate::{
    json::Kind,
    model::{Thinking, ThinkingParam},
};

const AN_OBJECT: &str = "thinking must be an object";
const ON_OR_OFF: &str = "thinking is enabled or disabled";
const ALWAYS_ON: &str = "thinking can't be switched on this model";
const NO_KEEP: &str = "the model has no preserved thinking";
const KEEPS_ALL: &str = "the model always keeps all thinking";

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
