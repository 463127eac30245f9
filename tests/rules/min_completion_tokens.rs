//! The rule `min_completion_tokens`.

use tower_moonshot::Rule;

use super::{changes_with, layer, leaves_alone, leaves_alone_with};

const TOO_LOW: &str = "the budget is below the configured minimum for models that think";

#[test]
fn a_budget_that_is_too_low_for_thoughts_is_raised() {
    let layer = layer().with_min_completion_tokens(16_000);
    changes_with(
        &layer,
        &[
            (
                "an integer",
                r#"{"model":"kimi-k3","messages":[],"max_tokens":200}"#,
                r#"{"model":"kimi-k3","messages":[],"max_tokens":16000}"#,
                &[(Rule::MinCompletionTokens, "/max_tokens", TOO_LOW)],
            ),
            (
                "a fraction and an exponent",
                r#"{"model":"kimi-k2.7","max_tokens" : 15999.5 ,"max_completion_tokens":1.5E+2,"messages":[]}"#,
                r#"{"model":"kimi-k2.7","max_tokens" : 16000 ,"max_completion_tokens":16000,"messages":[]}"#,
                &[
                    (Rule::MinCompletionTokens, "/max_tokens", TOO_LOW),
                    (Rule::MinCompletionTokens, "/max_completion_tokens", TOO_LOW),
                ],
            ),
            (
                "the last of two keys wins",
                r#"{"model":"kimi-k2-thinking","max_tokens":20000,"messages":[],"max_tokens":1}"#,
                r#"{"model":"kimi-k2-thinking","messages":[],"max_tokens":16000}"#,
                &[(Rule::MinCompletionTokens, "/max_tokens", TOO_LOW)],
            ),
        ],
    );
    leaves_alone_with(
        &layer,
        &[
            (
                "enough",
                r#"{"model":"kimi-k3","messages":[],"max_tokens":1.6e4,"max_completion_tokens":16001}"#,
            ),
            ("none", r#"{"model":"kimi-k3","messages":[]}"#),
            (
                "no budget at all",
                r#"{"model":"kimi-k3","messages":[],"max_tokens":0,"max_completion_tokens":-1}"#,
            ),
            (
                "other types",
                r#"{"model":"kimi-k3","messages":[],"max_tokens":null,"max_completion_tokens":"200"}"#,
            ),
            (
                "the model doesn't think",
                r#"{"model":"moonshot-v1-8k","messages":[],"max_tokens":200}"#,
            ),
            (
                "thinking is disabled",
                r#"{"model":"kimi-k2.6","messages":[],"max_tokens":200,"thinking":{"type":"disabled"}}"#,
            ),
        ],
    );
    let low = r#"{"model":"kimi-k3","messages":[],"max_tokens":200}"#;
    leaves_alone_with(
        &layer.clone().without_rule(Rule::MinCompletionTokens),
        &[("the rule is off", low)],
    );
    leaves_alone_with(
        &layer.with_min_completion_tokens(0),
        &[("nothing is low", low)],
    );
    leaves_alone(&[("by default", low)]);
}
