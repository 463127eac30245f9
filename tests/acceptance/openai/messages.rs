//! Generates conversations of OpenAI's clients, and of agents that use several hosts.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{Values, object, one_of, tools};

pub(super) fn text() -> Values {
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

/// A user's content: text, sometimes with parts of other types.
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
        2 => Just(Value::Null),
    ]
    .boxed()
}

fn plain_content() -> Values {
    prop_oneof![
        8 => text(),
        4 => vec(text_part(), 0..3).prop_map(Value::from),
        1 => Just(Value::Null),
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

/// The members of an assistant message except its calls.
fn assistant(more: Vec<(&'static str, u32, Values)>) -> Values {
    let reasoning = one_of(json!([null, "", "I think.", " "]));
    let mut members = vec![
        ("role", 100, one_of(json!(["assistant"]))),
        ("content", 85, assistant_content()),
        ("refusal", 20, one_of(json!([null]))),
        ("annotations", 10, one_of(json!([[]]))),
        ("audio", 10, one_of(json!([null]))),
        ("function_call", 10, one_of(json!([null]))),
        ("name", 5, one_of(json!(["bot"]))),
        ("reasoning_content", 20, reasoning.clone()),
        ("reasoning", 15, reasoning.clone()),
        (
            "reasoning_details",
            10,
            one_of(json!([[{"type": "reasoning.text", "text": "because"}], []])),
        ),
        (
            "provider_specific_fields",
            10,
            object(vec![("reasoning_content", 60, reasoning)]),
        ),
    ];
    members.extend(more);
    object(members)
}

/// A turn of calls and their answers. Ids are those of other hosts: their own, Kimi's,
/// numbered from 0 in each turn, or missing. `|` stands for a long text.
fn tool_turn() -> BoxedStrategy<Vec<Value>> {
    let ids = select(vec![
        vec!["call_1"],
        vec!["call_a", "call_b"],
        vec!["functions.get:0", "functions.get:1"],
        vec!["functions.get:0"],
        vec!["get:12", "set:13"],
        vec!["toolu_01|fc_02"],
        vec!["a.b", "a:b", "a_b"],
        vec!["call_1", "call_1"],
        vec![""],
        vec!["", ""],
        vec!["absent", "call_1"],
        vec!["absent", "absent"],
        vec!["null"],
    ]);
    let long = "x".repeat(90);
    let unanswered = prop::bool::weighted(0.02);
    // Thoughts in content parts, as Anthropic's clients send them.
    let thought = prop::option::weighted(
        0.1,
        one_of(json!([
            {"type": "thinking", "thinking": "so", "signature": "x"},
            {"type": "reasoning", "text": "so"},
        ])),
    );
    // OpenAI's schema does not allow null in answers.
    let answer = prop_oneof![
        2 => text(),
        1 => vec(text_part(), 0..3).prop_map(Value::from),
    ];
    let order = any::<[u8; 3]>();
    (ids, assistant(vec![]), thought, answer, unanswered, order)
        .prop_map(
            move |(ids, mut message, thought, answer, unanswered, order)| {
                let with_id = |mut value: Value, key: &str, id: &str| {
                    match id {
                        "absent" => {}
                        "null" => value[key] = Value::Null,
                        id => value[key] = id.replace('|', &long).into(),
                    }
                    value
                };
                let calls = ids.iter().map(|id| {
                    let call =
                        json!({"type": "function", "function": {"name": "get", "arguments": "{}"}});
                    with_id(call, "id", id)
                });
                message["tool_calls"] = calls.collect();
                if let Some(thought) = thought {
                    let text = json!({"type": "text", "text": "Let me see."});
                    message["content"] = json!([thought, text]);
                    // Otherwise the layer would choose one of two thoughts.
                    for key in [
                        "reasoning",
                        "reasoning_content",
                        "reasoning_details",
                        "provider_specific_fields",
                    ] {
                        message.as_object_mut().unwrap().remove(key);
                    }
                }
                let mut answers: Vec<_> = ids.iter().zip(order).collect();
                answers.sort_by_key(|(_, order)| *order);
                let answers = answers
                    .into_iter()
                    .skip(usize::from(unanswered))
                    .map(|(id, _)| {
                        with_id(
                            json!({"role": "tool", "content": answer}),
                            "tool_call_id",
                            id,
                        )
                    });
                [message].into_iter().chain(answers).collect()
            },
        )
        .boxed()
}

/// A system message that declares tools in mid-conversation, which K3 accepts.
fn declaration() -> Values {
    object(vec![
        (
            "role",
            100,
            one_of(json!(["system", "system", "developer"])),
        ),
        ("content", 60, one_of(json!(["", "", null]))),
        ("tools", 100, tools::declared()),
    ])
}

pub(super) fn messages() -> Values {
    let of_role = |role: &'static str, content: Values| {
        object(vec![
            ("role", 100, one_of(json!([role]))),
            ("content", 95, content),
            ("name", 10, one_of(json!(["somebody"]))),
        ])
        .prop_map(|message| vec![message])
        .boxed()
    };
    let no_calls = one_of(json!([null, []]));
    let answer = assistant(vec![("tool_calls", 20, no_calls)]);
    let turn = prop_oneof![
        50 => of_role("user", user_content()),
        10 => of_role("system", plain_content()),
        10 => of_role("developer", plain_content()),
        30 => answer.prop_map(|message| vec![message]),
        30 => tool_turn(),
        2 => declaration().prop_map(|message| vec![message]),
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
