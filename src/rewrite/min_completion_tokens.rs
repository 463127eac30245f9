//! `min_completion_tokens`: raises `max_tokens` and `max_completion_tokens` of models
//! that think to a configured minimum.
//!
//! Thoughts are part of the completion: of a budget of 200 tokens, thoughts took 199
//! and no content was left (live report). Moonshot asks for at least 16 000
//! (documented). An absent budget is not added. A budget that is not a positive number
//! is left for Moonshot to judge.

use super::{chat::Field, draft::Draft};
use crate::json::Text;

const TOO_LOW: &str = "the budget is below the configured minimum for models that think";

pub(super) fn apply(draft: &mut Draft<'_>) {
    let Some(least) = draft.settings.min_completion_tokens else {
        return;
    };
    if !draft.thinks {
        return;
    }
    for field in [Field::MaxTokens, Field::MaxCompletionTokens] {
        let budget = draft
            .field(field)
            .and_then(|budget| draft.number(budget.value));
        if budget.is_some_and(|budget| budget > 0.0 && budget < f64::from(least.get())) {
            draft.set(field, Text::from(least.to_string()), TOO_LOW);
        }
    }
}
