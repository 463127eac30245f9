//! `thinking`: what a model refuses in it.
//!
//! K3 always thinks and takes no `type` (documented); K2.7 always thinks and
//! refuses `disabled` (live reports, `invalid thinking: only type=enabled is
//! allowed for this model`); K2.5 has no `keep` (live reports, `thinking.keep is
//! not supported by model "kimi-k2.5"`).

use super::{change::Place, chat::Field, draft::Draft, reasoning_effort};
use crate::{json::Value, model::ThinkingParam};

const ALWAYS_ON: &str = "thinking can't be switched on this model";
const NO_KEEP: &str = "the model has no preserved thinking";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(thinking) = draft.field(Field::Thinking).map(|found| found.value) else {
        return;
    };
    match draft.family.thinking_param {
        ThinkingParam::Any => {}
        // The effort takes all of it out.
        ThinkingParam::NoType if reasoning_effort::replaces_thinking(draft) => {}
        ThinkingParam::NoType => remove_member(draft, thinking, "type", ALWAYS_ON, true),
        ThinkingParam::NotDisabled => {
            if draft.thinking_type_is("disabled") {
                draft.remove(Field::Thinking, ALWAYS_ON);
            }
        }
        ThinkingParam::NoKeep => remove_member(draft, thinking, "keep", NO_KEEP, false),
    }
}

fn remove_member(
    draft: &mut Draft<'_>,
    thinking: Value,
    name: &'static str,
    why: &'static str,
    drop_empty: bool,
) {
    let found = draft.members(thinking, name);
    if found.is_empty() {
        return;
    }
    if drop_empty && found.len() == draft.member_count(thinking) {
        draft.remove(Field::Thinking, why);
        return;
    }
    for member in found {
        draft.edits().remove(member.span());
    }
    draft.note(Place::written(format!("/thinking/{name}")), why);
}
