//! Sampling parameters on the families that have them fixed.
//!
//! K3 and the K2 models from K2.5 on accept `temperature` 1, or 0.6 while thinking is
//! disabled, `top_p` 0.95, `n` 1, penalties 0 and `logprobs` false, and refuse any
//! other value (vendor's suite; live reports, `invalid top_p: only 0.95 is allowed for
//! this model`). A parameter that would be refused is removed, whatever its type: the
//! accepted value is the default. None is ever put in, because which one is accepted
//! has changed before (live reports).

use super::{NPolicy, chat::Field, draft::Draft};
use crate::{
    json::{Kind, Value},
    model::Sampling,
};

const TEMPERATURE: f64 = 1.0;
const TEMPERATURE_WITHOUT_THINKING: f64 = 0.6;

const FIXED: &str = "the model has it fixed";
const ONE_ANSWER: &str = "the model gives one answer only";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if draft.family.sampling != Sampling::Fixed {
        return;
    }
    let temperature = if draft.thinks {
        TEMPERATURE
    } else {
        TEMPERATURE_WITHOUT_THINKING
    };
    accept_only(draft, Field::Temperature, temperature);
    accept_only(draft, Field::TopP, 0.95);
    accept_only(draft, Field::N, 1.0);
    accept_only(draft, Field::PresencePenalty, 0.0);
    accept_only(draft, Field::FrequencyPenalty, 0.0);
    if let Some(logprobs) = draft.field(Field::Logprobs) {
        if logprobs.value.kind != Kind::False {
            draft.remove(Field::Logprobs, FIXED);
        }
    }
    draft.remove(Field::TopLogprobs, FIXED);
}

#[inline]
fn accept_only(draft: &mut Draft<'_>, field: Field, accepted: f64) {
    if let Some(sent) = draft.field(field) {
        judge(draft, field, sent.value, accepted);
    }
}

fn judge(draft: &mut Draft<'_>, field: Field, sent: Value, accepted: f64) {
    let number = draft.number(sent);
    let several = field == Field::N && number.is_some_and(|n| n > 1.0);
    if number != Some(accepted) && !(several && draft.settings.n == NPolicy::Keep) {
        draft.remove(field, if several { ONE_ANSWER } else { FIXED });
    }
}
