//! The oracle for single answers: a slow repair of parsed values.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    generate,
    harness::{cases, json as repaired, stream},
};

fn is_truthy(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != json!("") && *value != json!({})
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What an answer is to become.
fn reference(mut answer: Value, is_stream: bool) -> Value {
    if !is_stream {
        let usage = answer["choices"]
            .as_array()
            .and_then(|choices| match &choices[..] {
                [choice] if choice["usage"].is_object() => Some(choice["usage"].clone()),
                _ => None,
            });
        if let (Some(usage), None | Some(Value::Null)) = (usage, answer.get("usage")) {
            answer["usage"] = usage;
        }
    }
    if answer["usage"]["cached_tokens"].is_number() {
        let cached = answer["usage"]["cached_tokens"].clone();
        let details = &mut answer["usage"]["prompt_tokens_details"];
        if details.is_null() {
            *details = json!({});
        }
        if details.is_object() && details["cached_tokens"].is_null() {
            details["cached_tokens"] = cached;
        }
    }
    let top = answer.clone();
    let kind = match &top["type"] {
        Value::String(kind) => kind.clone(),
        _ => "server_error".to_owned(),
    };
    let error = top.get("error").filter(|error| !error.is_null());
    match error {
        Some(error) if !is_truthy(error) => {}
        Some(Value::Object(_)) => {
            let error = &mut answer["error"];
            match error["message"].clone() {
                Value::String(_) => {}
                Value::Null => {
                    error["message"] = json!("The upstream reported an error without a message")
                }
                other => error["message"] = json!(other.to_string()),
            }
            if error["type"].is_null() {
                error["type"] = json!("server_error");
            }
        }
        Some(error) => {
            let (message, code) = match &top["message"] {
                Value::String(message) if error.is_string() => (message.clone(), error.clone()),
                Value::String(message) => (message.clone(), top["code"].clone()),
                _ => (text_of(error), top["code"].clone()),
            };
            answer["error"] =
                json!({"message": message, "type": kind, "param": null, "code": code});
        }
        None => {
            let is_one =
                top["object"] == "error" || top.get("type").is_some() || top.get("code").is_some();
            let is_chunk = top["choices"].is_array() || top.get("usage").is_some();
            if let (Value::String(message), true, false) = (&top["message"], is_one, is_chunk) {
                answer["error"] =
                    json!({"message": message, "type": kind, "param": null, "code": top["code"]});
            }
        }
    }
    answer
}

/// Values that an answer may have anywhere.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop::sample::select(vec![
        json!(null),
        json!(false),
        json!(true),
        json!(0),
        json!(7.5),
        json!(""),
        json!("no \"good\"\n"),
        json!("error"),
        json!([]),
        json!({}),
    ]);
    let key = prop::sample::select(vec![
        "message",
        "type",
        "code",
        "param",
        "cached_tokens",
        "prompt_tokens_details",
        "x",
    ]);
    scalar.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(Value::from_iter),
        ]
    })
}

fn answer() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "error", "message", "type", "code", "object", "usage", "x",
    ]);
    let rest = prop::collection::hash_map(key.prop_map(str::to_owned), value(), 0..5);
    let choices = prop_oneof![
        Just(None),
        value().prop_map(Some),
        Just(Some(json!([]))),
        value().prop_map(|usage| Some(json!([{"index": 0, "usage": usage}]))),
        value().prop_map(|usage| Some(json!([{"index": 0, "usage": usage}, {"index": 1}]))),
    ];
    (rest, choices).prop_map(|(rest, choices)| {
        let mut answer = Value::from_iter(rest);
        if let Some(choices) = choices {
            answer["choices"] = choices;
        }
        answer
    })
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn a_json_answer_becomes_what_the_reference_says(answer in answer()) {
        let text = answer.to_string();
        let got = repaired(&text);
        let expected = reference(answer.clone(), false);
        prop_assert_eq!(serde_json::from_str::<Value>(&got).unwrap(), expected.clone());
        if expected == answer {
            prop_assert_eq!(got, text);
        }
    }

    #[test]
    fn an_event_becomes_what_the_reference_says(answer in answer()) {
        // Other rules look at more than one event.
        prop_assume!(!answer["choices"][0]["usage"].is_object());
        let done = "data: [DONE]\n\n";
        let text = format!("data: {answer}\n\n");
        let got = stream(&(text.clone() + done));
        let data = generate::data(&got);
        prop_assert_eq!(data.len(), 2);
        let expected = reference(answer.clone(), true);
        prop_assert_eq!(serde_json::from_str::<Value>(&data[0]).unwrap(), expected.clone());
        if expected == answer {
            prop_assert_eq!(got, text + done);
        }
    }
}
