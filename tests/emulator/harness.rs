//! Sends requests to an emulator, and checks whether they are accepted.

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::ServiceExt;
use tower_moonshot::emulator::{Emulator, EmulatorBody};

pub(crate) const K3: &str = "kimi-k3";
pub(crate) const K3_CODE: &str = "k3";
pub(crate) const K28: &str = "kimi-k2.8-preview";
pub(crate) const K27: &str = "kimi-k2.7";
pub(crate) const CODING: &str = "kimi-for-coding";
pub(crate) const K26: &str = "kimi-k2.6";
pub(crate) const K25: &str = "kimi-k2.5";
pub(crate) const K2_THINKING: &str = "kimi-k2-thinking";
pub(crate) const K2: &str = "kimi-k2-0905-preview";
pub(crate) const V1: &str = "moonshot-v1-8k";
pub(crate) const UNKNOWN: &str = "somebody-elses";

pub(crate) const FIXED: [&str; 7] = [K3, K3_CODE, K28, CODING, K27, K26, K25];
pub(crate) const RANGE: [&str; 4] = [K2_THINKING, K2, V1, UNKNOWN];
pub(crate) const ALL: [&str; 11] = [
    K3,
    K3_CODE,
    K28,
    CODING,
    K27,
    K26,
    K25,
    K2_THINKING,
    K2,
    V1,
    UNKNOWN,
];
pub(crate) const THINKING: [&str; 8] = [K3, K3_CODE, K28, CODING, K27, K26, K25, K2_THINKING];
/// The models whose thinking can be switched off.
pub(crate) const SWITCHED: [&str; 6] = [K3, K3_CODE, K28, CODING, K26, K25];
pub(crate) const SILENT: [&str; 3] = [K2, V1, UNKNOWN];

pub(crate) const NUDGE: &str = "Please select a tool to handle the current issue.";
pub(crate) const PNG: &str = "data:image/png;base64,iVBORw0KGgo=";

/// Sends a request. This needs no runtime, because the emulator never waits.
pub(crate) fn send<B>(emulator: &Emulator, request: Request<B>) -> Response<EmulatorBody>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Ok(response) = emulator.clone().oneshot(request).now_or_never().unwrap();
    response
}

pub(crate) fn read(response: Response<EmulatorBody>) -> Value {
    serde_json::from_str(&read_text(response)).unwrap()
}

pub(crate) fn read_text(response: Response<EmulatorBody>) -> String {
    let collected = response.into_body().collect().now_or_never().unwrap();
    let Ok(collected) = collected;
    String::from_utf8(collected.to_bytes().to_vec()).unwrap()
}

pub(crate) fn post(body: &Value) -> Request<Full<Bytes>> {
    Request::post("https://api.moonshot.ai/v1/chat/completions")
        .body(Full::from(body.to_string()))
        .unwrap()
}

pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).unwrap()
}

pub(crate) fn open() -> Emulator {
    Emulator::new().accept_unknown_models()
}

/// A request that every model accepts, with these fields replaced.
pub(crate) fn request(model: &str, fields: &Value) -> Value {
    let mut request = json!({
        "model": model,
        "messages": [{"role": "user", "content": "Hello"}],
    });
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    request
}

#[track_caller]
pub(crate) fn accepts(models: &[&str], fields: Value) -> Value {
    let mut last = Value::Null;
    for model in models {
        let response = send(&open(), post(&request(model, &fields)));
        let status = response.status();
        last = read(response);
        assert_eq!(status, StatusCode::OK, "{model} {fields} {last}");
    }
    last
}

/// Checks that a request is refused as invalid, in these words.
#[track_caller]
pub(crate) fn refuses(models: &[&str], fields: Value, message: &str) {
    for model in models {
        let response = send(&open(), post(&request(model, &fields)));
        let status = response.status();
        let body = read(response);
        let expected = json!({"error": {"message": message, "type": "invalid_request_error"}});
        assert_eq!(body, expected, "{model} {fields}");
        assert_eq!(status, StatusCode::BAD_REQUEST, "{model} {fields}");
    }
}

/// Checks that a request is refused as invalid. The wording is the emulator's own,
/// and contains this.
#[track_caller]
pub(crate) fn refuses_naming(models: &[&str], fields: Value, name: &str) {
    for model in models {
        let response = send(&open(), post(&request(model, &fields)));
        let status = response.status();
        let body = read(response);
        assert_eq!(status, StatusCode::BAD_REQUEST, "{model} {fields} {body}");
        assert_eq!(body["error"]["type"], "invalid_request_error");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains(name), "{model} {fields} {message}");
    }
}

pub(crate) fn messages(messages: Value) -> Value {
    json!({"messages": messages})
}

pub(crate) fn tool(name: &str, parameters: Value) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": parameters}})
}

pub(crate) fn weather() -> Value {
    tool(
        "weather",
        json!({
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city", "days"],
        }),
    )
}

pub(crate) fn clock() -> Value {
    tool("clock", json!({"type": "object"}))
}

pub(crate) fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": "{}"}})
}

/// A finished turn with a tool call.
pub(crate) fn turn(id: &str) -> Value {
    json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": null, "reasoning_content": "?", "tool_calls": [call(id)]},
        {"role": "tool", "tool_call_id": id, "content": "rain"},
    ])
}
