//! The emulator from outside: what it refuses on which model, and how it answers.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::{convert::Infallible, io, pin::Pin, task};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use serde_json::{Value, json};
use tower::{Service, ServiceExt};
use tower_moonshot::emulator::{Emulator, EmulatorBody, Failure};

const K3: &str = "kimi-k3";
const K3_CODE: &str = "k3";
const K27: &str = "kimi-k2.7";
const CODING: &str = "kimi-for-coding";
const K26: &str = "kimi-k2.6";
const K25: &str = "kimi-k2.5";
const K2_THINKING: &str = "kimi-k2-thinking";
const K2: &str = "kimi-k2-0905-preview";
const V1: &str = "moonshot-v1-8k";
const UNKNOWN: &str = "somebody-elses";

const FIXED: [&str; 4] = [K3, K27, K26, K25];
const RANGE: [&str; 4] = [K2_THINKING, K2, V1, UNKNOWN];
const ALL: [&str; 8] = [K3, K27, K26, K25, K2_THINKING, K2, V1, UNKNOWN];
const THINKING: [&str; 5] = [K3, K27, K26, K25, K2_THINKING];
const SILENT: [&str; 3] = [K2, V1, UNKNOWN];

const NUDGE: &str = "Please select a tool to handle the current issue.";
const PNG: &str = "data:image/png;base64,iVBORw0KGgo=";

// === asking ===

/// Needs no runtime: nothing in an emulator waits.
fn send<B>(emulator: &Emulator, request: Request<B>) -> Response<EmulatorBody>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Ok(response) = emulator.clone().oneshot(request).now_or_never().unwrap();
    response
}

fn read(response: Response<EmulatorBody>) -> Value {
    serde_json::from_str(&read_text(response)).unwrap()
}

fn read_text(response: Response<EmulatorBody>) -> String {
    let collected = response.into_body().collect().now_or_never().unwrap();
    let Ok(collected) = collected;
    String::from_utf8(collected.to_bytes().to_vec()).unwrap()
}

fn post(body: &Value) -> Request<Full<Bytes>> {
    Request::post("https://api.moonshot.ai/v1/chat/completions")
        .body(Full::from(body.to_string()))
        .unwrap()
}

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).unwrap()
}

fn open() -> Emulator {
    Emulator::new().accept_unknown_models()
}

/// A request that every model accepts, with some fields replaced.
fn request(model: &str, fields: &Value) -> Value {
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
fn accepts(models: &[&str], fields: Value) -> Value {
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
fn refuses(models: &[&str], fields: Value, message: &str) {
    for model in models {
        let response = send(&open(), post(&request(model, &fields)));
        let status = response.status();
        let body = read(response);
        let expected = json!({"error": {"message": message, "type": "invalid_request_error"}});
        assert_eq!(body, expected, "{model} {fields}");
        assert_eq!(status, StatusCode::BAD_REQUEST, "{model} {fields}");
    }
}

/// Checks that a request is refused as invalid, in words of the emulator's own,
/// which name this.
#[track_caller]
fn refuses_naming(models: &[&str], fields: Value, name: &str) {
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

fn messages(messages: Value) -> Value {
    json!({"messages": messages})
}

fn tool(name: &str, parameters: Value) -> Value {
    json!({"type": "function", "function": {"name": name, "parameters": parameters}})
}

fn weather() -> Value {
    tool(
        "weather",
        json!({
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city", "days"],
        }),
    )
}

fn clock() -> Value {
    tool("clock", json!({"type": "object"}))
}

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": "{}"}})
}

/// A finished turn with a tool call.
fn turn(id: &str) -> Value {
    json!([
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": null, "reasoning_content": "?", "tool_calls": [call(id)]},
        {"role": "tool", "tool_call_id": id, "content": "rain"},
    ])
}

// === doors ===

#[test]
fn it_answers_at_every_version_segment_and_nowhere_else() {
    for path in [
        "/v1/chat/completions",
        "https://api.kimi.ai/coding/v1/chat/completions",
        "/behind/a/proxy/v1/chat/completions?api-version=1",
    ] {
        let mut request = post(&request(K25, &json!({})));
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(send(&open(), request).status(), StatusCode::OK, "{path}");
    }
    for path in [
        "/chat/completions",
        "/v1/chat/completions/chat/completions",
        "/v1/completions",
        "/v1/modelsx",
        "/",
    ] {
        let mut request = post(&request(K25, &json!({})));
        *request.uri_mut() = path.parse().unwrap();
        let response = send(&open(), request);
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(read(response)["error"]["message"].is_string());
    }
}

#[test]
fn a_wrong_method_is_refused_with_the_right_one() {
    for (method, path, allowed) in [
        (Method::GET, "/v1/chat/completions", "POST"),
        (Method::POST, "/v1/models", "GET"),
    ] {
        let mut request = get(path);
        *request.method_mut() = method;
        let response = send(&open(), request);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], allowed);
    }
}

#[test]
fn keys_are_asked_for_before_anything_else() {
    let emulator = Emulator::new()
        .with_api_key("sk-one")
        .with_api_key("sk-two");
    for (authorization, kind, message) in [
        (
            None,
            "invalid_authentication_error",
            "Invalid Authentication",
        ),
        (
            Some("sk-one"),
            "invalid_authentication_error",
            "Invalid Authentication",
        ),
        (
            Some("Basic sk-one"),
            "invalid_authentication_error",
            "Invalid Authentication",
        ),
        (
            Some("Bearer "),
            "invalid_authentication_error",
            "Invalid Authentication",
        ),
        (
            Some("Bearer sk-on"),
            "incorrect_api_key_error",
            "Incorrect API key provided",
        ),
    ] {
        for mut request in [post(&json!({})), get("/v1/models")] {
            if let Some(authorization) = authorization {
                let value = authorization.parse().unwrap();
                request.headers_mut().insert("authorization", value);
            }
            let response = send(&emulator, request);
            assert_eq!(
                response.status(),
                StatusCode::UNAUTHORIZED,
                "{authorization:?}"
            );
            let expected = json!({"error": {"message": message, "type": kind}});
            assert_eq!(read(response), expected, "{authorization:?}");
        }
    }
    for key in ["sk-one", "sk-two"] {
        let mut request = post(&request(K25, &json!({})));
        let value = format!("Bearer {key}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        assert_eq!(send(&emulator, request).status(), StatusCode::OK, "{key}");
    }
    assert!(!format!("{emulator:?}").contains("sk-"));
}

#[test]
fn without_keys_any_key_and_none_will_do() {
    let mut keyed = post(&request(K25, &json!({})));
    keyed
        .headers_mut()
        .insert("authorization", "Bearer x".parse().unwrap());
    for request in [keyed, post(&request(K25, &json!({})))] {
        assert_eq!(send(&Emulator::new(), request).status(), StatusCode::OK);
    }
}

#[test]
fn models_that_are_not_on_sale_are_not_found() {
    let found = |emulator: &Emulator, model: &str| {
        let response = send(emulator, post(&request(model, &json!({}))));
        let status = response.status();
        if status != StatusCode::OK {
            assert_eq!(status, StatusCode::NOT_FOUND);
            let message = format!("Not found the model {model} or Permission denied");
            let error = json!({"message": message, "type": "resource_not_found_error"});
            assert_eq!(read(response), json!({"error": error}));
        }
        status == StatusCode::OK
    };
    let default = Emulator::new();
    assert!(found(&default, "kimi-k2.5-some-date"));
    assert!(!found(&default, "gpt-4o"));
    assert!(!found(&default, "moonshot/kimi-k2.5"));

    let open = default.accept_unknown_models();
    assert!(found(&open, "gpt-4o"));
    assert!(!found(&open, "moonshot/kimi-k2.5"));
    assert!(!found(&open, "MoonshotAI/kimi-k2.5"));

    let narrow = Emulator::new().with_models(["mine", K3]);
    assert!(found(&narrow, "mine"));
    assert!(found(&narrow, K3));
    assert!(!found(&narrow, K25));
}

#[test]
fn the_models_are_listed() {
    let listed = |emulator: &Emulator| {
        let list = read(send(emulator, get("/coding/v1/models?limit=5")));
        assert_eq!(list["object"], "list");
        let ids = list["data"].as_array().unwrap().iter();
        ids.map(|model| model["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let default = Emulator::new();
    for id in listed(&default) {
        let model = read(send(&default, get(&format!("/v1/models/{id}"))));
        assert_eq!(model["id"], *id);
        assert_eq!(model["object"], "model");
    }
    assert!(listed(&default).contains(&K3.to_owned()));
    assert_eq!(listed(&default.with_models(["a", "b"])), ["a", "b"]);
    let missing = send(&Emulator::new(), get("/v1/models/gpt-4o"));
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[test]
fn every_answer_identifies_itself_and_the_account() {
    let emulator = open();
    let mut ids = Vec::new();
    for (request, kind) in [
        (
            post(&request(K25, &json!({}))),
            "application/json; charset=utf-8",
        ),
        (
            post(&request(K25, &json!({"stream": true}))),
            "text/event-stream",
        ),
        (post(&json!({})), "application/json; charset=utf-8"),
        (get("/v1/models"), "application/json; charset=utf-8"),
        (get("/nowhere"), "application/json; charset=utf-8"),
    ] {
        let response = send(&emulator, request);
        let headers = response.headers();
        assert_eq!(headers["content-type"], kind);
        for name in [
            "x-msh-trace-id",
            "msh-uid",
            "msh-org-id",
            "msh-project-id",
            "msh-gid",
        ] {
            assert!(headers.contains_key(name), "{name}");
        }
        ids.push(headers["msh-request-id"].clone());
    }
    let count = ids.len();
    ids.sort_by_key(|id| id.as_bytes().to_vec());
    ids.dedup();
    assert_eq!(ids.len(), count);
}

// === bodies ===

#[test]
fn a_body_that_is_no_json_object_is_refused() {
    for body in ["", "{", "hello", "[]", "null", "\u{feff}{}"] {
        let request = Request::post("/v1/chat/completions").body(Full::<Bytes>::from(body));
        let response = send(&open(), request.unwrap());
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let message = read(response)["error"]["message"].take();
        assert!(message.as_str().unwrap().contains("request body"), "{body}");
    }
}

#[test]
fn a_body_may_come_in_pieces_of_any_kind() {
    let whole = request(K25, &json!({})).to_string();
    let frames = whole.as_bytes().chunks(7).map(Bytes::copy_from_slice);
    let frames = frames.map(|data| Ok::<_, Infallible>(Frame::data(data)));
    let trailers = Frame::trailers(HeaderMap::new());
    let stream = futures_util::stream::iter(frames.chain([Ok(trailers)]));
    let request = Request::post("/v1/chat/completions").body(StreamBody::new(stream));
    assert_eq!(send(&open(), request.unwrap()).status(), StatusCode::OK);
}

#[test]
fn a_body_that_breaks_off_is_refused_with_the_reason() {
    let frames = [
        Ok(Frame::data(Bytes::from_static(b"{}"))),
        Err(io::Error::other("the cable fell out")),
    ];
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let request = Request::post("/v1/chat/completions").body(body);
    let response = send(&open(), request.unwrap());
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        read(response)["error"]["message"],
        "Invalid request: the request body could not be read: the cable fell out",
    );
}

#[test]
fn a_body_over_100_mb_is_refused_announced_or_not() {
    let mut announced = post(&json!({}));
    let length = (100 * 1024 * 1024 + 1).to_string().parse().unwrap();
    announced.headers_mut().insert("content-length", length);
    assert_eq!(
        send(&open(), announced).status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );

    let megabyte = Bytes::from(vec![b' '; 1024 * 1024]);
    let frames = (0..101).map(|_| Ok::<_, Infallible>(Frame::data(megabyte.clone())));
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let request = Request::post("/v1/chat/completions").body(body);
    assert_eq!(
        send(&open(), request.unwrap()).status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[test]
fn a_body_that_never_comes_keeps_the_answer_waiting() {
    struct Silence;
    impl Body for Silence {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut task::Context<'_>,
        ) -> task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            task::Poll::Pending
        }
    }
    let request = Request::post("/v1/chat/completions").body(Silence);
    let answer = open().call(request.unwrap());
    assert!(answer.now_or_never().is_none());
}

// === model and thinking ===

#[test]
fn a_model_is_required() {
    for model in [json!(null), json!(5)] {
        refuses_naming(&[K25], json!({"model": model}), "model");
    }
    let response = send(&open(), post(&json!({"messages": []})));
    assert_eq!(
        read(response)["error"]["message"],
        "Invalid request: model is required"
    );
}

#[test]
fn thinking_is_switched_where_it_can_be() {
    let disabled = json!({"thinking": {"type": "disabled"}});
    let enabled = json!({"thinking": {"type": "enabled"}});
    refuses_naming(&[K3, K3_CODE], disabled.clone(), "thinking");
    refuses_naming(&[K3], enabled.clone(), "thinking");
    refuses(
        &[K27, CODING],
        disabled.clone(),
        "invalid thinking: only type=enabled is allowed for this model",
    );
    accepts(&[K26, K25], disabled);
    accepts(&[K27, K26, K25], enabled);

    let keep = json!({"thinking": {"keep": "all"}});
    refuses(
        &[K25],
        keep.clone(),
        "thinking.keep is not supported by model \"kimi-k2.5\"",
    );
    accepts(&[K3, K27, K26], keep);

    refuses_naming(&ALL, json!({"thinking": "disabled"}), "thinking");
    refuses_naming(&[K26], json!({"thinking": {"type": "off"}}), "thinking");
    refuses_naming(&[K26], json!({"thinking": {"type": null}}), "thinking.type");
    refuses_naming(&[K26], json!({"thinking": {"keep": true}}), "thinking.keep");
    accepts(&ALL, json!({"thinking": null}));
}

#[test]
fn reasoning_effort_is_a_level_of_the_model() {
    for (effort, kind) in [(json!(3), "number"), (json!({"effort": "low"}), "object")] {
        refuses(
            &ALL,
            json!({"reasoning_effort": effort}),
            &format!(
                "Invalid request: the `reasoning_effort` field in the request (expected type \
                 string) is illegal, and {kind} is not acceptable"
            ),
        );
    }
    refuses_naming(
        &FIXED,
        json!({"reasoning_effort": null}),
        "reasoning_effort",
    );
    refuses(
        &[K27, K26, K25],
        json!({"reasoning_effort": "low", "thinking": {"type": "enabled"}}),
        "cannot specify both 'thinking' and 'reasoning_effort'",
    );
    refuses(
        &[K3],
        json!({"reasoning_effort": "low", "thinking": {"keep": "all"}}),
        "cannot specify both 'thinking' and 'reasoning_effort'",
    );
    for effort in ["low", "high", "max"] {
        accepts(&ALL, json!({"reasoning_effort": effort}));
    }
    for effort in ["minimal", "medium", "xhigh", "none", ""] {
        refuses_naming(
            &[K3],
            json!({"reasoning_effort": effort}),
            "low, high and max",
        );
    }
    refuses_naming(
        &[K27, K26, K25],
        json!({"reasoning_effort": "none"}),
        "none",
    );
    accepts(&[K27, K26, K25], json!({"reasoning_effort": "medium"}));
}

// === sampling ===

#[test]
fn fixed_parameters_have_one_value() {
    for (name, value, accepted) in [
        ("temperature", json!(0.6), "1"),
        ("temperature", json!(null), "1"),
        ("temperature", json!(0), "1"),
        ("top_p", json!(1), "0.95"),
        ("top_p", json!(null), "0.95"),
        ("n", json!(2), "1"),
        ("n", json!(null), "1"),
        ("presence_penalty", json!(0.1), "0"),
        ("frequency_penalty", json!(-1), "0"),
        ("logprobs", json!(true), "false"),
        ("logprobs", json!(null), "false"),
    ] {
        refuses(
            &FIXED,
            json!({name: value}),
            &format!("invalid {name}: only {accepted} is allowed for this model"),
        );
    }
    for value in [json!(0), json!(3), json!(null)] {
        refuses_naming(&FIXED, json!({"top_logprobs": value}), "top_logprobs");
    }
    for (name, value) in [
        ("temperature", json!("1")),
        ("top_p", json!([])),
        ("n", json!("1")),
        ("presence_penalty", json!({})),
        ("logprobs", json!("false")),
    ] {
        refuses_naming(&ALL, json!({name: value}), name);
    }
    let accepted = json!({
        "temperature": 1.0, "top_p": 0.95, "n": 1.0, "presence_penalty": 0,
        "frequency_penalty": -0.0, "logprobs": false,
    });
    accepts(&FIXED, accepted);
}

#[test]
fn the_one_temperature_is_lower_without_thinking_and_for_kimi_code() {
    let disabled =
        |temperature: f64| json!({"thinking": {"type": "disabled"}, "temperature": temperature});
    accepts(&[K26, K25], disabled(0.6));
    refuses(
        &[K26, K25],
        disabled(1.0),
        "invalid temperature: only 0.6 is allowed for this model",
    );
    accepts(&[CODING, K3_CODE], json!({"temperature": 0.6}));
    refuses(
        &[CODING, K3_CODE],
        json!({"temperature": 1}),
        "invalid temperature: only 0.6 is allowed for this model",
    );
}

#[test]
fn older_models_have_ranges() {
    for temperature in [json!(-0.1), json!(1.01), json!(2)] {
        refuses_naming(&RANGE, json!({"temperature": temperature}), "temperature");
    }
    for temperature in [json!(0), json!(0.5), json!(1), json!(null)] {
        accepts(&RANGE, json!({"temperature": temperature}));
    }
    for n in [json!(0), json!(6), json!(-1), json!(1.5)] {
        refuses_naming(&RANGE, json!({"n": n, "temperature": 1}), "invalid n");
    }
    accepts(&RANGE, json!({"n": 5, "temperature": 0.3}));
    accepts(
        &RANGE,
        json!({"n": null, "top_p": null, "logprobs": null, "stream": null}),
    );
}

#[test]
fn several_answers_need_a_temperature() {
    for temperature in [0.0, 0.001, 0.29] {
        refuses_naming(
            &RANGE,
            json!({"n": 2, "temperature": temperature}),
            "temperature",
        );
        accepts(&RANGE, json!({"n": 1, "temperature": temperature}));
    }
    refuses_naming(&RANGE, json!({"n": 2.0, "temperature": 0.0}), "temperature");
    // Only moonshot-v1 has a default temperature of 0.
    for fields in [json!({"n": 2}), json!({"n": 2, "temperature": null})] {
        refuses_naming(&[V1], fields.clone(), "temperature");
        accepts(&[K2_THINKING, K2, UNKNOWN], fields);
    }
}

#[test]
fn other_parameters_have_their_types() {
    for (name, value) in [
        ("max_tokens", json!("5")),
        ("stream", json!("true")),
        ("stream_options", json!(true)),
        ("stream_options", json!({"include_usage": 1})),
        ("tools", json!({})),
        ("response_format", json!("json_object")),
        ("messages", json!({})),
    ] {
        let field = if name == "stream_options" && value.is_object() {
            "include_usage"
        } else {
            name
        };
        refuses_naming(&ALL, json!({name: value}), field);
    }
    let ignored = json!({"user": 1, "store": true, "metadata": {}, "unheard_of": []});
    accepts(&ALL, ignored);
}

// === messages ===

#[test]
fn a_conversation_is_not_empty() {
    for none in [json!([]), json!(null)] {
        refuses(
            &ALL,
            messages(none),
            "Invalid request: messages must not be empty",
        );
    }
    refuses_naming(&ALL, messages(json!(["hello"])), "messages[0]");
}

#[test]
fn roles_are_the_four_of_moonshot() {
    for role in ["developer", "function", "User", ""] {
        refuses(
            &ALL,
            messages(json!([{"role": role, "content": "x"}])),
            &format!("role '{role}' is not allowed"),
        );
    }
    for message in [json!({"role": 1, "content": "x"}), json!({"content": "x"})] {
        refuses_naming(&ALL, messages(json!([message])), "role");
    }
    accepts(
        &ALL,
        messages(json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "Bye"},
        ])),
    );
}

#[test]
fn what_is_said_is_not_empty() {
    let empty = |message: Value| {
        let role = message["role"].as_str().unwrap();
        let error = format!(
            "Invalid request: the message at position 1 with role '{role}' must not be empty"
        );
        let said = json!([{"role": "user", "content": "Hello"}, message]);
        refuses(&ALL, messages(said), &error);
    };
    for role in ["user", "assistant"] {
        empty(json!({"role": role, "content": ""}));
        empty(json!({"role": role, "content": []}));
        empty(json!({"role": role, "content": [{"type": "text", "text": ""}]}));
    }
    empty(json!({"role": "assistant", "content": null}));
    empty(json!({"role": "assistant"}));
    empty(json!({"role": "assistant", "content": "", "tool_calls": []}));
    refuses_naming(&ALL, messages(json!([{"role": "user"}])), "content");
    refuses_naming(
        &ALL,
        messages(json!([{"role": "user", "content": 5}])),
        "content",
    );

    accepts(
        &ALL,
        messages(json!([{"role": "system", "content": ""}, {"role": "user", "content": " "}])),
    );
    accepts(
        &ALL,
        messages(json!([
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "", "partial": true},
        ])),
    );
}

#[test]
fn lists_of_parts_need_a_part_that_is_no_text() {
    let text = json!({"type": "text", "text": "Hello"});
    for role in ["system", "user", "assistant"] {
        refuses_naming(
            &ALL,
            messages(json!([{"role": role, "content": [text]}])),
            "must be a string",
        );
    }
    let image = json!({"type": "image_url", "image_url": {"url": PNG}});
    accepts(
        &ALL,
        messages(json!([
            {"role": "system", "content": [text]},
            {"role": "user", "content": [text, image]},
        ])),
    );
    refuses(
        &ALL,
        messages(json!([{"role": "user", "content": [{"type": "text", "text": ""}, image]}])),
        "text content is empty",
    );
}

#[test]
fn parts_are_of_known_types() {
    let image = json!({"type": "image_url", "image_url": {"url": PNG}});
    for (part, name) in [
        (json!({"type": "refusal", "refusal": "No."}), "refusal"),
        (
            json!({"type": "input_audio", "input_audio": {}}),
            "input_audio",
        ),
        (json!({"type": "text", "text": 5}), "text"),
        (json!({"type": "text"}), "text"),
        (json!({"text": "x"}), "type"),
        (json!("x"), "content part"),
        (json!({"type": "image_url"}), "image_url"),
        (
            json!({"type": "image_url", "image_url": {"url": null}}),
            "image_url",
        ),
    ] {
        let said = json!([{"role": "user", "content": [image, part]}]);
        refuses_naming(&ALL, messages(said), name);
    }
}

#[test]
fn images_are_sent_along_or_uploaded() {
    let image = |url: &str| {
        messages(json!([
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]},
        ]))
    };
    for url in [
        "https://example.com/cat.png",
        "http://x/y",
        "file:///etc/passwd",
        "",
    ] {
        refuses(
            &ALL,
            image(url),
            &format!("Invalid request: unsupported image url: {url}"),
        );
    }
    for url in [PNG, "ms://file-1"] {
        accepts(&ALL, image(url));
    }
}

// === history ===

#[test]
fn thinking_models_want_their_thoughts_back_with_tool_calls() {
    for reasoning in [None, Some(json!(null)), Some(json!(""))] {
        let mut said = turn("call_1");
        let message = said[1].as_object_mut().unwrap();
        message.remove("reasoning_content");
        message.extend(reasoning.map(|reasoning| ("reasoning_content".to_owned(), reasoning)));
        refuses(
            &THINKING,
            messages(said.clone()),
            "thinking is enabled but reasoning_content is missing in assistant tool call message \
             at index 1",
        );
        accepts(&SILENT, messages(said.clone()));
        accepts(
            &[K26, K25],
            json!({"messages": said, "thinking": {"type": "disabled"}}),
        );
    }
    accepts(&ALL, messages(turn("call_1")));
    let mut blank = turn("call_1");
    blank[1]["reasoning_content"] = json!(" ");
    accepts(&ALL, messages(blank));
    let mut wrong = turn("call_1");
    wrong[1]["reasoning_content"] = json!(5);
    refuses_naming(&ALL, messages(wrong), "reasoning_content");
}

#[test]
fn preserved_thinking_wants_all_thoughts_back() {
    let said = |reasoning: Value| {
        json!([
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "Hi", "reasoning_content": reasoning},
            {"role": "user", "content": "Bye"},
        ])
    };
    let keep = json!({"keep": "all"});
    refuses(
        &[K3, K27, K26],
        json!({"messages": said(json!(null)), "thinking": keep}),
        "preserved thinking (thinking.keep=all) requires reasoning_content on every assistant \
         message, but assistant message at index 1 is missing reasoning_content",
    );
    accepts(
        &[K3, K27, K26],
        json!({"messages": said(json!("?")), "thinking": keep}),
    );
    accepts(&[K3, K27, K26], messages(said(json!(null))));
    accepts(
        &[K26],
        json!({"messages": said(json!(null)), "thinking": {"type": "disabled", "keep": "all"}}),
    );
}

#[test]
fn tool_calls_and_answers_belong_together() {
    let mut unknown = turn("call_1");
    unknown[2]["tool_call_id"] = json!("call_2");
    refuses(
        &ALL,
        messages(unknown),
        "Invalid request: tool_call_id call_2 is not found",
    );
    let mut nameless = turn("call_1");
    nameless[2].as_object_mut().unwrap().remove("tool_call_id");
    refuses(
        &ALL,
        messages(nameless),
        "Invalid request: tool_call_id  is not found",
    );
    let mut late = turn("call_1");
    late[2] = json!({"role": "user", "content": "Well?"});
    refuses_naming(&ALL, messages(late.clone()), "call_1");
    late.as_array_mut().unwrap().truncate(2);
    refuses_naming(&ALL, messages(late), "call_1");

    let mut twice = turn("call_1");
    twice[1]["tool_calls"] = json!([call("call_1"), call("call_1")]);
    refuses_naming(&ALL, messages(twice), "duplicated");
    let mut again = turn("call_1");
    let answer = again[2].clone();
    again.as_array_mut().unwrap().push(answer);
    refuses_naming(&ALL, messages(again), "twice");

    let mut two = turn("call_1");
    two[1]["tool_calls"] = json!([call("call_1"), call("call_2")]);
    refuses_naming(&ALL, messages(two.clone()), "call_2");
    let second = json!({"role": "tool", "tool_call_id": "call_2", "content": "sun"});
    two.as_array_mut().unwrap().insert(2, second);
    accepts(&ALL, messages(two));
    let mut turns = turn("call_1");
    turns
        .as_array_mut()
        .unwrap()
        .extend(turn("call_1").as_array().unwrap().clone());
    accepts(&ALL, messages(turns));
}

#[test]
fn tool_call_ids_are_plain() {
    for id in ["", "a.b", "weather:0", "ü", &"x".repeat(65)] {
        refuses_naming(&ALL, messages(turn(id)), "tool call id");
    }
    accepts(&ALL, messages(turn(&"x".repeat(64))));
    for broken in [
        json!("x"),
        json!({"id": 5}),
        json!({"id": "a"}),
        json!({"id": "a", "function": {"name": "f"}}),
        json!({"id": "a", "function": {"name": "f", "arguments": {}}}),
    ] {
        let mut said = turn("a");
        said[1]["tool_calls"] = json!([broken]);
        refuses_naming(&ALL, messages(said), "");
    }
}

// === tools ===

#[test]
fn functions_have_proper_names() {
    for name in ["", "1st", "_x", "get weather", "a.b", "$web_search"] {
        refuses(
            &ALL,
            json!({"tools": [tool(name, json!({"type": "object"}))]}),
            "Invalid request: function name is invalid, must start with a letter and can contain \
             letters, numbers, underscores, and dashes",
        );
    }
    refuses(
        &ALL,
        json!({"tools": [clock(), weather(), clock()]}),
        "function name clock is duplicated",
    );
    accepts(
        &ALL,
        json!({"tools": [
            clock(), weather(), {"type": "function", "function": {"name": "bare"}},
            {"type": "builtin_function", "function": {"name": "$web_search"}},
        ]}),
    );
    for broken in [
        json!("x"),
        json!({"type": "function"}),
        json!({"function": {"name": "f"}}),
        json!({"type": "retrieval", "function": {"name": "f"}}),
        json!({"type": "function", "function": {"name": 5}}),
    ] {
        refuses_naming(&ALL, json!({"tools": [broken]}), "");
    }
}

#[test]
fn schemas_are_of_moonshots_dialect() {
    for root in [
        json!({}),
        json!({"type": "array"}),
        json!({"type": ["object"]}),
        json!([]),
        json!("x"),
    ] {
        refuses(
            &ALL,
            json!({"tools": [tool("f", root)]}),
            "tools.function.parameters.type is required and must be \"object\"",
        );
    }
    let broken = json!({"type": "object", "properties": {"a": {"enum": ["x"]}}});
    let details = "is not a valid moonshot flavored json schema, details: \
                   <At path 'properties.a': type is not defined>";
    refuses(
        &ALL,
        json!({"tools": [clock(), tool("f", broken.clone())]}),
        &format!("Invalid request: tools.function.parameters {details}"),
    );
    let format = |schema: &Value| {
        json!({"response_format": {
            "type": "json_schema", "json_schema": {"name": "f", "schema": schema},
        }})
    };
    refuses(
        &ALL,
        format(&broken),
        &format!("Invalid request: response_format.json_schema {details}"),
    );
    accepts(
        &ALL,
        format(&json!({"$schema": "https://json-schema.org/draft/2020-12/schema"})),
    );
    for broken in [
        json!({"type": "yaml"}),
        json!({}),
        json!({"type": "json_schema"}),
    ] {
        refuses_naming(&ALL, json!({"response_format": broken}), "response_format");
    }
}

#[test]
fn a_tool_choice_needs_tools_and_a_known_form() {
    for choice in [json!("auto"), json!("none"), json!("required")] {
        refuses_naming(&ALL, json!({"tool_choice": choice}), "tool_choice");
        refuses_naming(
            &ALL,
            json!({"tool_choice": choice, "tools": []}),
            "tool_choice",
        );
    }
    for choice in [
        json!({"type": "auto"}),
        json!({"type": "required"}),
        json!({"type": "function", "function": {}}),
        json!("any"),
        json!(true),
    ] {
        let fields = json!({"tool_choice": choice, "tools": [clock()]});
        refuses_naming(&ALL, fields, "tool_choice");
    }
    for choice in [json!("auto"), json!("none"), json!(null)] {
        accepts(&ALL, json!({"tool_choice": choice, "tools": [clock()]}));
    }
    let stranger = json!({"type": "function", "function": {"name": "nobody"}});
    refuses_naming(
        &[K2, V1],
        json!({"tool_choice": stranger, "tools": [clock()]}),
        "nobody",
    );
}

#[test]
fn a_tool_can_only_be_forced_where_the_model_allows_it() {
    let tools = json!([weather(), clock()]);
    let named = json!({"type": "function", "function": {"name": "clock"}});
    let required = json!({"tools": tools, "tool_choice": "required"});
    let specified = json!({"tools": tools, "tool_choice": named});
    refuses(
        &[K27, CODING, K26, K25, K2_THINKING],
        required.clone(),
        "tool_choice 'required' is incompatible with thinking enabled",
    );
    refuses(
        &[K3, K27, K26, K25],
        specified.clone(),
        "tool_choice 'specified' is incompatible with thinking enabled",
    );
    refuses_naming(&SILENT, required.clone(), "tool_choice 'required'");
    accepts(&RANGE, specified.clone());
    accepts(&[K3, K3_CODE], required.clone());
    for mut fields in [required, specified] {
        fields["thinking"] = json!({"type": "disabled"});
        accepts(&[K26, K25], fields);
    }
}

// === answers ===

#[test]
fn an_answer_is_the_object_of_openai_with_thoughts() {
    let answer = accepts(&[K25], json!({}));
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["model"], K25);
    assert_eq!(
        answer["choices"],
        json!([{
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "You said: Hello",
                "reasoning_content": "The user wants an answer.",
            },
            "finish_reason": "stop",
        }]),
    );
    let usage = &answer["usage"];
    assert_eq!(usage["cached_tokens"], 0);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 0);
    let tokens = |name: &str| usage[name].as_u64().unwrap();
    assert!(tokens("prompt_tokens") > 0 && tokens("completion_tokens") > 0);
    assert_eq!(
        tokens("total_tokens"),
        tokens("prompt_tokens") + tokens("completion_tokens"),
    );
}

#[test]
fn only_a_model_that_thinks_has_thoughts() {
    for (model, fields, thinks) in [
        (K3, json!({}), true),
        (K2_THINKING, json!({}), true),
        (K26, json!({"thinking": {"type": "disabled"}}), false),
        (K2, json!({}), false),
        (V1, json!({}), false),
    ] {
        let answer = accepts(&[model], fields);
        let message = answer["choices"][0]["message"].as_object().unwrap();
        assert_eq!(message.contains_key("reasoning_content"), thinks, "{model}");
    }
}

#[test]
fn it_repeats_the_last_user_message() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let image = json!({"type": "image_url", "image_url": {"url": PNG}});
    let answer = accepts(
        &[K25],
        messages(json!([
            {"role": "user", "content": "first"},
            {"role": "user", "content": [text("a"), image, text("b")]},
            {"role": "assistant", "content": "no"},
        ])),
    );
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: ab");
}

#[test]
fn several_answers_are_counted() {
    let answer = accepts(&[V1], json!({"n": 3, "temperature": 1}));
    let indices: Vec<_> = answer["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["index"])
        .collect();
    assert_eq!(indices, [0, 1, 2]);
}

#[test]
fn a_tool_is_called_if_one_has_to_be() {
    let tools = json!([weather(), clock()]);
    let clocked = json!({"type": "function", "function": {"name": "clock"}});
    let nudged = json!([{"role": "user", "content": "Hi"}, {"role": "user", "content": NUDGE}]);
    for (model, fields, name, arguments) in [
        (
            K3,
            json!({"tool_choice": "required"}),
            "weather",
            r#"{"city":"","days":1}"#,
        ),
        (V1, json!({"tool_choice": clocked}), "clock", "{}"),
        (
            V1,
            json!({"messages": nudged}),
            "weather",
            r#"{"city":"","days":1}"#,
        ),
    ] {
        let mut fields = fields;
        fields["tools"] = tools.clone();
        let answer = accepts(&[model], fields);
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "tool_calls");
        let function = &choice["message"]["tool_calls"][0]["function"];
        assert_eq!(function["name"], name);
        assert_eq!(function["arguments"], arguments);
    }
    let free = accepts(&[K3], json!({"tools": tools}));
    assert_eq!(free["choices"][0]["finish_reason"], "stop");
    let toolless = accepts(&[K3], json!({"messages": nudged}));
    assert_eq!(toolless["choices"][0]["finish_reason"], "stop");
}

/// The name of the function that is called with these tools and other fields.
fn called(model: &str, fields: Value) -> Option<String> {
    let mut fields = fields;
    fields["tools"] = json!([weather(), clock()]);
    let answer = accepts(&[model], fields);
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    call["function"]["name"].as_str().map(str::to_owned)
}

#[test]
fn a_tool_is_called_if_the_user_names_it() {
    let said = |text: &str| json!({"messages": [{"role": "user", "content": text}]});
    for model in ALL {
        for (text, name) in [
            ("What does the clock say?", Some("clock")),
            ("Ask `weather`, then the clock.", Some("weather")),
            ("What says the clockwork, or clock_2?", None),
        ] {
            assert_eq!(called(model, said(text)).as_deref(), name, "{model} {text}");
        }
    }
    let mut forbidden = said("What does the clock say?");
    forbidden["tool_choice"] = json!("none");
    assert_eq!(called(K3, forbidden), None);
    // What the tool said is not what the user says.
    let mut answered = turn("a");
    answered[0]["content"] = json!("Use weather.");
    assert_eq!(called(K3, messages(answered)), None);
}

#[test]
fn who_has_to_call_calls_one_tool_after_the_other() {
    let nudge = json!({"role": "user", "content": NUDGE});
    for (calls, next) in [
        (&[][..], "weather"),
        (&["weather"], "clock"),
        (&["weather", "clock"], "clock"),
    ] {
        let mut said = vec![json!({"role": "user", "content": "Hello"})];
        for name in calls {
            let mut call = call("a");
            call["function"]["name"] = json!(name);
            said.extend([
                json!({"role": "assistant", "reasoning_content": "?", "tool_calls": [call]}),
                json!({"role": "tool", "tool_call_id": "a", "content": "rain"}),
            ]);
        }
        let required = json!({"messages": said, "tool_choice": "required"});
        assert_eq!(called(K3, required).as_deref(), Some(next), "{calls:?}");
        said.push(nudge.clone());
        let nudged = called(K27, json!({"messages": said}));
        assert_eq!(nudged.as_deref(), Some(next), "{calls:?}");
        // Another question, another round.
        said.insert(
            said.len() - 1,
            json!({"role": "user", "content": "And now?"}),
        );
        let again = called(K27, json!({"messages": said}));
        assert_eq!(again.as_deref(), Some("weather"), "{calls:?}");
    }
}

#[test]
fn it_repeats_what_a_tool_said() {
    let answer = accepts(&ALL, messages(turn("a")));
    let content = &answer["choices"][0]["message"]["content"];
    assert_eq!(content, "The tool said: rain");
}

#[test]
fn its_own_answers_are_accepted_as_history() {
    let mut answer = accepts(
        &[K3],
        json!({"tools": [weather()], "tool_choice": "required"}),
    );
    let message = answer["choices"][0]["message"].take();
    let id = message["tool_calls"][0]["id"].clone();
    accepts(
        &[K3],
        json!({"tools": [weather()], "messages": [
            {"role": "user", "content": "Hello"},
            message,
            {"role": "tool", "tool_call_id": id, "content": "rain"},
        ]}),
    );
}

#[test]
fn a_wanted_format_is_kept() {
    let content = |format: Value| {
        let mut answer = accepts(&[K25], json!({"response_format": format}));
        let content = answer["choices"][0]["message"]["content"].take();
        serde_json::from_str::<Value>(content.as_str().unwrap()).unwrap()
    };
    assert_eq!(
        content(json!({"type": "json_object"})),
        json!({"said": "Hello"})
    );
    let schema = &weather()["function"]["parameters"];
    let format = json!({"type": "json_schema", "json_schema": {"name": "w", "schema": schema}});
    assert_eq!(content(format), json!({"city": "", "days": 1}));
}

#[test]
fn a_fresh_emulator_always_says_the_same() {
    let ask = || read_text(send(&open(), post(&request(K25, &json!({"stream": true})))));
    assert_eq!(ask(), ask());
    let emulator = open();
    let ids = [(); 2].map(|()| read(send(&emulator, post(&request(K25, &json!({})))))["id"].take());
    assert_ne!(ids[0], ids[1]);
}

// === streams ===

/// The data of each frame, checked to be one whole event.
fn events(emulator: &Emulator, model: &str, fields: &Value) -> Vec<String> {
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
fn chunks(model: &str, fields: &Value) -> Vec<Value> {
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

fn joined(chunks: &[Value], choice: u64, pointer: &str) -> String {
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
    assert!(calls[0]["id"].is_string());
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

// === failures ===

#[test]
fn failures_come_first_and_then_it_recovers() {
    let emulator = open()
        .fail_first(2, Failure::Overloaded)
        .fail_first(1, Failure::RateLimited)
        .fail_first(1, Failure::QuotaExceeded);
    for (kind, retry_after) in [
        ("engine_overloaded_error", true),
        ("engine_overloaded_error", true),
        ("rate_limit_reached_error", true),
        ("exceeded_current_quota_error", false),
    ] {
        // A refused request does not use up a failure.
        let refused = send(&emulator, post(&request(K25, &json!({"n": 9}))));
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);

        let response = send(&emulator, post(&request(K25, &json!({}))));
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers().contains_key("retry-after"), retry_after);
        let error = read(response)["error"].take();
        assert_eq!(error["type"], kind);
        if kind == "engine_overloaded_error" {
            assert_eq!(
                error["message"],
                "The engine is currently overloaded, please try again later",
            );
        }
    }
    let response = send(&emulator, post(&request(K25, &json!({}))));
    assert_eq!(response.status(), StatusCode::OK);
}

#[test]
fn a_stream_can_break_off_in_the_middle() {
    let emulator = open().fail_first(1, Failure::MidStream);
    let broken = events(&emulator, K25, &json!({}));
    let whole = events(&emulator, K25, &json!({}));
    let (last, begun) = broken.split_last().unwrap();
    // `whole` also has the chunk that finishes and `[DONE]`.
    assert!(!begun.is_empty() && begun.len() + 2 < whole.len());
    let error: Value = serde_json::from_str(last).unwrap();
    assert_eq!(error["error"]["type"], "engine_overloaded_error");

    let emulator = open().fail_first(1, Failure::MidStream);
    let response = send(&emulator, post(&request(K25, &json!({}))));
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
}

// === everything ===

#[test]
fn no_value_anywhere_makes_it_panic() {
    let full = json!({
        "model": K26,
        "messages": turn("call_1"),
        "tools": [weather()],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "thinking": {"type": "disabled", "keep": null},
        "reasoning_effort": null,
        "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
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

/// Where anything is in a value.
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
