//! Sampling parameters on the families that have them fixed.
//!
//! K3, K2.7, K2.6 and K2.5 accept `temperature` 1 (0.6 without thinking, and on
//! Kimi Code's ids), `top_p` 0.95, `n` 1, penalties 0 and `logprobs` false, and
//! refuse any other value (live reports, `invalid top_p: only 0.95 is allowed for
//! this model`). A parameter that would be refused goes: the accepted value is
//! the default, and it differs from model to model. What is no number at all is
//! left for Moonshot to judge.

use super::{NPolicy, chat::Field, draft::Draft};
use crate::{
    json::{Kind, Value},
    model::Sampling,
};

const FIXED: &str = "the model has it fixed";
const ONE_ANSWER: &str = "the model gives one answer only";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Sampling::Fixed {
        temperature,
        temperature_without_thinking,
    } = draft.family.sampling
    else {
        return;
    };
    let temperature = if draft.thinks {
        temperature
    } else {
        temperature_without_thinking
    };
    accept_only(draft, Field::Temperature, temperature);
    accept_only(draft, Field::TopP, 0.95);
    accept_only(draft, Field::N, 1.0);
    accept_only(draft, Field::PresencePenalty, 0.0);
    accept_only(draft, Field::FrequencyPenalty, 0.0);
    remove_if(draft, Field::Logprobs, |value| {
        matches!(value.kind, Kind::True | Kind::Null)
    });
    remove_if(draft, Field::TopLogprobs, |value| {
        matches!(value.kind, Kind::Number | Kind::Null)
    });
}

#[inline]
fn accept_only(draft: &mut Draft<'_>, field: Field, accepted: f64) {
    if let Some(sent) = draft.field(field) {
        judge(draft, field, sent.value, accepted);
    }
}

fn judge(draft: &mut Draft<'_>, field: Field, sent: Value, accepted: f64) {
    let number = draft.number(sent);
    let refused = match number {
        Some(number) => number != accepted,
        None => sent.kind == Kind::Null,
    };
    let several = field == Field::N && number.is_some_and(|n| n > 1.0);
    if refused && !(several && draft.settings.n == NPolicy::Keep) {
        draft.remove(field, if several { ONE_ANSWER } else { FIXED });
    }
}

fn remove_if(draft: &mut Draft<'_>, field: Field, refused: impl Fn(Value) -> bool) {
    if draft.field(field).is_some_and(|found| refused(found.value)) {
        draft.remove(field, FIXED);
    }
}
