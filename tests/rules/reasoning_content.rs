//! `reasoning_content`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

#[test]
fn a_call_of_a_model_that_thinks_has_its_reasoning() {
    const REASONING: &[(Rule, &str)] = &[(Rule::ReasoningContent, "/messages/0/reasoning_content")];
    changes(&[
        (
            "there is none",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{}],"reasoning_content":" "}]}"#,
            REASONING,
        ),
        (
            "it is null",
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.7","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it is empty",
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":"","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2-thinking","messages":[{"role":"assistant","reasoning_content":" ","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it has another name",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning" : "w\u0065ll","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content" : "w\u0065ll","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it has another name, beside nothing under its own",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning":"well","reasoning_content":"","tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning_content":"well","tool_calls":[{}]}]}"#,
            REASONING,
        ),
        (
            "it is among the provider's fields, alone",
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{"reasoning_content":"well"},"tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k2.5","messages":[{"role":"assistant","provider_specific_fields":{},"tool_calls":[{}],"reasoning_content":"well"}]}"#,
            REASONING,
        ),
        (
            "it is last among the provider's fields, and null where it should be",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":null,"tool_calls":[{}],"provider_specific_fields":{"a":1, "reasoning_content":"w\/ll"}}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"w\/ll","tool_calls":[{}],"provider_specific_fields":{"a":1}}]}"#,
            REASONING,
        ),
        (
            "its other names say nothing",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{}]}]}"#,
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning":"","provider_specific_fields":{"reasoning_content":null},"tool_calls":[{}],"reasoning_content":" "}]}"#,
            REASONING,
        ),
        (
            "all is kept, so every answer needs it",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a"},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","content":"a","reasoning_content":" "},{"role":"user","content":"b"}],"thinking":{"keep":"all"}}"#,
            REASONING,
        ),
    ]);
    leaves_alone(&[
        (
            "it is there",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":"x","reasoning":"y","tool_calls":[{}]}]}"#,
        ),
        (
            "no calls",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","content":"x"},{"role":"assistant","content":"x","tool_calls":[]}]}"#,
        ),
        (
            "calls of a user",
            r#"{"model":"kimi-k3","messages":[{"role":"user","tool_calls":[{}]}]}"#,
        ),
        (
            "another type",
            r#"{"model":"kimi-k3","messages":[{"role":"assistant","reasoning_content":[],"tool_calls":[{}]}]}"#,
        ),
        (
            "thinking is disabled",
            r#"{"model":"kimi-k2.6","messages":[{"role":"assistant","reasoning":"x","tool_calls":[{}]}],"thinking":{"type":"disabled"}}"#,
        ),
        (
            "the model does not think",
            r#"{"model":"moonshot-v1-8k","messages":[{"role":"assistant","tool_calls":[{}]}]}"#,
        ),
    ]);
}
