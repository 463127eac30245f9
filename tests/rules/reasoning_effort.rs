//! `reasoning_effort`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const EFFORT: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/reasoning_effort")];
const INSIDE: &[(Rule, &str)] = &[(Rule::ReasoningEffort, "/thinking/effort")];
const DISABLED: &[(Rule, &str)] = &[
    (Rule::ReasoningEffort, "/thinking"),
    (Rule::ReasoningEffort, "/reasoning_effort"),
];

#[test]
fn an_effort_becomes_a_level_that_the_model_has() {
    changes(&[
        (
            "minimal",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"minimal"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            EFFORT,
        ),
        (
            "none, on K3",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            EFFORT,
        ),
        (
            "medium, escaped",
            r#"{"model":"k3","messages":[],"reasoning_effort": "m\u0065dium"}"#,
            r#"{"model":"k3","messages":[],"reasoning_effort": "high"}"#,
            EFFORT,
        ),
        (
            "xhigh, on K2.8",
            r#"{"model":"kimi-for-coding","messages":[],"reasoning_effort":"xhigh"}"#,
            r#"{"model":"kimi-for-coding","messages":[],"reasoning_effort":"max"}"#,
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
            "on K3 it stays beside thinking",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"minimal"}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"low"}"#,
            EFFORT,
        ),
    ]);
    leaves_alone(&[
        (
            "low",
            r#"{"model":"kimi-k2.8-preview","messages":[],"reasoning_effort":"low"}"#,
        ),
        (
            "high, escaped",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"hi\u0067h"}"#,
        ),
        (
            "max, beside another in thinking",
            r#"{"model":"kimi-k4","messages":[],"thinking":{"type":"enabled","keep":"all","effort":"low"},"reasoning_effort":"max"}"#,
        ),
    ]);
}

#[test]
fn the_effort_in_thinking_becomes_a_level_too() {
    changes(&[
        (
            "xhigh",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled","effort":"xhigh"}}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled","effort":"max"}}"#,
            INSIDE,
        ),
        (
            "none, on K3; the key is there twice",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"effort":"max","effort":"none"}}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"effort":"low"}}"#,
            INSIDE,
        ),
        (
            "no level at all",
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled","effort":"odd"}}"#,
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled"}}"#,
            INSIDE,
        ),
        (
            "no level at all, and nothing is left",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"adaptive","effort":"odd"}}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[
                (Rule::Thinking, "/thinking/type"),
                (Rule::ReasoningEffort, "/thinking"),
            ],
        ),
        (
            "none, on K2.8 and Kimi Code's K3, beside what thinking says itself",
            r#"{"model":"k3-256k","messages":[],"thinking":{"type":"enabled","effort":"none"}}"#,
            r#"{"model":"k3-256k","messages":[],"thinking":{"type":"enabled"}}"#,
            INSIDE,
        ),
        (
            "nothing is left, so the switch of another host counts",
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"effort":"odd"},"enable_thinking":false}"#,
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"disabled"},"enable_thinking":false}"#,
            &[(Rule::ReasoningEffort, "/thinking")],
        ),
    ]);
    leaves_alone(&[
        (
            "other types",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"effort":null},"messages":[]}"#,
        ),
        (
            "K2.6 has none there",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"effort":"odd"}}"#,
        ),
    ]);
}

#[test]
fn beside_thinking_on_k2_8_the_effort_is_moved_into_it() {
    const MOVED: &[(Rule, &str)] = &[
        (Rule::ReasoningEffort, "/thinking/effort"),
        (Rule::ReasoningEffort, "/reasoning_effort"),
    ];
    changes(&[
        (
            "it has none",
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled"},"reasoning_effort":"xhigh","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled","effort":"max"},"messages":[]}"#,
            MOVED,
        ),
        (
            "it has null; the effort is in an object",
            r#"{"model":"kimi-for-coding","thinking":{"effort":null},"reasoning_effort":{"effort":"low"},"messages":[]}"#,
            r#"{"model":"kimi-for-coding","thinking":{"effort":"low"},"messages":[]}"#,
            MOVED,
        ),
        (
            "it has one",
            r#"{"model":"kimi-k2.8","thinking":{"effort":"high"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"effort":"high"},"messages":[]}"#,
            EFFORT,
        ),
        (
            "it has one that is none",
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled","effort":"odd"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled","effort":"low"},"messages":[]}"#,
            &[
                (Rule::ReasoningEffort, "/thinking/effort"),
                (Rule::ReasoningEffort, "/thinking/effort"),
                (Rule::ReasoningEffort, "/reasoning_effort"),
            ],
        ),
        (
            "it has nothing else, and is removed",
            r#"{"model":"kimi-k2.8","thinking":{"effort":"odd"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","reasoning_effort":"low","messages":[]}"#,
            &[(Rule::ReasoningEffort, "/thinking")],
        ),
        (
            "it is disabled",
            r#"{"model":"kimi-k2.8","thinking":{"type":"disabled"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"type":"disabled"},"messages":[]}"#,
            EFFORT,
        ),
        (
            "it is disabled in the way of another host",
            r#"{"model":"kimi-k2.8","enable_thinking":false,"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","enable_thinking":false,"messages":[],"thinking":{"type":"disabled"}}"#,
            &[
                (Rule::Thinking, "/thinking"),
                (Rule::ReasoningEffort, "/reasoning_effort"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "thinking is null",
            r#"{"model":"kimi-k2.8","thinking":null,"reasoning_effort":"low","messages":[]}"#,
        ),
        (
            "thinking is of another type",
            r#"{"model":"kimi-k2.8","thinking":"on","reasoning_effort":"low","messages":[]}"#,
        ),
    ]);
}

#[test]
fn no_effort_disables_thinking_where_that_is_possible() {
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
            "Kimi Code",
            r#"{"model":"kimi-for-coding","reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-for-coding","messages":[],"thinking":{"type":"disabled"}}"#,
            DISABLED,
        ),
        (
            "Kimi Code's K3",
            r#"{"model":"k3","reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"k3","messages":[],"thinking":{"type":"disabled"}}"#,
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
            "what thinking says counts more, on K2.8",
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled"},"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled"}}"#,
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
            "null, which the vendor's client sends",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{},"reasoning_effort":null}"#,
        ),
        (
            "null on K3",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":null}"#,
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
