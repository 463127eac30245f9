//! Hostile requests, and how the emulator composes.

use futures_util::FutureExt;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_moonshot::emulator::EmulatorBody;

use super::{
    harness::*,
    streams::{chunks, joined},
};

#[test]
fn no_value_anywhere_makes_it_panic() {
    let mut said = turn("call_1");
    let declaring = json!({"role": "system", "content": null, "tools": [clock()]});
    said.as_array_mut().unwrap().push(declaring);
    let full = json!({
        "model": K3,
        "messages": said,
        "tools": [weather()],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "thinking": {"type": "disabled", "keep": null, "effort": "low"},
        "reasoning_effort": null,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "w", "strict": true, "schema": {"type": "object"}},
        },
        "stream": true,
        "stream_options": {"include_usage": true},
        "temperature": 0.6, "n": 1, "top_p": 0.95, "logprobs": false,
    });
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(u64::MAX),
        json!(""),
        json!("ü"),
        json!([]),
        json!([[]]),
        json!([null]),
        json!({}),
        json!({"type": {}}),
        json!({"function": []}),
    ];
    assert_eq!(send(&open(), post(&full)).status(), StatusCode::OK);
    let mut tried = 0;
    for pointer in pointers(&full) {
        for value in &strange {
            let mut request = full.clone();
            *request.pointer_mut(&pointer).unwrap() = value.clone();
            let status = send(&open(), post(&request)).status();
            let expected = [
                StatusCode::OK,
                StatusCode::BAD_REQUEST,
                StatusCode::NOT_FOUND,
            ];
            assert!(expected.contains(&status), "{pointer} {value}");
            tried += 1;
        }
    }
    assert!(tried > 500);
}

/// The pointers to a value and to everything in it.
fn pointers(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, value)| (i.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    let inner = inner.into_iter().flat_map(|(key, value)| {
        pointers(value)
            .into_iter()
            .map(move |rest| format!("/{key}{rest}"))
    });
    std::iter::once(String::new()).chain(inner).collect()
}

#[test]
fn ten_thousand_calls_messages_and_tools_are_checked() {
    const MANY: usize = 10_000;
    let answer = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": ""});
    let asking = |calls: Vec<Value>| json!({"role": "assistant", "reasoning_content": "?", "tool_calls": calls});
    let ids = |name: &str| {
        let ids = (0..MANY).map(|number| format!("{name}:{number}"));
        ids.collect::<Vec<_>>()
    };

    // One turn with all calls, the last of which is answered first, and as many
    // turns with one call.
    let together = ids("together");
    let mut said = vec![asking(together.iter().map(|id| call(id)).collect())];
    said.extend(together.iter().rev().map(|id| answer(id)));
    for id in ids("alone") {
        said.extend([asking(vec![call(&id)]), answer(&id)]);
    }
    said.push(json!({"role": "user", "content": NUDGE}));
    let called = accepts(&[K26], json!({"messages": said, "tools": [weather()]}));
    let id = &called["choices"][0]["message"]["tool_calls"][0]["id"];
    assert_eq!(*id, format!("functions.weather:{}", 2 * MANY));

    let tools = ids("f").into_iter().map(|id| {
        let name = id.replace(':', "_");
        tool(&name, json!({"type": "object"}))
    });
    let fields = json!({
        "tools": tools.collect::<Vec<_>>(),
        "messages": [{"role": "user", "content": ids("g").join(" ") + " f_9999"}],
    });
    let called = accepts(&[K26], fields);
    let function = &called["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(function["name"], "f_9999");
}

#[test]
fn a_long_answer_has_a_limited_number_of_chunks() {
    let text = "a ".repeat(100_000);
    let fields = json!({"messages": [{"role": "user", "content": text}]});
    let chunks = chunks(K25, &fields);
    assert!(chunks.len() < 1100);
    let said = joined(&chunks, 0, "/delta/content");
    assert_eq!(said, format!("You said: {text}"));
}

#[test]
fn it_composes_with_clones_threads_and_routers() {
    fn is_shareable<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    let emulator = open();
    is_shareable(&emulator);
    is_shareable(&EmulatorBody::default());

    let router = axum::Router::<()>::new().fallback_service(emulator);
    let body = axum::body::Body::from(request(K25, &json!({})).to_string());
    let request = Request::post("/v1/chat/completions").body(body).unwrap();
    let response = router.oneshot(request).now_or_never().unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}
