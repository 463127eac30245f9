//! `max_tokens` and `max_completion_tokens` of models that think: at least what the
//! caller of this crate wants.
//!
//! Thoughts are part of the completion: with a budget of 200 tokens, 199 were thoughts
//! and no content was left (live report). Moonshot asks for 16 000 at least
//! (documented). A budget that is absent stays absent, and one that is no positive
//! number is left for Moonshot to judge.

use super::{chat::Field, draft::Draft};
use crate::json::Text;

const TOO_LOW: &str = "thoughts are part of the completion";

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
