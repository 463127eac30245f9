//! `reasoning_effort`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

#[test]
fn an_effort_becomes_a_level_of_k3() {
    const EFFORT: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/reasoning_effort")];
    changes(&[
        (
            "minimal",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"minimal"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            EFFORT,
        ),
        (
            "none",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            EFFORT,
        ),
        (
            "medium, escaped",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort": "m\u0065dium"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort": "high"}"#,
            EFFORT,
        ),
        (
            "xhigh",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"xhigh"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"max"}"#,
            EFFORT,
        ),
        (
            "an object",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":{"effort":"medium","summary":"auto"}}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"high"}"#,
            EFFORT,
        ),
        (
            "no level at all",
            r#"{"model":"kimi-k3","reasoning_effort":"High","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            EFFORT,
        ),
        (
            "it stays in place of thinking",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"low"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            &[(Rule::ReasoningEffort, "/thinking")],
        ),
        (
            "no level, and thinking stays",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"odd"}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"}}"#,
            EFFORT,
        ),
    ]);
    leaves_alone(&[
        (
            "low",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
        ),
        (
            "high, escaped",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"hi\u0067h"}"#,
        ),
        (
            "max",
            r#"{"model":"kimi-k4","messages":[],"reasoning_effort":"max"}"#,
        ),
    ]);
}

#[test]
fn no_effort_disables_thinking_where_that_is_possible() {
    const DISABLED: &[(Rule, &str)] = &[
        (Rule::ReasoningEffort, "/thinking"),
        (Rule::ReasoningEffort, "/reasoning_effort"),
    ];
    const EFFORT: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/reasoning_effort")];
    changes(&[
        (
            "K2.6",
            r#"{"model":"kimi-k2.6","reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"disabled"}}"#,
            DISABLED,
        ),
        (
            "K2.5, last in a pretty body",
            "{\n  \"model\": \"kimi-k2.5\",\n  \"messages\": [],\n  \"reasoning_effort\": {\"effort\": \"none\"}\n}",
            "{\n  \"model\": \"kimi-k2.5\",\n  \"messages\": [],\"thinking\":{\"type\":\"disabled\"}\n}",
            DISABLED,
        ),
        (
            "null is no thinking",
            r#"{"model":"kimi-k2.6","thinking":null,"reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-k2.6","thinking":{"type":"disabled"},"messages":[]}"#,
            DISABLED,
        ),
        (
            "what thinking says counts more",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled"},"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled"}}"#,
            EFFORT,
        ),
        (
            "K2.7 always thinks",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            EFFORT,
        ),
    ]);
}

#[test]
fn an_effort_is_a_string_and_alone() {
    const EFFORT: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/reasoning_effort")];
    changes(&[
        (
            "beside thinking",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{},"reasoning_effort":"high"}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{}}"#,
            EFFORT,
        ),
        (
            "an object on a model that ignores it",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":{ "effort" : "h\u0069gh" }}"#,
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":"h\u0069gh"}"#,
            EFFORT,
        ),
        (
            "an object on a model of which nothing is known, with the key twice",
            r#"{"model":"gpt-4o","messages":[],"reasoning_effort":{"effort":"low","effort":"high","summary":null}}"#,
            r#"{"model":"gpt-4o","messages":[],"reasoning_effort":"high"}"#,
            EFFORT,
        ),
        (
            "a number",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":3}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            EFFORT,
        ),
        (
            "null",
            r#"{"model":"kimi-k2.5","messages":[],"reasoning_effort":null}"#,
            r#"{"model":"kimi-k2.5","messages":[]}"#,
            EFFORT,
        ),
        (
            "an object without one",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":{"effort":3}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            EFFORT,
        ),
    ]);
    leaves_alone(&[
        (
            "it is ignored",
            r#"{"model":"kimi-k2.6","messages":[],"reasoning_effort":"odd"}"#,
        ),
        (
            "on V1",
            r#"{"model":"kimi-latest","messages":[],"reasoning_effort":"none"}"#,
        ),
        (
            "a number on V1",
            r#"{"model":"kimi-latest","messages":[],"reasoning_effort":3}"#,
        ),
        (
            "beside thinking on V1",
            r#"{"model":"kimi-latest","messages":[],"thinking":{},"reasoning_effort":"high"}"#,
        ),
    ]);
}
