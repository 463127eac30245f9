//! `temperature`: moves temperatures into the accepted range, on models that have one.
//!
//! Moonshot accepts temperatures from 0 to 1, and refuses `n` above 1 "close to 0 (for
//! example 0.001)" (documented). LiteLLM takes 0.3 for far enough from 0. On V1 the
//! default temperature is 0 (documented), so `n` above 1 without a temperature is refused
//! too (judgement).

use super::{chat::Field, draft::Draft};
use crate::{json::Kind, model::Sampling};

const AT_MOST_1: &str = "at most 1 is accepted";
const NEAR_0: &str = "n above 1 is refused at temperatures near 0";
const DEFAULT_0: &str = "n above 1 is refused at the default temperature, 0";

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
