//! The answer as a stream.

use futures_util::FutureExt;
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_moonshot::emulator::Emulator;

use super::harness::*;

/// The data of each frame, checked to be one whole event.
pub(crate) fn events(emulator: &Emulator, model: &str, fields: &Value) -> Vec<String> {
    let mut fields = fields.clone();
    fields["stream"] = json!(true);
    let response = send(emulator, post(&request(model, &fields)));
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    let mut left = body.size_hint().exact().unwrap();
    let mut events = Vec::new();
    assert!(!body.is_end_stream());
    while let Some(frame) = body.frame().now_or_never().unwrap() {
        let Ok(frame) = frame;
        let data = frame.into_data().unwrap();
        left -= data.len() as u64;
        assert_eq!(body.size_hint().exact(), Some(left));
        let event = std::str::from_utf8(&data).unwrap();
        let event = event
            .strip_prefix("data: ")
            .unwrap()
            .strip_suffix("\n\n")
            .unwrap();
        assert!(!event.contains('\n'));
        events.push(event.to_owned());
    }
    assert!(body.is_end_stream());
    events
}

/// The chunks of a whole stream.
pub(crate) fn chunks(model: &str, fields: &Value) -> Vec<Value> {
    let mut events = events(&open(), model, fields);
    assert_eq!(events.pop().as_deref(), Some("[DONE]"));
    let chunks: Vec<Value> = events
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["id"], chunks[0]["id"]);
        assert_eq!(chunk["model"], model);
    }
    chunks
}

pub(crate) fn joined(chunks: &[Value], choice: u64, pointer: &str) -> String {
    let choices = chunks.iter().filter_map(|chunk| chunk["choices"].get(0));
    choices
        .filter(|found| found["index"] == choice)
        .filter_map(|found| found.pointer(pointer).and_then(Value::as_str))
        .collect()
}

#[test]
fn a_stream_thinks_before_it_speaks_and_ends_with_the_usage_in_the_choice() {
    let chunks = chunks(K25, &json!({}));
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(
        joined(&chunks, 0, "/delta/reasoning_content"),
        "The user wants an answer."
    );
    assert_eq!(joined(&chunks, 0, "/delta/content"), "You said: Hello");
    let position = |found: &dyn Fn(&Value) -> bool| {
        let deltas = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]);
        deltas
            .enumerate()
            .filter(|(_, delta)| found(delta))
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let thoughts = position(&|delta| delta.get("reasoning_content").is_some());
    let words = position(&|delta| {
        delta["content"]
            .as_str()
            .is_some_and(|text| !text.is_empty())
    });
    assert!(thoughts.len() > 1 && words.len() > 1);
    assert!(thoughts.last() < words.first());

    let last = &chunks.last().unwrap()["choices"][0];
    assert_eq!(last["finish_reason"], "stop");
    assert_eq!(last["delta"], json!({}));
    assert_eq!(last["usage"]["cached_tokens"], 0);
    let unfinished = &chunks[..chunks.len() - 1];
    assert!(
        unfinished
            .iter()
            .all(|chunk| chunk["choices"][0]["finish_reason"].is_null())
    );
    assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[test]
fn a_stream_reports_the_usage_at_its_end_if_asked_to() {
    let fields = json!({"stream_options": {"include_usage": true}});
    let chunks = chunks(K25, &fields);
    let last = chunks.last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert!(last["usage"]["total_tokens"].as_u64().unwrap() > 0);
    let finish = &chunks[chunks.len() - 2]["choices"][0];
    assert_eq!(finish["usage"], last["usage"]);
}

#[test]
fn a_streamed_tool_call_comes_in_fragments() {
    let fields = json!({"tools": [weather()], "tool_choice": "required"});
    let chunks = chunks(K3, &fields);
    let calls: Vec<&Value> = chunks
        .iter()
        .filter_map(|chunk| chunk.pointer("/choices/0/delta/tool_calls/0"))
        .collect();
    assert!(calls.len() > 2);
    assert!(calls.iter().all(|call| call["index"] == 0));
    assert_eq!(calls[0]["function"]["name"], "weather");
    assert_eq!(calls[0]["id"], "functions.weather:0");
    for call in &calls[1..] {
        assert!(call.get("id").is_none() && call["function"].get("name").is_none());
    }
    let arguments: String = calls
        .iter()
        .filter_map(|call| call["function"]["arguments"].as_str())
        .collect();
    assert_eq!(arguments, r#"{"city":"","days":1}"#);
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "tool_calls"
    );
}

#[test]
fn every_choice_of_a_stream_has_its_index() {
    let chunks = chunks(V1, &json!({"n": 2, "temperature": 1}));
    for choice in [0, 1] {
        assert_eq!(joined(&chunks, choice, "/delta/content"), "You said: Hello");
        assert_eq!(joined(&chunks, choice, "/finish_reason"), "stop");
    }
}
