//! The rule `reasoning_effort`.

use tower_moonshot::Rule;

use super::{Changed, changes, leaves_alone};

const LEVELS: &str = "the accepted levels are low, high and max";
const IGNORED: &str = "Moonshot ignores other hosts' switches for thinking";
const INSIDE: &str = "beside thinking, the effort belongs in thinking.effort";
const NONE_DISABLES: &str = "the effort none means disabled thinking";
const NOT_BOTH: &str = "reasoning_effort is refused beside thinking";
const A_STRING: &str = "reasoning_effort must be a string";

#[test]
fn an_effort_is_replaced_by_an_accepted_level() {
    changes(&[
        (
            "minimal",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"minimal"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
        ),
        (
            "none, on K3",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"low"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
        ),
        (
            "medium, escaped",
            r#"{"model":"k3","messages":[],"reasoning_effort": "m\u0065dium"}"#,
            r#"{"model":"k3","messages":[],"reasoning_effort": "high"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
        ),
        (
            "xhigh, on K2.8",
            r#"{"model":"kimi-for-coding","messages":[],"reasoning_effort":"xhigh"}"#,
            r#"{"model":"kimi-for-coding","messages":[],"reasoning_effort":"max"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
        ),
        (
            "an object",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":{"effort":"medium","summary":"auto"}}"#,
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":"high"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
        ),
        (
            "an unknown level",
            r#"{"model":"kimi-k3","reasoning_effort":"High","messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
        ),
        (
            "beside thinking on K3, where it stays",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"minimal"}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"},"reasoning_effort":"low"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
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
            "max, beside another level in thinking",
            r#"{"model":"kimi-k4","messages":[],"thinking":{"type":"enabled","keep":"all","effort":"low"},"reasoning_effort":"max"}"#,
        ),
    ]);
}

#[test]
fn the_effort_in_thinking_is_replaced_too() {
    changes(&[
        (
            "xhigh",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled","effort":"xhigh"}}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled","effort":"max"}}"#,
            &[(Rule::ReasoningEffort, "/thinking/effort", LEVELS)],
        ),
        (
            "none, on K3; a repeated key",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"effort":"max","effort":"none"}}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"effort":"low"}}"#,
            &[(Rule::ReasoningEffort, "/thinking/effort", LEVELS)],
        ),
        (
            "an unknown level",
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled","effort":"odd"}}"#,
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled"}}"#,
            &[(Rule::ReasoningEffort, "/thinking/effort", LEVELS)],
        ),
        (
            "an unknown level, and no other member is left",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"adaptive","effort":"odd"}}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[
                (
                    Rule::Thinking,
                    "/thinking/type",
                    "thinking.type must be enabled or disabled",
                ),
                (Rule::ReasoningEffort, "/thinking", LEVELS),
            ],
        ),
        (
            "none, on K2.8 and Kimi Code's K3, beside a type",
            r#"{"model":"k3-256k","messages":[],"thinking":{"type":"enabled","effort":"none"}}"#,
            r#"{"model":"k3-256k","messages":[],"thinking":{"type":"enabled"}}"#,
            &[(Rule::ReasoningEffort, "/thinking/effort", LEVELS)],
        ),
        (
            "no other member is left, so another host's switch is translated",
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"effort":"odd"},"enable_thinking":false}"#,
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"disabled"},"enable_thinking":false}"#,
            &[(Rule::ReasoningEffort, "/thinking", IGNORED)],
        ),
    ]);
    leaves_alone(&[
        (
            "other types",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"effort":null},"messages":[]}"#,
        ),
        (
            "K2.6, which has no effort in thinking",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"effort":"odd"}}"#,
        ),
    ]);
}

#[test]
fn on_k2_8_the_effort_is_moved_into_thinking() {
    const MOVED: &[Changed] = &[
        (Rule::ReasoningEffort, "/thinking/effort", INSIDE),
        (Rule::ReasoningEffort, "/reasoning_effort", INSIDE),
    ];
    changes(&[
        (
            "thinking has no effort",
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled"},"reasoning_effort":"xhigh","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled","effort":"max"},"messages":[]}"#,
            MOVED,
        ),
        (
            "thinking has a null effort; the effort is in an object",
            r#"{"model":"kimi-for-coding","thinking":{"effort":null},"reasoning_effort":{"effort":"low"},"messages":[]}"#,
            r#"{"model":"kimi-for-coding","thinking":{"effort":"low"},"messages":[]}"#,
            MOVED,
        ),
        (
            "thinking has an effort",
            r#"{"model":"kimi-k2.8","thinking":{"effort":"high"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"effort":"high"},"messages":[]}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", INSIDE)],
        ),
        (
            "thinking has the effort none",
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled","effort":"odd"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"type":"enabled","effort":"low"},"messages":[]}"#,
            &[
                (Rule::ReasoningEffort, "/thinking/effort", LEVELS),
                (Rule::ReasoningEffort, "/thinking/effort", INSIDE),
                (Rule::ReasoningEffort, "/reasoning_effort", INSIDE),
            ],
        ),
        (
            "thinking is removed, because it has no accepted member",
            r#"{"model":"kimi-k2.8","thinking":{"effort":"odd"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","reasoning_effort":"low","messages":[]}"#,
            &[(Rule::ReasoningEffort, "/thinking", LEVELS)],
        ),
        (
            "the effort in thinking is of another type",
            r#"{"model":"kimi-k2.8","thinking":"on","reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":"on","messages":[]}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", INSIDE)],
        ),
        (
            "thinking is disabled",
            r#"{"model":"kimi-k2.8","thinking":{"type":"disabled"},"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","thinking":{"type":"disabled"},"messages":[]}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", INSIDE)],
        ),
        (
            "thinking is disabled by another host's switch",
            r#"{"model":"kimi-k2.8","enable_thinking":false,"reasoning_effort":"low","messages":[]}"#,
            r#"{"model":"kimi-k2.8","enable_thinking":false,"messages":[],"thinking":{"type":"disabled"}}"#,
            &[
                (Rule::Thinking, "/thinking", IGNORED),
                (Rule::ReasoningEffort, "/reasoning_effort", INSIDE),
            ],
        ),
    ]);
    leaves_alone(&[(
        "thinking is null",
        r#"{"model":"kimi-k2.8","thinking":null,"reasoning_effort":"low","messages":[]}"#,
    )]);
}

#[test]
fn the_effort_none_disables_thinking_where_that_is_possible() {
    changes(&[
        (
            "K2.6",
            r#"{"model":"kimi-k2.6","reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"disabled"}}"#,
            &[
                (Rule::ReasoningEffort, "/thinking", NONE_DISABLES),
                (Rule::ReasoningEffort, "/reasoning_effort", NOT_BOTH),
            ],
        ),
        (
            "K2.5, last in an indented body",
            "{\n  \"model\": \"kimi-k2.5\",\n  \"messages\": [],\n  \"reasoning_effort\": {\"effort\": \"none\"}\n}",
            "{\n  \"model\": \"kimi-k2.5\",\n  \"messages\": [],\"thinking\":{\"type\":\"disabled\"}\n}",
            &[
                (Rule::ReasoningEffort, "/thinking", NONE_DISABLES),
                (Rule::ReasoningEffort, "/reasoning_effort", NOT_BOTH),
            ],
        ),
        (
            "Kimi Code",
            r#"{"model":"kimi-for-coding","reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-for-coding","messages":[],"thinking":{"type":"disabled"}}"#,
            &[
                (Rule::ReasoningEffort, "/thinking", NONE_DISABLES),
                (Rule::ReasoningEffort, "/reasoning_effort", LEVELS),
            ],
        ),
        (
            "Kimi Code's K3",
            r#"{"model":"k3","reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"k3","messages":[],"thinking":{"type":"disabled"}}"#,
            &[
                (Rule::ReasoningEffort, "/thinking", NONE_DISABLES),
                (Rule::ReasoningEffort, "/reasoning_effort", LEVELS),
            ],
        ),
        (
            "thinking is null",
            r#"{"model":"kimi-k2.6","thinking":null,"reasoning_effort":"none","messages":[]}"#,
            r#"{"model":"kimi-k2.6","thinking":{"type":"disabled"},"messages":[]}"#,
            &[
                (Rule::ReasoningEffort, "/thinking", NONE_DISABLES),
                (Rule::ReasoningEffort, "/reasoning_effort", NOT_BOTH),
            ],
        ),
        (
            "removed thinking is replaced in place",
            r#"{"model":"kimi-k2.8","thinking":true,"messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.8","thinking":{"type":"disabled"},"messages":[]}"#,
            &[
                (Rule::Thinking, "/thinking", "thinking must be an object"),
                (Rule::ReasoningEffort, "/thinking", NONE_DISABLES),
                (Rule::ReasoningEffort, "/reasoning_effort", LEVELS),
            ],
        ),
        (
            "thinking is given, and wins",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled"},"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled"}}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", NOT_BOTH)],
        ),
        (
            "thinking is given on K2.8, and wins",
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled"},"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.8","messages":[],"thinking":{"type":"enabled"}}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", LEVELS)],
        ),
        (
            "K2.7 always thinks",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":"none"}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[(
                Rule::ReasoningEffort,
                "/reasoning_effort",
                "the model always thinks and refuses the level none",
            )],
        ),
    ]);
}

#[test]
fn an_effort_that_is_no_string_or_beside_thinking_is_repaired() {
    changes(&[
        (
            "beside thinking",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{},"reasoning_effort":"high"}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{}}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", NOT_BOTH)],
        ),
        (
            "an object on a model that ignores it",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":{ "effort" : "h\u0069gh" }}"#,
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":"h\u0069gh"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", A_STRING)],
        ),
        (
            "an object on an unknown model; a repeated key",
            r#"{"model":"gpt-4o","messages":[],"reasoning_effort":{"effort":"low","effort":"high","summary":null}}"#,
            r#"{"model":"gpt-4o","messages":[],"reasoning_effort":"high"}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", A_STRING)],
        ),
        (
            "a number",
            r#"{"model":"kimi-k3","messages":[],"reasoning_effort":3}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", A_STRING)],
        ),
        (
            "an object without an effort",
            r#"{"model":"kimi-k2.7","messages":[],"reasoning_effort":{"effort":3}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[(Rule::ReasoningEffort, "/reasoning_effort", A_STRING)],
        ),
    ]);
    leaves_alone(&[
        (
            "a level that the model ignores",
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
