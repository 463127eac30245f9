//! The rule `thinking`.

use tower_moonshot::Rule;

use super::{changes, leaves_alone};

const ON_OR_OFF: &str = "thinking.type must be enabled or disabled";
const NO_KEEP: &str = "the model does not support thinking.keep";
const ALWAYS_ON: &str = "the model always thinks; only type enabled is accepted";
const ONLY_ALL: &str = "only all is accepted in thinking.keep";
const AN_OBJECT: &str = "thinking must be an object";
const IGNORED: &str = "Moonshot ignores other hosts' switches for thinking";

#[test]
fn a_type_that_the_model_refuses_is_removed_or_replaced() {
    changes(&[
        (
            "K3, no other member is left",
            r#"{"model":"kimi-k3","thinking":{"type":"adaptive"},"messages":[]}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", ON_OR_OFF)],
        ),
        (
            "K3, keep stays",
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "type": "auto", "keep": "all" }}"#,
            r#"{"model":"kimi-k3","messages":[],"thinking":{ "keep": "all" }}"#,
            &[(Rule::Thinking, "/thinking/type", ON_OR_OFF)],
        ),
        (
            "K3, the type is last, escaped and repeated",
            r#"{"model":"k3","messages":[],"thinking":{"type":"enabled","effort":"low","ty\u0070e":"on"}}"#,
            r#"{"model":"k3","messages":[],"thinking":{"effort":"low"}}"#,
            &[(Rule::Thinking, "/thinking/type", ON_OR_OFF)],
        ),
        (
            "K2.6",
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"budget_tokens":9, "type" : "adaptive"}}"#,
            r#"{"model":"kimi-k2.6","messages":[],"thinking":{"budget_tokens":9, "type" : "enabled"}}"#,
            &[(Rule::Thinking, "/thinking/type", ON_OR_OFF)],
        ),
        (
            "K2.5, a repeated key, and a keep",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"disabled","keep":"all","type":"adaptive"}}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled"}}"#,
            &[
                (Rule::Thinking, "/thinking/type", ON_OR_OFF),
                (Rule::Thinking, "/thinking/keep", NO_KEEP),
            ],
        ),
        (
            "Kimi Code",
            r#"{"model":"kimi-for-coding","messages":[],"thinking":{"type":"adaptive"}}"#,
            r#"{"model":"kimi-for-coding","messages":[],"thinking":{"type":"enabled"}}"#,
            &[(Rule::Thinking, "/thinking/type", ON_OR_OFF)],
        ),
        (
            "K2.7 always thinks",
            r#"{"model":"kimi-k2.7-code","messages":[],"thinking":{"type":"adaptive"}}"#,
            r#"{"model":"kimi-k2.7-code","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", ALWAYS_ON)],
        ),
        (
            "K2.7, disabled",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"disabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", ALWAYS_ON)],
        ),
    ]);
    leaves_alone(&[
        (
            "K3, enabled",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":"enabled","keep":"all","effort":"high"}}"#,
        ),
        (
            "K3, disabled",
            r#"{"model":"kimi-k4","messages":[],"thinking":{ "type" : "dis\u0061bled" }}"#,
        ),
        (
            "K3, keep",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"keep":"none"}}"#,
        ),
        (
            "K3, empty",
            r#"{"model":"kimi-k3","messages":[],"thinking":{}}"#,
        ),
        (
            "K3, a type that is no string",
            r#"{"model":"kimi-k3","messages":[],"thinking":{"type":null}}"#,
        ),
        (
            "K2.8, disabled",
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
fn a_keep_that_the_model_refuses_is_removed() {
    changes(&[
        (
            "K2.5 refuses any keep",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled","keep":"all"}}"#,
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{"type":"enabled"}}"#,
            &[(Rule::Thinking, "/thinking/keep", NO_KEEP)],
        ),
        (
            "K2.5, no other member is left",
            r#"{"model":"kimi-k2.5","messages":[],"thinking":{ "keep":null }}"#,
            r#"{"model":"kimi-k2.5","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", NO_KEEP)],
        ),
        (
            "K2.7 only accepts all",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"keep":"none","type":"enabled"}}"#,
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"type":"enabled"}}"#,
            &[(Rule::Thinking, "/thinking/keep", ONLY_ALL)],
        ),
        (
            "K2.7, a keep of another type, and no other member is left",
            r#"{"model":"kimi-k2.7","messages":[],"thinking":{"keep":false}}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", ONLY_ALL)],
        ),
    ]);
    leaves_alone(&[
        (
            "K2.7, all",
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
fn a_boolean_is_replaced_by_an_object_or_removed() {
    changes(&[
        (
            "true is the default",
            r#"{"model":"kimi-k2.6","thinking":true,"messages":[]}"#,
            r#"{"model":"kimi-k2.6","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", AN_OBJECT)],
        ),
        (
            "true on K3",
            r#"{"model":"kimi-k3","messages":[],"thinking":true}"#,
            r#"{"model":"kimi-k3","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", AN_OBJECT)],
        ),
        (
            "false where thinking can be disabled; later rules see it disabled",
            r#"{"model":"kimi-k2.5","thinking": false ,"messages":[],"temperature":1}"#,
            r#"{"model":"kimi-k2.5","thinking": {"type":"disabled"} ,"messages":[]}"#,
            &[
                (Rule::Thinking, "/thinking", AN_OBJECT),
                (
                    Rule::Sampling,
                    "/temperature",
                    "only 0.6 is accepted while thinking is disabled",
                ),
            ],
        ),
        (
            "false on K3",
            r#"{"model":"kimi-k3","thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k3","thinking":{"type":"disabled"},"messages":[]}"#,
            &[(Rule::Thinking, "/thinking", AN_OBJECT)],
        ),
        (
            "false where thinking can't be disabled",
            r#"{"model":"kimi-k2.7","thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k2.7","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", AN_OBJECT)],
        ),
        (
            "false on an unknown model",
            r#"{"model":"gpt-4o","thinking":false,"messages":[]}"#,
            r#"{"model":"gpt-4o","messages":[]}"#,
            &[(Rule::Thinking, "/thinking", AN_OBJECT)],
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
fn the_switches_of_other_hosts_are_translated() {
    changes(&[
        (
            "enable_thinking",
            r#"{"model":"kimi-k2.6","enable_thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k2.6","enable_thinking":false,"messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Thinking, "/thinking", IGNORED)],
        ),
        (
            "a repeated member of chat_template_kwargs; thinking is null",
            r#"{"model":"kimi-k2.5","thinking":null,"chat_template_kwargs":{"thinking":true,"thinking":false},"messages":[]}"#,
            r#"{"model":"kimi-k2.5","thinking":{"type":"disabled"},"chat_template_kwargs":{"thinking":true,"thinking":false},"messages":[]}"#,
            &[(Rule::Thinking, "/thinking", IGNORED)],
        ),
        (
            "another member of chat_template_kwargs",
            r#"{"model":"kimi-for-coding","chat_template_kwargs":{"a":1,"enable_thinking": false},"messages":[]}"#,
            r#"{"model":"kimi-for-coding","chat_template_kwargs":{"a":1,"enable_thinking": false},"messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Thinking, "/thinking", IGNORED)],
        ),
        (
            "all members of thinking are removed",
            r#"{"model":"kimi-k2.5","thinking":{"keep":"all"},"enable_thinking":false,"messages":[]}"#,
            r#"{"model":"kimi-k2.5","thinking":{"type":"disabled"},"enable_thinking":false,"messages":[]}"#,
            &[(Rule::Thinking, "/thinking", IGNORED)],
        ),
        (
            "reasoning that is not enabled",
            r#"{"model":"kimi-k2.8","reasoning":{"enabled":false},"messages":[]}"#,
            r#"{"model":"kimi-k2.8","reasoning":{"enabled":false},"messages":[],"thinking":{"type":"disabled"}}"#,
            &[(Rule::Thinking, "/thinking", IGNORED)],
        ),
        (
            "reasoning with the effort none; later rules see thinking disabled",
            r#"{"model":"kimi-k2.6","reasoning":{"effort":"none"},"messages":[],"temperature":0.6,"reasoning_effort":"high"}"#,
            r#"{"model":"kimi-k2.6","reasoning":{"effort":"none"},"messages":[],"temperature":0.6,"thinking":{"type":"disabled"}}"#,
            &[
                (Rule::Thinking, "/thinking", IGNORED),
                (
                    Rule::ReasoningEffort,
                    "/reasoning_effort",
                    "reasoning_effort is refused beside thinking",
                ),
            ],
        ),
    ]);
    leaves_alone(&[
        (
            "switches that enable thinking",
            r#"{"model":"kimi-k2.6","enable_thinking":true,"chat_template_kwargs":{"thinking":true},"reasoning":{"effort":"low"},"messages":[]}"#,
        ),
        (
            "switches of other types",
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
            "K3, where it is disputed whether thinking can be disabled",
            r#"{"model":"kimi-k3","enable_thinking":false,"messages":[]}"#,
        ),
        (
            "V1 doesn't think",
            r#"{"model":"moonshot-v1-8k","enable_thinking":false,"messages":[]}"#,
        ),
    ]);
}
