//! Generates requests of OpenAI's chat schema: every field, role and type of part and
//! tool, with the nulls that generated clients send.

mod messages;
mod tools;

use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// One or two models of every family.
pub(crate) const MODELS: &[&str] = &[
    "kimi-k3",
    "moonshot/kimi-k3.1-pro",
    "k3",
    "k3-256k",
    "kimi-k2.7-code",
    "kimi-for-coding",
    "kimi-k2.8-preview",
    "moonshotai/Kimi-K2.6",
    "kimi-k2.5",
    "kimi-k2-thinking",
    "kimi-k2-0905-preview",
    "moonshot-v1-8k",
    "kimi-latest",
    "gpt-4o",
];

type Values = BoxedStrategy<Value>;

fn one_of(values: Value) -> Values {
    select(values.as_array().cloned().unwrap_or_default()).boxed()
}

/// An object that has each member in the given percentage of cases.
fn object(members: Vec<(&'static str, u32, Values)>) -> Values {
    let members: Vec<_> = members
        .into_iter()
        .map(|(key, percent, value)| {
            prop_oneof![
                percent => value.prop_map(move |value| Some((key.to_owned(), value))),
                100 - percent => Just(None),
            ]
        })
        .collect();
    members
        .prop_map(|members| Value::Object(members.into_iter().flatten().collect()))
        .boxed()
}

/// Parameters of sampling and thinking, in the forms of several hosts.
fn sampled() -> Values {
    object(vec![
        (
            "temperature",
            40,
            one_of(json!([null, 0, 0.2, 0.6, 0.7, 1, 1.5, 2])),
        ),
        ("top_p", 20, one_of(json!([null, 0.1, 0.95, 1]))),
        ("n", 20, one_of(json!([null, 1, 1, 2, 3, 5, 6]))),
        ("presence_penalty", 15, one_of(json!([null, 0, 0.5, -2]))),
        ("frequency_penalty", 15, one_of(json!([null, 0.0, 2]))),
        ("logprobs", 15, one_of(json!([null, false, true]))),
        ("top_logprobs", 10, one_of(json!([null, 0, 5]))),
        (
            "reasoning_effort",
            30,
            one_of(json!([
                null, "none", "minimal", "low", "medium", "high", "xhigh", "max", {"effort": "high"}
            ])),
        ),
        (
            "thinking",
            25,
            one_of(json!([
                {"type": "enabled"}, {"type": "disabled"}, {"type": "enabled", "keep": "all"}, {"keep": "all"},
                {"type": "adaptive"}, {"type": "enabled", "budget_tokens": 2048}, {"type": "enabled", "keep": null},
                {"type": "enabled", "effort": "medium"}, {"effort": "xhigh", "keep": "all"}, true, false,
            ])),
        ),
        ("enable_thinking", 5, one_of(json!([true, false]))),
        (
            "chat_template_kwargs",
            5,
            one_of(json!([{"thinking": false}, {"enable_thinking": false}, {"thinking": true}])),
        ),
        (
            "reasoning",
            5,
            one_of(json!([{"enabled": false}, {"effort": "none"}, {"effort": "high"}])),
        ),
    ])
}

/// Fields of OpenAI's schema that have no effect on the rewrite.
fn rest() -> Values {
    object(vec![
        ("max_tokens", 20, one_of(json!([null, 16]))),
        ("max_completion_tokens", 20, one_of(json!([null, 16]))),
        ("stop", 10, one_of(json!([null, "END", ["a", "b"]]))),
        ("seed", 10, one_of(json!([null, 7]))),
        ("user", 10, one_of(json!(["u-1"]))),
        ("store", 10, one_of(json!([null, true]))),
        ("metadata", 10, one_of(json!([null, {"key": "value"}]))),
        ("service_tier", 10, one_of(json!([null, "auto"]))),
        ("logit_bias", 10, one_of(json!([null, {"50256": -100}]))),
        ("parallel_tool_calls", 10, one_of(json!([true, false]))),
        ("prompt_cache_key", 10, one_of(json!(["key"]))),
        ("safety_identifier", 10, one_of(json!(["id"]))),
        ("modalities", 10, one_of(json!([null, ["text"]]))),
        ("prediction", 10, one_of(json!([null]))),
        ("verbosity", 10, one_of(json!([null, "low"]))),
        ("web_search_options", 5, one_of(json!([{}]))),
        ("stream", 20, one_of(json!([null, true, false]))),
        (
            "stream_options",
            10,
            one_of(json!([null, {"include_usage": true}])),
        ),
        ("response_format", 20, tools::response_format()),
    ])
}

/// A request without a `model`.
pub(crate) fn request() -> Values {
    let tools = prop_oneof![9 => tools::tools(), 1 => Just(Value::Null)];
    let tooled = object(vec![
        ("messages", 100, messages::messages()),
        ("tools", 60, tools.boxed()),
        ("tool_choice", 50, tools::tool_choice()),
    ]);
    (tooled, sampled(), rest())
        .prop_map(|parts| {
            let parts = [parts.0, parts.1, parts.2].into_iter();
            let members = parts.filter_map(|part| match part {
                Value::Object(members) => Some(members),
                _ => None,
            });
            Value::Object(members.flatten().collect::<Map<_, _>>())
        })
        .boxed()
}
