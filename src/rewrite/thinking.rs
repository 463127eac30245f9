//! `thinking`: what a model refuses in it.
//!
//! K3 always thinks and takes no `type` (documented); K2.7 always thinks and
//! refuses `disabled` (live reports, `invalid thinking: only type=enabled is
//! allowed for this model`); K2.5 has no `keep` (live reports, `thinking.keep is
//! not supported by model "kimi-k2.5"`).

use super::{change::Place, chat::Field, draft::Draft, reasoning_effort};
use crate::model::ThinkingParam;

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
        ThinkingParam::NoType if draft.member(thinking, "type").is_none() => {}
        ThinkingParam::NoType if draft.has_only(thinking, "type") => {
            draft.remove(Field::Thinking, ALWAYS_ON);
        }
        ThinkingParam::NoType => {
            draft.remove_members(thinking, "type");
            draft.note(Place::ThinkingType, ALWAYS_ON);
        }
        ThinkingParam::NotDisabled => {
            if draft.thinking_type_is("disabled") {
                draft.remove(Field::Thinking, ALWAYS_ON);
            }
        }
        ThinkingParam::NoKeep => {
            if draft.member(thinking, "keep").is_some() {
                draft.remove_members(thinking, "keep");
                draft.note(Place::ThinkingKeep, NO_KEEP);
            }
        }
    }
}
