//! Generates messages: usual ones, those of other APIs and invalid ones.

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use super::{Values, array, object, pick, tools};

pub(super) fn texts() -> Values {
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
        ("reasoning_content", 5, pick(json!(["kept here", "", null]))),
    ]);
    let refusal = object(vec![
        ("type", 100, pick(json!(["refusal"]))),
        ("refusal", 100, texts()),
    ]);
    let thought = pick(json!([
        {"type": "thinking", "thinking": "so \"that\" is it", "signature": "x"},
        {"type": "reasoning", "text": "想"},
        {"type": "thinking", "thinking": ""},
    ]));
    let other = pick(json!([
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
        {"type": "video_url", "video_url": {"url": "ms://file-1"}},
        {"type": "text"}, {"type": "text", "text": null}, {"type": "text", "refusal": ""},
        {"type": "refusal", "text": "x"}, {"type": "Text", "text": ""}, {"text": "a"},
        {}, "", "x", null, 5, [],
    ]));
    let (thoughts, others) = if only_text { (1, 0) } else { (2, 3) };
    prop_oneof![16 => text, 2 => refusal, thoughts => thought, 2 * others => other].boxed()
}

pub(super) fn contents(only_text: bool) -> Values {
    prop_oneof![
        4 => texts(),
        4 => array(parts(only_text), 4),
        1 => pick(json!([null, null, 0, {}, {"type": "text", "text": ""}])),
    ]
    .boxed()
}

/// The members of a message that may hold thoughts.
pub(super) fn thoughts() -> Vec<(&'static str, u32, Values)> {
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
    let fields = prop_oneof![
        3 => object(vec![
            ("reasoning_content", 80, reasoning()),
            ("citations", 30, pick(json!([null, []]))),
        ]),
        1 => pick(json!([null, "x", []])),
    ];
    let details = pick(json!([
        [{"type": "reasoning.text", "text": "because"}],
        [{"type": "reasoning.text", "text": "be\n"}, {"type": "reasoning.text", "text": "cause \"x\""}],
        [{"type": "reasoning.encrypted", "data": "AA"}, {"type": "reasoning.text", "text": "a"}],
        [{"type": "reasoning.encrypted", "data": "AA"}],
        [], null, "x", {},
    ]));
    vec![
        ("reasoning_content", 25, reasoning()),
        ("reasoning", 15, reasoning()),
        ("provider_specific_fields", 15, fields.boxed()),
        ("reasoning_details", 15, details),
    ]
}

/// Ids of calls, as clients and hosts choose them.
pub(super) fn ids() -> Values {
    let long = "a".repeat(64);
    pick(json!([
        "call_1",
        "call_1",
        "call-2",
        "call 1",
        "call.1",
        "functions.f:0",
        "functions.f:0",
        "functions.f:1",
        "functions.g:0",
        "f:0",
        "",
        "",
        "é 你好",
        format!("{long}."),
        null,
        7,
    ]))
}

fn calls() -> Values {
    let call = object(vec![
        ("id", 90, ids()),
        ("type", 90, pick(json!(["function"]))),
        (
            "function",
            95,
            pick(json!([
                {"name": "f", "arguments": "{\"id\": \"a b\"}"},
                {"name": "f", "arguments": "{}"},
                {"name": "g", "arguments": "{}"},
                {"name": "é\"", "arguments": ""},
                {"arguments": "{}"},
                null,
            ])),
        ),
    ]);
    prop_oneof![
        6 => array(call, 3),
        1 => pick(json!([null, [], ["x"], {}, {"id": "a b"}, "x", true])),
    ]
    .boxed()
}

/// A message of any role with any members.
fn anything(only_text: bool) -> Values {
    let roles = pick(json!([
        "user",
        "user",
        "user",
        "assistant",
        "assistant",
        "assistant",
        "assistant",
        "assistant",
        "system",
        "system",
        "developer",
        "developer",
        "tool",
        "critic",
        null,
        5,
    ]));
    let mut members = vec![
        ("role", 98, roles),
        ("content", 88, contents(only_text)),
        ("tool_calls", 30, calls()),
        ("tool_call_id", 10, ids()),
        (
            "partial",
            15,
            pick(json!([true, true, true, false, null, "true"])),
        ),
        ("name", 10, pick(json!(["bob", null]))),
        ("tools", 3, tools::declared()),
    ];
    members.extend(thoughts());
    object(members)
}

/// A turn with calls and their answers. Answers come in any order, some are missing, and
/// some belong to no call.
fn turn(only_text: bool) -> impl Strategy<Value = Vec<Value>> {
    let call = (
        prop_oneof![
            3 => ids(),
            1 => pick(json!(["absent"])),
        ],
        pick(json!(["f", "f", "g"])),
    );
    let mut members = vec![
        ("role", 100, pick(json!(["assistant"]))),
        ("content", 80, contents(only_text)),
    ];
    members.extend(thoughts());
    let answers = prop_oneof![
        6 => Just(usize::MAX),
        1 => 0..3usize,
    ];
    (
        object(members),
        vec(call, 1..4),
        vec(any::<u64>(), 4),
        answers,
        prop::option::weighted(0.05, ids()),
    )
        .prop_map(|(mut assistant, calls, order, answered, stray)| {
            let mut answers = Vec::new();
            let mut called = Vec::new();
            for ((id, name), order) in calls.into_iter().zip(order) {
                let mut call = json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}});
                let mut answer = json!({"role": "tool", "tool_call_id": id, "content": "1"});
                if id == "absent" {
                    remove(&mut call, "id");
                    remove(&mut answer, "tool_call_id");
                }
                called.push(call);
                answers.push((order, answer));
            }
            assistant["tool_calls"] = called.into();
            answers.sort_by_key(|(order, _)| *order);
            let answers = answers.into_iter().map(|(_, answer)| answer).take(answered);
            let stray = stray.map(|id| json!({"role": "tool", "tool_call_id": id, "content": "2"}));
            [assistant].into_iter().chain(answers).chain(stray).collect()
        })
}

fn remove(object: &mut Value, key: &str) {
    object.as_object_mut().and_then(|object| object.remove(key));
}

/// A system message that declares tools.
fn declaration() -> Values {
    object(vec![
        ("role", 100, pick(json!(["system", "system", "developer"]))),
        ("content", 50, pick(json!(["", "", null, [], "x"]))),
        ("tools", 100, tools::declared()),
    ])
}

pub(super) fn messages(only_text: bool) -> Values {
    let odd = pick(json!([null, "user", 7, []]));
    let one = |message: Values| message.prop_map(|message| vec![message]);
    let turns = prop_oneof![
        60 => one(anything(only_text)),
        20 => turn(only_text),
        4 => one(declaration()),
        2 => one(odd),
    ];
    vec(turns, 0..6)
        .prop_map(|turns| turns.concat().into())
        .boxed()
}
