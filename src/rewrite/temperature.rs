//! `temperature`, and with it `n`, on the families that have a range.
//!
//! Moonshot takes temperatures from 0 to 1 and refuses several answers (`n`
//! above 1) "close to 0 (for example 0.001)" (documented). That 0.3 is far enough
//! from 0 is LiteLLM's bound. On V1 the default temperature is 0 (documented), so
//! that several answers without a temperature are refused too (judgement).

use super::{chat::Field, draft::Draft};
use crate::{json::Kind, model::Sampling};

const AT_MOST_1: &str = "at most 1 is accepted";
const NEAR_0: &str = "several answers are refused near temperature 0";
const DEFAULT_0: &str = "several answers are refused at the default temperature, 0";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Sampling::Range { default_is_zero } = draft.family.sampling else {
        return;
    };
    let several = draft
        .field(Field::N)
        .and_then(|n| draft.number(n.value))
        .is_some_and(|n| n > 1.0);
    let temperature = draft.field(Field::Temperature).map(|found| found.value);
    match temperature.and_then(|value| draft.number(value)) {
        Some(number) if several && number < 0.3 => draft.set(Field::Temperature, "0.3", NEAR_0),
        Some(number) if number > 1.0 => draft.set(Field::Temperature, "1", AT_MOST_1),
        Some(_) => {}
        None => {
            let absent = temperature.is_none_or(|value| value.kind == Kind::Null);
            if absent && several && default_is_zero {
                draft.set(Field::Temperature, "0.3", DEFAULT_0);
            }
        }
    }
}
