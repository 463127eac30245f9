//! Requests as OpenAI's chat schema has them: every field, every role, every kind
//! of part and tool, with the nulls that generated clients send.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

/// A model or two of every family.
pub(crate) const MODELS: &[&str] = &[
    "kimi-k3",
    "moonshot/kimi-k3.1-pro",
    "k3",
    "kimi-k2.7",
    "kimi-for-coding",
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

/// Members, each there in so many of a hundred cases.
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

fn text() -> Values {
    one_of(json!([
        "",
        "Hi",
        "Hi",
        "Two\nlines",
        "\u{6708}\u{1f315}",
        " "
    ]))
}

fn text_part() -> Values {
    object(vec![
        ("type", 100, one_of(json!(["text"]))),
        ("text", 100, text()),
        ("cache_control", 10, one_of(json!([{"type": "ephemeral"}]))),
    ])
}

/// A user's content: text, or now and then something else beside it.
fn user_content() -> Values {
    let other = one_of(json!([
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "ms://file-1"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]));
    prop_oneof![
        60 => text(),
        30 => vec(text_part(), 0..4).prop_map(Value::from),
        4 => vec(prop_oneof![3 => text_part(), 2 => other], 1..4).prop_map(Value::from),
    ]
    .boxed()
}

fn plain_content() -> Values {
    prop_oneof![
        2 => text(),
        1 => vec(text_part(), 1..3).prop_map(Value::from),
    ]
    .boxed()
}

fn assistant_content() -> Values {
    let refusal = one_of(json!([{"type": "refusal", "refusal": "No."}]));
    prop_oneof![
        4 => text(),
        2 => Just(Value::Null),
        2 => vec(prop_oneof![4 => text_part(), 1 => refusal], 0..3).prop_map(Value::from),
    ]
    .boxed()
}

/// What an assistant's message may have beside its content.
fn assistant(tool_calls: Values, calls: u32) -> Values {
    let reasoning = one_of(json!([null, "", "I think.", " "]));
    object(vec![
        ("role", 100, one_of(json!(["assistant"]))),
        ("content", 85, assistant_content()),
        ("tool_calls", calls, tool_calls),
        ("refusal", 20, one_of(json!([null]))),
        ("annotations", 10, one_of(json!([[]]))),
        ("audio", 10, one_of(json!([null]))),
        ("function_call", 10, one_of(json!([null]))),
        ("name", 5, one_of(json!(["bot"]))),
        ("reasoning_content", 20, reasoning.clone()),
        ("reasoning", 15, reasoning.clone()),
        (
            "provider_specific_fields",
            10,
            object(vec![("reasoning_content", 60, reasoning)]),
        ),
    ])
}

/// A call and its answers, in one go: ids are what other providers make them.
fn tool_turn() -> BoxedStrategy<Vec<Value>> {
    let ids = select(vec![
        vec!["call_1"],
        vec!["call_a", "call_b"],
        vec!["functions.get:0", "functions.get:1"],
        vec!["toolu_01|fc_02"],
        vec!["a.b", "a:b", "a_b"],
    ]);
    let long = "x".repeat(90);
    let unanswered = prop::bool::weighted(0.03);
    (ids, assistant(Just(Value::Null).boxed(), 0), plain_content(), unanswered)
        .prop_map(move |(ids, mut message, answer, unanswered)| {
            let ids: Vec<String> = ids.into_iter().map(|id| id.replace('|', &long)).collect();
            let calls = ids.iter().map(|id| {
                json!({"id": id, "type": "function", "function": {"name": "get", "arguments": "{}"}})
            });
            message["tool_calls"] = calls.collect();
            let answers = ids.iter().skip(usize::from(unanswered));
            let answers = answers.map(|id| {
                json!({"role": "tool", "tool_call_id": id, "content": answer})
            });
            [message].into_iter().chain(answers).collect()
        })
        .boxed()
}

fn messages() -> Values {
    let of_role = |role: &'static str, content: Values| {
        object(vec![
            ("role", 100, one_of(json!([role]))),
            ("content", 100, content),
            ("name", 10, one_of(json!(["somebody"]))),
        ])
        .prop_map(|message| vec![message])
        .boxed()
    };
    let no_calls = one_of(json!([null, []]));
    let turn = prop_oneof![
        5 => of_role("user", user_content()),
        1 => of_role("system", plain_content()),
        1 => of_role("developer", plain_content()),
        3 => assistant(no_calls, 20).prop_map(|message| vec![message]),
        3 => tool_turn(),
    ];
    let function = json!({"role": "function", "name": "get", "content": "1"});
    (
        vec(turn, 0..6),
        prop::option::weighted(0.8, of_role("user", user_content())),
        prop::option::weighted(0.01, Just(function)),
    )
        .prop_map(|(turns, last, function)| {
            let turns = turns.into_iter().flatten();
            let last = last.into_iter().flatten().chain(function);
            turns.chain(last).collect()
        })
        .boxed()
}

/// Schemas as the generators of several languages write them, a few of which
/// Moonshot takes as they are.
fn schema() -> Values {
    let nullable = json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null});
    let node = json!({"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "required": ["next"]});
    one_of(json!([
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false},
        {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}, "s": nullable}},
        {},
        {"properties": {"a": {"type": "string"}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {"a": {"enum": ["x", "y"]}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"], "default": null, "minLength": 1}}},
        {"type": "object", "properties": {"a": {"type": "string", "anyOf": [{"const": "x"}, {"const": "y"}]}}},
        {"type": "object", "properties": {"a": {"$ref": "#/definitions/A", "default": "x"}}, "definitions": {"A": {"type": "string", "default": "y"}}},
        {"$ref": "#/$defs/Node", "$defs": {"Node": node}},
        {"anyOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
        ]},
        {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
        {"type": "object", "properties": {"a": true, "b": {"type": "array", "items": [{"type": "string"}]}}, "required": ["a"]},
        {"type": "OBJECT", "properties": {"a": {"type": "STRING", "description": null}}, "required": ["b"]},
        {"type": "object", "properties": {"a": {"enum": ["x", 1, null]}, "required": {"type": "boolean"}}},
    ]))
}

fn tools() -> Values {
    let parameters = schema();
    let tool = (
        object(vec![
            ("description", 60, text()),
            ("parameters", 85, parameters),
            ("strict", 30, one_of(json!([null, true, false]))),
        ]),
        Just(()),
    )
        .prop_map(|(mut function, ())| {
            function["name"] = "f".into();
            json!({"type": "function", "function": function})
        });
    let other = one_of(json!([
        {"type": "custom", "custom": {"name": "grammar"}},
        {"type": "function", "function": {"name": "1st"}},
    ]));
    let tools = vec(tool, 0..4).prop_map(|tools| {
        let names = ["get", "set", "find_all"];
        let named = tools.into_iter().zip(names).map(|(mut tool, name)| {
            tool["function"]["name"] = name.into();
            tool
        });
        named.collect::<Vec<_>>()
    });
    (tools, prop::option::weighted(0.03, other))
        .prop_map(|(tools, other)| tools.into_iter().chain(other).collect())
        .boxed()
}

fn tool_choice() -> Values {
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    prop_oneof![
        30 => one_of(json!([null, "auto", "none", "required", "required"])),
        10 => one_of(json!([{"type": "auto"}, {"type": "none"}, {"type": "required"}])),
        20 => select(vec![named("get"), named("get"), named("set")]),
        1 => one_of(json!([{"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}])),
    ]
    .boxed()
}

fn response_format() -> Values {
    let json_schema = object(vec![
        ("name", 100, one_of(json!(["answer"]))),
        ("strict", 50, one_of(json!([null, true]))),
        ("schema", 100, schema()),
    ])
    .prop_map(|json_schema| json!({"type": "json_schema", "json_schema": json_schema}));
    prop_oneof![
        one_of(json!([{"type": "text"}, {"type": "json_object"}])),
        json_schema,
    ]
    .boxed()
}

/// A request without a `model`.
pub(crate) fn request() -> Values {
    let rare = |values: Value| one_of(values);
    let sampled = object(vec![
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
                null, "none", "minimal", "low", "medium", "high", "xhigh", "max"
            ])),
        ),
        (
            "thinking",
            20,
            one_of(json!([
                {"type": "enabled"}, {"type": "disabled"}, {"type": "enabled", "keep": "all"}, {"keep": "all"},
            ])),
        ),
    ]);
    let rest = object(vec![
        ("max_tokens", 20, rare(json!([null, 16]))),
        ("max_completion_tokens", 20, rare(json!([null, 16]))),
        ("stop", 10, rare(json!([null, "END", ["a", "b"]]))),
        ("seed", 10, rare(json!([null, 7]))),
        ("user", 10, rare(json!(["u-1"]))),
        ("store", 10, rare(json!([null, true]))),
        ("metadata", 10, rare(json!([null, {"key": "value"}]))),
        ("service_tier", 10, rare(json!([null, "auto"]))),
        ("logit_bias", 10, rare(json!([null, {"50256": -100}]))),
        ("parallel_tool_calls", 10, rare(json!([true, false]))),
        ("prompt_cache_key", 10, rare(json!(["key"]))),
        ("safety_identifier", 10, rare(json!(["id"]))),
        ("modalities", 10, rare(json!([null, ["text"]]))),
        ("prediction", 10, rare(json!([null]))),
        ("verbosity", 10, rare(json!([null, "low"]))),
        ("web_search_options", 5, rare(json!([{}]))),
        ("stream", 20, rare(json!([null, true, false]))),
        (
            "stream_options",
            10,
            rare(json!([null, {"include_usage": true}])),
        ),
        ("response_format", 20, response_format()),
    ]);
    let tooled = object(vec![
        ("messages", 100, messages()),
        (
            "tools",
            60,
            prop_oneof![9 => tools(), 1 => Just(Value::Null)].boxed(),
        ),
        ("tool_choice", 50, tool_choice()),
    ]);
    (tooled, sampled, rest)
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
