//! `thinking`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const ALL: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking")];
const TYPE: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking/type")];
const KEEP: &[(Rule, &str)] = &[(Rule::Thinking, "/thinking/keep")];

#[test]
fn a_type_that_the_model_does_not_have_is_removed_or_replaced() {
    changes(&[
        (
            "K3: nothing is left in the object",
            r#"{"model":"kimi-k3","thinking":{"type":"adaptive"},"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            ALL,
        ),
        (
            "K3: what is kept stays",
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "type": "auto", "keep": "all" }}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "keep": "all" }}"#,
            TYPE,
        ),
        (
            "K3: the type is last, escaped, and twice there",
            r#"{"model":"k3","messages":[],"thinking":{"type":"enabled","effort":"low","ty\u0070e":"on"}}"#,
            r#"{"model":"k3","messages":[],"thinking":{"effort":"low"}}"#,
            TYPE,
        ),
        (
            "K2.6",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"budget_tokens":9, "type" : "adaptive"}}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"budget_tokens":9, "type" : "enabled"}}"#,
            TYPE,
        ),
        (
            "K2.5, with the key twice, and what it doesn't keep",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"disabled","keep":"all","type":"adaptive"}}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled"}}"#,
            &[
                (Rule::Thinking, "/thinking/type"),
                (Rule::Thinking, "/thinking/keep"),
            ],
        ),
        (
            "Kimi Code",
            r#"{"model":"kimi-for-coding","messages":[],"thinking":{"type":"adaptive"}}"#,
            r#"{"model":"kimi-for-coding","messages":[],"thinking":{"type":"enabled"}}"#,
            TYPE,
        ),
        (
            "K2.7 always thinks",
            r#"{"model":"kimi-k2.7-code","messages":[],"thinking":{"type":"adaptive"}}"#,
            r#"{"model":"kimi-k2.7-code","messages":[]}"#,
            ALL,
        ),
        (
            "K2.7 can't be disabled",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"disabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            ALL,
        ),
    ]);
    leaves_alone(&[
        (
            "K3 is enabled",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled","keep":"all","effort":"high"}}"#,
        ),
        (
            "K3 is disabled",
            r#"{"model":"kimi-k4","messages":[],"thinking":{ "type" : "dis\u0061bled" }}"#,
        ),
        (
            "K3 keeps",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"none"}}"#,
        ),
        (
            "K3, empty",
            r#"{"model":"kimi-k3","messages":[],"thinking":{}}"#,
        ),
        (
            "K3, a type of another type",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":null}}"#,
        ),
        (
            "K2.8 is disabled",
            r#"{"model":"kimi-k2.8-preview","messages":[],"thinking":{"type":"disabled"}}"#,
        ),
        (
            "K2.6, another type",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"auto"}}"#,
        ),
        (
            "V1",
            r#"{"model":"moonshot-v1-8k","messages":[],"thinking":{"type":"adaptive"}}"#,
        ),
    ]);
}

#[test]
fn what_a_model_does_not_keep_is_removed() {
    changes(&[
        (
            "K2.5 keeps nothing",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled"}}"#,
            KEEP,
        ),
        (
            "K2.5: nothing is left in the object",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{ "keep":null }}"#,
            r#"{"model":"kimi-k2.5","messages":[]}"#,
            ALL,
        ),
        (
            "K2.7 keeps all",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"keep":"none","type":"enabled"}}"#,
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"enabled"}}"#,
            KEEP,
        ),
        (
            "K2.7, of whatever type, and nothing is left in the object",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"keep":false}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            ALL,
        ),
    ]);
    leaves_alone(&[
        (
            "K2.7 keeps all anyway",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"enabled","keep":"\u0061ll"}}"#,
        ),
        (
            "K2.7, another member",
            r#"{"model":"kimi-k2.7-code","messages":[],"thinking":{"type":"enabled","budget_tokens":2048}}"#,
        ),
        (
            "K2.6",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"type":"enabled","keep":"some"}}"#,
        ),
    ]);
}

#[test]
fn a_boolean_becomes_the_object_that_means_it() {
    changes(&[
        (
            "true is the default",
            r#"{"model":"kimi-k2.6","thinking":true,"messages":[]}"#,
            r#"{"model":"kimi-k2.6","messages":[]}"#,
            ALL,
        ),
        (
            "true on K3",
            r#"{"model":"kimi-k3","messages":[],"thinking":true}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            ALL,
        ),
        (
            "false where thinking can be disabled; that is what counts from then on",
            r#"{"model":"kimi-k2.5","thinking": false ,"messages":[],"temperature":1}"#,
            r#"{"model":"kimi-k2.5","thinking": {"type":"disabled"} ,"messages":[]}"#,
            &[
                (Rule::Thinking, "/thinking"),
                (Rule::Sampling, "/temperature"),
            ],
        ),
        (
            "false on K3",
            r#"{"model":"kimi-k3","thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k3","thinking":{"type":"disabled"},"messages":[]}"#,
            ALL,
        ),
        (
            "false where it can't",
            r#"{"model":"kimi-k2.7","thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            ALL,
        ),
        (
            "false where nothing is known",
            r#"{"model":"gpt-4o","thinking":false,"messages":[]}"#,
            r#"{"model":"gpt-4o","messages":[]}"#,
            ALL,
        ),
    ]);
    leaves_alone(&[
        (
            "a string",
            r#"{"model":"kimi-k3","messages":[],"thinking":"disabled"}"#,
        ),
        (
            "an array",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":[]}"#,
        ),
        (
            "null",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":null}"#,
        ),
    ]);
}

#[test]
fn the_switches_of_other_hosts_are_followed() {
    changes(&[
        (
            "enable_thinking",
            r#"{"model":"kimi-k2.6","enable_thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k2.6","enable_thinking":false,"messages":[],"thinking":{"type":"disabled"}}"#,
            ALL,
        ),
        (
            "a member of chat_template_kwargs, twice, in the place of null",
            r#"{"model":"kimi-k2.5","thinking":null,"chat_template_kwargs":{"thinking":true,"thinking":false},"messages":[]}"#,
            r#"{"model":"kimi-k2.5","thinking":{"type":"disabled"},"chat_template_kwargs":{"thinking":true,"thinking":false},"messages":[]}"#,
            ALL,
        ),
        (
            "another member of chat_template_kwargs",
            r#"{"model":"kimi-for-coding","chat_template_kwargs":{"a":1,"enable_thinking": false},"messages":[]}"#,
            r#"{"model":"kimi-for-coding","chat_template_kwargs":{"a":1,"enable_thinking": false},"messages":[],"thinking":{"type":"disabled"}}"#,
            ALL,
        ),
        (
            "thinking of which nothing is left",
            r#"{"model":"kimi-k2.5","thinking":{"keep":"all"},"enable_thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k2.5","enable_thinking":false,"messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Thinking, "/thinking"), (Rule::Thinking, "/thinking")],
        ),
        (
            "reasoning that is not enabled",
            r#"{"model":"kimi-k2.8","reasoning":{"enabled":false},"messages":[]}"#,
            r#"{"model":"kimi-k2.8","reasoning":{"enabled":false},"messages":[],"thinking":{"type":"disabled"}}"#,
            ALL,
        ),
        (
            "reasoning without effort; the temperature and the other effort are judged by it",
            r#"{"model":"kimi-k2.6","reasoning":{"effort":"none"},"messages":[],"temperature":0.6,"reasoning_effort":"high"}"#,
            r#"{"model":"kimi-k2.6","reasoning":{"effort":"none"},"messages":[],"temperature":0.6,"thinking":{"type":"disabled"}}"#,
            &[
                (Rule::Thinking, "/thinking"),
                (Rule::ReasoningEffort, "/reasoning_effort"),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "they say on",
            r#"{"model":"kimi-k2.6","enable_thinking":true,"chat_template_kwargs":{"thinking":true},"reasoning":{"effort":"low"},"messages":[]}"#,
        ),
        (
            "they are of other types",
            r#"{"model":"kimi-k2.6","enable_thinking":"false","chat_template_kwargs":[false],"reasoning":false,"messages":[]}"#,
        ),
        (
            "thinking is given",
            r#"{"model":"kimi-k2.6","enable_thinking":false,"thinking":{"type":"enabled"},"messages":[]}"#,
        ),
        (
            "K2.7 always thinks",
            r#"{"model":"kimi-k2.7","enable_thinking":false,"messages":[]}"#,
        ),
        (
            "on K3 it is disputed whether it can be disabled",
            r#"{"model":"kimi-k3","enable_thinking":false,"messages":[]}"#,
        ),
        (
            "V1 doesn't think",
            r#"{"model":"moonshot-v1-8k","enable_thinking":false,"messages":[]}"#,
        ),
    ]);
}
