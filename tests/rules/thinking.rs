//! `thinking`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

#[test]
fn what_a_model_refuses_in_thinking_is_taken_out() {
    const TYPE: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking/type")];
    const KEEP: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking/keep")];
    const ALL: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking")];
    changes(&[
        (
            "K3 has no type; nothing is left",
            r#"{"model":"kimi-k3","thinking":{"type":"enabled"},"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            ALL,
        ),
        (
            "K3: what is kept stays",
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "type": "enabled", "keep": "all" }}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "keep": "all" }}"#,
            TYPE,
        ),
        (
            "K3: the type is last, and twice there",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":1,"keep":"all","ty\u0070e":null}}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"}}"#,
            TYPE,
        ),
        (
            "K2.7 can't be disabled",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"disabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            ALL,
        ),
        (
            "K2.5 keeps nothing",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled"}}"#,
            KEEP,
        ),
        (
            "K2.5: nothing is left in the object",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{ "keep":null }}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{  }}"#,
            KEEP,
        ),
    ]);
    leaves_alone(&[
        (
            "K3 keeps",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"all"}}"#,
        ),
        (
            "K3, empty",
            r#"{"model":"kimi-k3","messages":[],"thinking":{}}"#,
        ),
        (
            "K2.7 is enabled",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"enabled"}}"#,
        ),
        (
            "K2.6 takes it all",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled","keep":"all"}}"#,
        ),
        (
            "no object",
            r#"{"model":"kimi-k3","messages":[],"thinking":"type"}"#,
        ),
        (
            "V1",
            r#"{"model":"moonshot-v1-8k","messages":[],"thinking":{"type":"disabled"}}"#,
        ),
    ]);
}
