//! Chat requests such as clients send them, and such as none should.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};
use tower_moonshot::{NPolicy, Rule, ToolChoicePolicy};

use crate::reference::Reference;

type Values = BoxedStrategy<Value>;

/// One of these; what stands twice comes twice as often.
fn pick(from: Value) -> Values {
    select(from.as_array().cloned().unwrap_or_default()).boxed()
}

/// An object with each of these members in so many percent of all cases.
fn object(members: Vec<(&'static str, u32, Values)>) -> Values {
    let members: Vec<_> = members
        .into_iter()
        .map(|(key, percent, value)| {
            prop_oneof![
                100 - percent => Just(None),
                percent => value.prop_map(move |value| Some((key.to_owned(), value))),
            ]
        })
        .collect();
    members
        .prop_map(|members| members.into_iter().flatten().collect())
        .boxed()
}

fn array(item: Values, longest: usize) -> Values {
    vec(item, 0..=longest).prop_map(Value::from).boxed()
}

fn models() -> Values {
    pick(json!([
        "kimi-k3",
        "kimi-k3.1-pro",
        "k3",
        "kimi-k4-preview",
        "moonshot/kimi-k3",
        "kimi-k2.7",
        "kimi-for-coding",
        "kimi-k2.8-highspeed",
        "Kimi-K2.7",
        "kimi-k2.6",
        "kimi-k2.6",
        "moonshotai/Kimi-K2.6",
        "moonshot/moonshotai/kimi-k2.6-0905",
        "kimi-k2.5",
        "kimi-k2.5",
        "MOONSHOT/kimi-k2.5-preview",
        "kimi-k2-thinking",
        "kimi-k2-thinking-turbo",
        "kimi-k2-0905-preview",
        "kimi-k2-turbo-preview",
        "moonshot-v1-8k",
        "moonshot/moonshot-v1-auto",
        "kimi-latest",
        "kimi-thinking-preview",
        "gpt-4o",
        "moonshot",
        "moonshot/",
        "kimi-k",
        "openai/kimi-k3",
        "月之暗面",
        "",
        null,
        3,
        "fast",
        "moonshot/fast",
        "moonshot/odd",
    ]))
}

fn texts() -> Values {
    pick(json!([
        "",
        "",
        " ",
        "Hi",
        "two\nlines",
        "é 你好 😀",
        "\"quoted\" \\ /",
        "\u{0}\u{1f}\u{7f}",
        "text that is longer than thirty-two bytes, so that it takes two looks",
    ]))
}

fn parts(only_text: bool) -> Values {
    let text = object(vec![
        ("type", 100, pick(json!(["text"]))),
        ("text", 100, texts()),
        ("cache_control", 10, pick(json!([{"type": "ephemeral"}]))),
    ]);
    let refusal = object(vec![
        ("type", 100, pick(json!(["refusal"]))),
        ("refusal", 100, texts()),
    ]);
    let other = pick(json!([
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "video_url", "video_url": {"url": "ms://file-1"}},
        {"type": "text"}, {"type": "text", "text": null}, {"type": "text", "refusal": ""},
        {"type": "refusal", "text": "x"}, {"type": "Text", "text": ""}, {"text": "a"},
        {}, "", "x", null, 5, [],
    ]));
    let others = if only_text { 0 } else { 3 };
    prop_oneof![8 => text, 1 => refusal, others => other].boxed()
}

fn ids() -> Values {
    let long = "a".repeat(64);
    pick(json!([
        "call_1",
        "call_1",
        "call-2",
        "call 1",
        "call.1",
        "call.1",
        "call_1_2",
        "functions.f:0",
        "",
        "call",
        "é",
        "你好",
        "_",
        "__",
        long,
        format!("{long}b"),
        format!("{long}."),
        null,
        7,
    ]))
}

fn calls() -> Values {
    let call = object(vec![
        ("id", 95, ids()),
        ("type", 90, pick(json!(["function"]))),
        (
            "function",
            90,
            pick(json!([{"name": "f", "arguments": "{\"id\": \"a b\"}"}])),
        ),
    ]);
    prop_oneof![
        6 => array(call, 3),
        1 => pick(json!([null, [], ["x"], {}, {"id": "a b"}, "x", true])),
    ]
    .boxed()
}

fn messages(only_text: bool) -> Values {
    let reasoning = || {
        pick(json!([
            null,
            "",
            "",
            " ",
            "thought \"twice\"",
            "想",
            4,
            [],
            {}
        ]))
    };
    let message = object(vec![
        (
            "role",
            98,
            pick(json!([
                "user",
                "user",
                "user",
                "assistant",
                "assistant",
                "assistant",
                "assistant",
                "system",
                "developer",
                "developer",
                "tool",
                "critic",
                null,
                5,
            ])),
        ),
        (
            "content",
            88,
            prop_oneof![
                4 => texts(),
                4 => array(parts(only_text), 4),
                1 => pick(json!([null, null, 0, {}, {"type": "text", "text": ""}])),
            ]
            .boxed(),
        ),
        ("tool_calls", 30, calls()),
        ("tool_call_id", 20, ids()),
        ("reasoning_content", 25, reasoning()),
        ("reasoning", 25, reasoning()),
        (
            "provider_specific_fields",
            25,
            prop_oneof![
                object(vec![
                    ("reasoning_content", 80, reasoning()),
                    ("citations", 30, pick(json!([null, []]))),
                ]),
                pick(json!([null, "x", []])),
            ]
            .boxed(),
        ),
        (
            "partial",
            15,
            pick(json!([true, true, true, false, null, "true"])),
        ),
        ("name", 10, pick(json!(["bob", null]))),
    ]);
    let odd = pick(json!([null, "user", 7, []]));
    array(prop_oneof![30 => message, 1 => odd].boxed(), 5)
}

fn tools() -> Values {
    let tool = pick(json!([
        {"type": "function", "function": {"name": "f"}},
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}},
        {"type": "function", "function": {"name": "g"}},
        {"function": {"name": "g/h"}, "name": "f"},
        {"type": "builtin_function", "function": {"name": "$web_search"}},
        {"type": "function", "function": {"name": null}},
        {"type": "function", "function": "f"},
        {"name": "f"}, "f", null,
    ]));
    prop_oneof![
        8 => vec(tool, 1..5).prop_map(Value::from),
        1 => pick(json!([null, [], [], {}, "f"])),
    ]
    .boxed()
}

fn tool_choices() -> Values {
    pick(json!([
        null, "auto", "none", "required", "required", "required", "any", "function", 1, {}, [],
        {"type": "auto"}, {"type": "none"}, {"type": "required"}, {"type": "required", "name": "x"},
        {"type": "required", "function": {"name": "f"}}, {"type": "auto", "function": null},
        {"type": "function"}, {"type": "function", "function": {}}, {"type": null},
        {"type": "function", "function": {"name": "f"}},
        {"type": "function", "function": {"name": "f"}, "extra": 1},
        {"type": "function", "function": {"name": "g"}},
        {"type": "function", "function": {"name": "g/h"}},
        {"type": "function", "function": {"name": "nobody"}},
        {"type": "function", "function": {"name": null}},
    ]))
}

/// A member with one accepted value.
fn fixed(accepted: Value) -> Values {
    let accepted = Just(accepted);
    prop_oneof![
        2 => accepted,
        5 => pick(json!([null, 0, 0.0, -0.0, 0.5, 0.6, 1, 2, -1, 1e300])),
        1 => pick(json!(["1", true, false, [], {}])),
    ]
    .boxed()
}

fn temperatures() -> Values {
    let near_bounds = json!([
        null,
        0,
        -0.0,
        -1,
        0.001,
        0.29,
        0.3,
        0.31,
        0.6,
        1,
        1.001,
        1.5,
        2,
        1e300,
        "0.5",
        true,
        [0]
    ]);
    pick(near_bounds)
}

fn ns() -> Values {
    pick(json!([
        null,
        0,
        1,
        1,
        2,
        2,
        2,
        3,
        5,
        1.5,
        -1,
        1e30,
        "2",
        true,
        []
    ]))
}

/// Bodies of chat requests, and a few that are none.
pub(crate) fn requests() -> impl Strategy<Value = Value> {
    let no_messages = pick(json!([null, {}, "Hi", 5]));
    object(vec![
        ("model", 97, models()),
        (
            "messages",
            99,
            prop_oneof![30 => messages(true), 30 => messages(false), 1 => no_messages].boxed(),
        ),
        ("temperature", 40, temperatures()),
        ("n", 35, ns()),
        ("top_p", 20, fixed(json!(0.95))),
        ("presence_penalty", 15, fixed(json!(0))),
        ("frequency_penalty", 15, fixed(json!(0.0))),
        ("logprobs", 20, pick(json!([true, false, null, 1, "true"]))),
        ("top_logprobs", 20, pick(json!([0, 3, null, "3", false]))),
        ("tools", 60, tools()),
        ("tool_choice", 50, tool_choices()),
        (
            "thinking",
            40,
            pick(json!([
                {"type": "disabled"}, {"type": "disabled"}, {"type": "enabled"},
                {"type": "enabled", "keep": "all"}, {"keep": "all"}, {"keep": null},
                {"type": "disabled", "keep": "all"}, {"type": null}, {"budget": 1}, {"type": 1, "budget": 1},
                {}, null, "disabled", true, [],
            ])),
        ),
        (
            "reasoning_effort",
            40,
            pick(json!([
                "none", "none", "minimal", "low", "medium", "high", "xhigh", "max", "", "High",
                "extreme", null, 3, [], {}, true, ["high"], {"effort": 3}, {"effort": "none"},
                {"effort": "high"}, {"effort": "low", "summary": "auto"}, {"effort": "odd"},
            ])),
        ),
        ("max_tokens", 10, pick(json!([16, null]))),
        ("stop", 10, pick(json!([["a", "b"], "END"]))),
        (
            "metadata",
            10,
            pick(json!([{"temperature": 2, "messages": [{"role": "developer"}]}])),
        ),
        ("型/~\"", 10, pick(json!([{}, [], "\u{10ffff}"]))),
    ])
}

/// Settings of a layer; mostly the default ones.
pub(crate) fn settings() -> impl Strategy<Value = Reference> {
    let tool_choice = select(vec![
        ToolChoicePolicy::Nudge,
        ToolChoicePolicy::Nudge,
        ToolChoicePolicy::Auto,
        ToolChoicePolicy::DisableThinking,
    ]);
    let n = select(vec![NPolicy::Remove, NPolicy::Remove, NPolicy::Keep]);
    let off = prop_oneof![2 => Just(Vec::new()), 1 => vec(select(Rule::ALL), 1..5)];
    let aliases = select(vec![
        vec![],
        vec![
            ("fast", "kimi-k2.6"),
            ("moonshot/odd", "kimi \"k3\""),
            ("gpt-4o", "kimi-k3"),
        ],
    ]);
    (tool_choice, n, off, aliases).prop_map(|(tool_choice, n, off, aliases)| Reference {
        off,
        aliases,
        tool_choice,
        n,
    })
}
