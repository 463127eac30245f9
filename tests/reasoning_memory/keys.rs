//! Keys: the same for all spellings of a conversation, and for no two conversations.
//!
//! `PROPTEST_CASES` overrides the number of cases.

#[path = "../spelling/mod.rs"]
mod spelling;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    harness::{EVENTS, JSON, Script, chat, chunk, exchange, layer, response, stream},
    oracle::conversation,
};

/// This many cases, unless the environment says otherwise.
fn cases(number: u32) -> ProptestConfig {
    ProptestConfig {
        cases: match std::env::var("PROPTEST_CASES") {
            Ok(cases) => cases.parse().unwrap(),
            Err(_) => number,
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Few words, so that many messages say the same in other ways.
fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        " ",
        "a",
        "b",
        "a b",
        " a",
        "a\n",
        "\u{3000}a ",
        "é🌕\"\\",
        "{\"a\":1}",
    ])
    .prop_map(str::to_owned)
}

fn arguments() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(""),
        json!(" "),
        json!("{}"),
        json!("{ }"),
        json!({}),
        Value::Null,
        json!("{\"a\":1,\"b\":\"x\"}"),
        json!(" {\"b\" : \"\\u0078\", \"a\": 1.0}\n"),
        json!({"a": 1, "b": "x"}),
        json!("{\"a\":2,\"a\":1,\"b\":\"x\"}"),
        json!("{\"a\":\"1\",\"b\":\"x\"}"),
        json!("{\"a\":{\"c\":[0,{}],\"b\":-0.0}}"),
        json!("{\"a\":{\"b\":0,\"c\":[0e5,{}]}}"),
        json!("{\"a\":{\"b\":0,\"c\":[{},0]}}"),
        json!("{\"a\":1"),
        json!(" {\"a\":1 "),
        json!("null"),
        json!("[1]"),
        json!("\"a\""),
    ])
}

fn part() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(|text| json!({"type": "text", "text": text})),
        1 => text().prop_map(|text| json!({"text": text, "cache_control": {"type": "ephemeral"}})),
        1 => text().prop_map(|text| json!({"type": "refusal", "refusal": text})),
        1 => text().prop_map(Value::from),
        2 => prop::sample::select(vec![
            json!({"type": "image_url", "image_url": {"url": "data:a", "detail": "low"}}),
            json!({"type": "image_url", "image_url": "data:a"}),
            json!({"type": "image_url", "image_url": {"url": "data:b"}}),
            json!({"type": "video_url", "video_url": {"url": "data:a"}}),
            json!({"type": "video_url"}),
            json!({"type": "thinking", "thinking": ""}),
            json!({"type": "file", "file": {"id": 1}}),
            json!({"cache_control": 1, "type": "file", "file": {"id": 1.0}}),
            json!({}),
            json!(1),
        ]),
    ]
}

fn content() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        4 => text().prop_map(Value::from),
        3 => prop::collection::vec(part(), 0..4).prop_map(Value::from),
        1 => Just(json!(1)),
    ]
}

fn calls() -> impl Strategy<Value = Vec<Value>> {
    let name = prop::sample::select(vec!["f", "g"]);
    let call = (name, arguments(), any::<u8>()).prop_map(|(name, arguments, id)| {
        json!({"id": format!("call_{id}"), "function": {"name": name, "arguments": arguments}})
    });
    prop::collection::vec(call, 0..3)
}

fn message() -> impl Strategy<Value = Value> {
    let role = prop::sample::select(vec![
        "user",
        "user",
        "tool",
        "system",
        "developer",
        "critic",
    ]);
    prop_oneof![
        (role, content()).prop_map(|(role, content)| {
            json!({"role": role, "content": content, "tool_call_id": "x", "name": "y"})
        }),
        answer(),
    ]
}

/// A message of the assistant, without the members that it lacks.
fn answer() -> impl Strategy<Value = Value> {
    (content(), calls(), any::<bool>()).prop_map(|(content, calls, is_short)| {
        let mut message = json!({"role": "assistant", "content": content, "tool_calls": calls});
        if is_short {
            let members = message.as_object_mut().unwrap();
            members.retain(|_, value| !value.is_null() && *value != json!([]));
        }
        message
    })
}

/// The keys of a conversation, as it is spelled.
fn keys(body: &str) -> Vec<tower_moonshot::reasoning_memory::StoreKey> {
    let (layer, store) = layer();
    exchange(&layer, chat(body), response(EVENTS, Script::default()));
    store.asked()
}

/// The conversations up to each message of the assistant.
fn conversations(messages: &[Value]) -> Vec<Vec<String>> {
    (0..messages.len())
        .filter(|&at| messages[at]["role"] == "assistant")
        .map(|at| conversation(&messages[..=at]))
        .collect()
}

proptest! {
    #![proptest_config(cases(150))]

    /// Among many short conversations of few words, keys are equal exactly where the
    /// conversations are.
    #[test]
    fn keys_are_equal_where_conversations_are(
        all in prop::collection::vec(
            (prop::collection::vec(message(), 0..2), answer(), spelling::styles()), 12),
    ) {
        let mut known: Vec<(Vec<String>, tower_moonshot::reasoning_memory::StoreKey)> = Vec::new();
        for (mut messages, last, style) in all {
            messages.push(last);
            let body = json!({"model": "kimi-k3", "messages": messages});
            let keys = keys(&spelling::spell(&body, style));
            let conversations = conversations(&messages);
            prop_assert_eq!(keys.len(), conversations.len(), "{}", body);
            known.extend(conversations.into_iter().zip(keys));
        }
        for (at, (conversation, key)) in known.iter().enumerate() {
            for (other, other_key) in &known[at + 1..] {
                prop_assert_eq!(
                    conversation == other, key == other_key,
                    "{:?} and {:?}", conversation, other);
            }
        }
    }

    /// The key under which an answer is remembered is that of the message that a client
    /// makes of it.
    #[test]
    fn an_answer_is_found_as_a_message(
        before in prop::collection::vec(message(), 0..4),
        said in text(),
        calls in calls(),
        is_stream in any::<bool>(),
        style in spelling::styles(),
    ) {
        let calls: Vec<Value> = calls
            .into_iter()
            .map(|mut call| {
                let arguments = &mut call["function"]["arguments"];
                if !arguments.is_string() {
                    *arguments = json!(arguments.to_string().replace("null", ""));
                }
                call
            })
            .collect();
        let (layer, store) = layer();
        let asked = json!({"model": "kimi-k3", "messages": before});
        let body = if is_stream {
            let mut chunks = vec![chunk(0, json!({"reasoning_content": "Hm."}), None)];
            for letter in said.chars() {
                chunks.push(chunk(0, json!({"content": letter.to_string()}), None));
            }
            for (index, call) in calls.iter().enumerate() {
                let mut first = call.clone();
                first["index"] = json!(index);
                first["function"]["arguments"] = json!("");
                chunks.push(chunk(0, json!({"tool_calls": [first]}), None));
                let rest = json!({"index": index, "function": {"arguments": call["function"]["arguments"]}});
                chunks.push(chunk(0, json!({"tool_calls": [rest]}), None));
            }
            chunks.push(chunk(0, json!({}), Some("stop")));
            response(EVENTS, Script::of([stream(&chunks)]))
        } else {
            let message = json!({"content": said, "tool_calls": calls, "reasoning_content": "Hm."});
            let answer = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
            response(JSON, Script::of([spelling::spell(&answer, style)]))
        };
        exchange(&layer, chat(spelling::spell(&asked, style)), body);
        let given = store.given();
        prop_assert_eq!(given.len(), 1);
        let mut messages = before;
        messages.push(json!({"role": "assistant", "content": said, "tool_calls": calls}));
        let next = json!({"model": "kimi-k3", "messages": messages});
        let keys = keys(&spelling::spell(&next, style));
        prop_assert_eq!(keys.last(), Some(&given[0].0));
    }

    /// Arbitrary bodies and answers never panic, and pass unchanged.
    #[test]
    fn arbitrary_bytes_pass(request in any::<Vec<u8>>(), frames in any::<Vec<Vec<u8>>>()) {
        let (layer, _) = layer();
        let body = http_body_util::Full::from(request.clone());
        let asked = http::Request::post("/v1/chat/completions")
            .header("authorization", "Bearer sk-test")
            .body(body)
            .unwrap();
        let got = exchange(&layer, asked, response(EVENTS, Script::of(&frames)));
        prop_assert_eq!(got.sent.body(), &request);
        prop_assert_eq!(got.frames, frames);
    }
}
