//! `sampling`: removes sampling parameters on models that accept only one value of each.
//!
//! K3 and the K2 models from K2.5 on accept `temperature` 1 (0.6 while thinking is
//! disabled), `top_p` 0.95, `n` 1, penalties 0 and `logprobs` false. They refuse any
//! other value (vendor's suite; live reports, `invalid top_p: only 0.95 is allowed for
//! this model`). A parameter that would be refused is removed, whatever its type. The
//! accepted value is the default, and is never inserted, because it has changed before
//! (live reports).

use super::{NPolicy, chat::Field, draft::Draft};
use crate::{
    json::{Kind, Value},
    model::Sampling,
};

const ONLY_0: &str = "only 0 is accepted";
const ONLY_1: &str = "only 1 is accepted";
const ONLY_0_95: &str = "only 0.95 is accepted";
const ONLY_0_6: &str = "only 0.6 is accepted while thinking is disabled";
const ONLY_FALSE: &str = "only false is accepted";
const NO_TOP_LOGPROBS: &str = "top_logprobs is not accepted";
const ONE_ANSWER: &str = "only 1 is accepted; one answer comes back";

pub(super) fn apply(draft: &mut Draft<'_>) {
    if draft.family.sampling != Sampling::Fixed {
        return;
    }
    if draft.thinks {
        accept_only(draft, Field::Temperature, 1.0, ONLY_1);
    } else {
        accept_only(draft, Field::Temperature, 0.6, ONLY_0_6);
    }
    accept_only(draft, Field::TopP, 0.95, ONLY_0_95);
    accept_only(draft, Field::N, 1.0, ONLY_1);
    accept_only(draft, Field::PresencePenalty, 0.0, ONLY_0);
    accept_only(draft, Field::FrequencyPenalty, 0.0, ONLY_0);
    if let Some(logprobs) = draft.field(Field::Logprobs) {
        if logprobs.value.kind != Kind::False {
            draft.remove(Field::Logprobs, ONLY_FALSE);
        }
    }
    draft.remove(Field::TopLogprobs, NO_TOP_LOGPROBS);
}

#[inline]
fn accept_only(draft: &mut Draft<'_>, field: Field, accepted: f64, why: &'static str) {
    if let Some(sent) = draft.field(field) {
        judge(draft, field, sent.value, accepted, why);
    }
}

fn judge(draft: &mut Draft<'_>, field: Field, sent: Value, accepted: f64, why: &'static str) {
    let number = draft.number(sent);
    let several = field == Field::N && number.is_some_and(|n| n > 1.0);
    if number != Some(accepted) && !(several && draft.settings.n == NPolicy::Keep) {
        draft.remove(field, if several { ONE_ANSWER } else { why });
    }
}
