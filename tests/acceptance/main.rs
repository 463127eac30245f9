//! Behind the layer, the emulator accepts whatever OpenAI's clients send, or refuses it
//! for one of a few reasons that no rewrite can repair.

#![allow(clippy::unwrap_used, missing_docs)]

mod openai;

use std::sync::Mutex;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use proptest::prelude::*;
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_moonshot::{MoonshotCompatLayer, NPolicy, Report, ToolChoicePolicy, emulator::Emulator};

/// The refusals that no rewrite can avoid: a part of the error message, and the reason.
const REFUSALS: &[(&str, &str)] = &[
    ("messages must not be empty", "there is nothing to answer"),
    (
        "unsupported image url: http",
        "only data: and ms:// are accepted; this layer fetches nothing",
    ),
    (
        "unsupported content type: input_audio",
        "Moonshot does not accept audio",
    ),
    (
        "unsupported content type: file",
        "Moonshot has another API for files",
    ),
    (
        "unsupported content type: refusal",
        "beside an image, content arrays stay",
    ),
    (
        "role 'function' is not allowed",
        "deprecated; its answers have no id of a call",
    ),
    (
        "must be followed by tool messages",
        "a missing answer can't be invented",
    ),
    (
        "invalid n: it must be an integer between 1 and 5",
        "a lower n would return fewer answers than the caller asked for",
    ),
    ("invalid n: only 1 is allowed", "the policy for n keeps it"),
    (
        "tool type 'custom' is unknown",
        "Moonshot only accepts functions as tools",
    ),
    (
        "tool_choice as an object must have the type",
        "a choice from an empty list of tools has no counterpart",
    ),
    (
        "function name get is duplicated",
        "it is unknown which of two different functions is meant",
    ),
    (
        "function name later is duplicated",
        "tools are not removed from messages",
    ),
    ("tokenization failed", "only K3 accepts tools in messages"),
    (
        "unsupported content type: thinking",
        "a model that does not think accepts no thoughts",
    ),
    ("unsupported content type: reasoning", "as before"),
    (
        "invalid value for thinking type: adaptive",
        "it is unknown whether thinking can be disabled on other models",
    ),
    (
        "function name is invalid",
        "the caller would not recognize a renamed function",
    ),
    (
        "which is not among the tools",
        "a missing function can't be called",
    ),
    (NO_SUCH_FUNCTION, "as before, on models that think"),
];

/// Only a known refusal if the named function is missing.
const NO_SUCH_FUNCTION: &str = "tool_choice 'specified' is incompatible with thinking enabled";

/// Whether a refusal is one of the known ones.
fn is_known(refusal: &str, request: &Value) -> bool {
    let known = REFUSALS.iter().find(|(known, _)| refusal.contains(known));
    known.is_some_and(|(known, _)| *known != NO_SUCH_FUNCTION || !names_a_tool(request))
}

fn names_a_tool(request: &Value) -> bool {
    let wanted = &request["tool_choice"]["function"]["name"];
    let tools = request["tools"].as_array();
    tools.is_some_and(|tools| tools.iter().any(|tool| tool["function"]["name"] == *wanted))
}

/// The policies that the layer is tested with.
const POLICIES: [(ToolChoicePolicy, NPolicy); 4] = [
    (ToolChoicePolicy::Nudge, NPolicy::Remove),
    (ToolChoicePolicy::Auto, NPolicy::Remove),
    (ToolChoicePolicy::DisableThinking, NPolicy::Remove),
    (ToolChoicePolicy::Nudge, NPolicy::Keep),
];

/// Sends a body through the layer to the emulator, which answers at once.
fn send(layer: &MoonshotCompatLayer, body: String) -> (StatusCode, String, Report) {
    let service = layer.layer(Emulator::new().accept_unknown_models());
    let request = Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    async {
        let response = service.oneshot(request).await.unwrap();
        let status = response.status();
        let report = response.extensions().get::<Report>().unwrap().clone();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8_lossy(&body).into_owned(), report)
    }
    .now_or_never()
    .unwrap()
}

fn layer((tool_choice, n): (ToolChoicePolicy, NPolicy)) -> MoonshotCompatLayer {
    MoonshotCompatLayer::new()
        .with_tool_choice_policy(tool_choice)
        .with_n_policy(n)
}

/// The number of accepted and of sent requests.
static COUNTS: Mutex<(u32, u32)> = Mutex::new((0, 0));

#[test]
fn what_openais_clients_send_is_accepted_or_refused_for_a_known_reason() {
    let cases = std::env::var("PROPTEST_CASES").map_or(1500, |cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(request in openai::request(), policy in 0..POLICIES.len())| {
        for model in openai::MODELS {
            let mut request = request.clone();
            request["model"] = Value::from(*model);
            let (status, answer, report) = send(&layer(POLICIES[policy]), request.to_string());
            let accepted = status == StatusCode::OK;
            prop_assert!(
                accepted || is_known(&answer, &request),
                "{model}, {:?}\n{report}\n{status} {answer}\n{request}",
                POLICIES[policy],
            );
            let mut counts = COUNTS.lock().unwrap();
            counts.0 += u32::from(accepted);
            counts.1 += 1;
        }
    });
    let (accepted, sent) = *COUNTS.lock().unwrap();
    // Otherwise the list of reasons could hide a failure of most requests.
    assert!(accepted > sent / 2, "{accepted} of {sent} were accepted");
}

#[test]
fn a_second_rewrite_changes_nothing() {
    let cases = std::env::var("PROPTEST_CASES").map_or(500, |cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let models = 0..openai::MODELS.len();
    proptest!(config, |(request in openai::request(), policy in 0..POLICIES.len(), model in models)| {
        let mut request = request;
        request["model"] = Value::from(openai::MODELS[model]);
        let layer = layer(POLICIES[policy]);
        let (once, _) = layer.rewrite(Bytes::from(request.to_string()));
        let once = once.into_bytes();
        let (twice, report) = layer.rewrite(once.clone());
        prop_assert_eq!(report.changes(), &[], "{} became {:?}", request, once);
        prop_assert_eq!(twice.into_bytes(), once);
    });
}

/// Checks that each reason occurs.
#[test]
fn every_known_reason_occurs() {
    let hello = r#""messages":[{"role":"user","content":"Hi"}]"#;
    let user = |content: &str| {
        format!(r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":{content}}}]}}"#)
    };
    let image = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}"#;
    let tools = |tool: &str| format!(r#"{{"model":"kimi-k3",{hello},"tools":[{tool}]}}"#);
    let declared = r#"{"role":"system","tools":[{"type":"function","function":{"name":"later"}}]}"#;
    let thought = |kind: &str| {
        let parts = format!(r#"[{{"type":"{kind}","text":"so"}}]"#);
        format!(
            r#"{{"model":"kimi-latest","messages":[{{"role":"assistant","content":{parts}}}]}}"#
        )
    };
    let choice = |choice: &str| {
        let f = r#"{"type":"function","function":{"name":"f"}}"#;
        format!(r#"{{"model":"kimi-k3",{hello},"tools":[{f}],"tool_choice":{choice}}}"#)
    };
    let requests = [
        r#"{"model":"kimi-k3","messages":[]}"#.to_owned(),
        user(r#"[{"type":"image_url","image_url":{"url":"https://example.com/a.png"}}]"#),
        user(r#"[{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}]"#),
        user(r#"[{"type":"file","file":{"file_id":"f"}}]"#),
        user(&format!(
            r#"[{image},{{"type":"refusal","refusal":"No."}}]"#
        )),
        r#"{"model":"kimi-k3","messages":[{"role":"function","name":"f","content":"1"}]}"#
            .to_owned(),
        r#"{"model":"kimi-k3","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"user","content":"Hi"}]}"#.to_owned(),
        format!(r#"{{"model":"moonshot-v1-8k",{hello},"n":6}}"#),
        format!(r#"{{"model":"kimi-k3",{hello},"n":2}}"#),
        tools(r#"{"type":"custom","custom":{"name":"f"}}"#),
        choice(r#"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#),
        tools(
            r#"{"type":"function","function":{"name":"get"}},{"type":"function","function":{"name":"get","strict":true}}"#,
        ),
        format!(r#"{{"model":"kimi-k3","messages":[{declared},{declared}]}}"#),
        r#"{"model":"kimi-k2.6","messages":[{"role":"system","tools":[{"type":"function","function":{"name":"f"}}]},{"role":"user","content":"Hi"}]}"#.to_owned(),
        thought("thinking"),
        thought("reasoning"),
        format!(r#"{{"model":"kimi-latest",{hello},"thinking":{{"type":"adaptive"}}}}"#),
        tools(r#"{"type":"function","function":{"name":"1f"}}"#),
        choice(r#"{"type":"function","function":{"name":"g"}}"#).replace("kimi-k3", "kimi-latest"),
        choice(r#"{"type":"function","function":{"name":"g"}}"#).replace("kimi-k3", "kimi-k2.6"),
    ];
    let layer = layer((ToolChoicePolicy::Nudge, NPolicy::Keep));
    for ((refusal, reason), request) in REFUSALS.iter().zip(requests) {
        let (status, answer, _) = send(&layer, request);
        assert_eq!(status, StatusCode::BAD_REQUEST, "{reason}");
        assert!(answer.contains(refusal), "{refusal}: {answer}");
    }
}
