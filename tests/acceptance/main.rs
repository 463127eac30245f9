//! Whatever OpenAI's clients send: the emulator accepts it behind the layer, or
//! refuses it for one of a few reasons that no rewrite can mend.

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

/// What Moonshot can't take, and no rewrite can make it take: a part of the
/// refusal, and the reason.
const REFUSALS: &[(&str, &str)] = &[
    ("messages must not be empty", "there is nothing to answer"),
    (
        "unsupported image url: http",
        "only data: and ms:// are taken; somebody has to fetch the image",
    ),
    (
        "unsupported content type: input_audio",
        "Moonshot has no audio",
    ),
    ("unsupported content type: file", "files go by another API"),
    (
        "unsupported content type: refusal",
        "beside an image, arrays stay as they are",
    ),
    (
        "role 'function' is not allowed",
        "deprecated: its answers name no call",
    ),
    (
        "must be followed by tool messages",
        "an answer that isn't there can't be invented",
    ),
    (
        "invalid n: it must be an integer between 1 and 5",
        "fewer answers than were asked for would be a surprise",
    ),
    (
        "invalid n: only 1 is allowed",
        "the caller's policy: rather a refusal than one answer",
    ),
    (
        "tool type 'custom' is unknown",
        "Moonshot's tools are functions",
    ),
    (
        "tool_choice as an object must have the type",
        "a choice among no tools at all has no counterpart",
    ),
    (
        "function name get is duplicated",
        "which of two different functions is meant, nobody can tell",
    ),
    (
        "function name later is duplicated",
        "what messages declare is not taken out of them",
    ),
    (
        "tokenization failed",
        "only K3 knows tools that messages declare",
    ),
    (
        "unsupported content type: thinking",
        "where the model doesn't think, thoughts have no place",
    ),
    ("unsupported content type: reasoning", "as before"),
    (
        "invalid value for thinking type: adaptive",
        "whether thinking can be switched is not known of the other models",
    ),
    (
        "function name is invalid",
        "a function by another name would not be found by its caller",
    ),
    (
        "which is not among the tools",
        "a function that isn't there can't be called",
    ),
    (NO_SUCH_FUNCTION, "as before, on models that think"),
];

/// Known only where the named function is really missing.
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

/// How the layer is set, other than by default.
const POLICIES: [(ToolChoicePolicy, NPolicy); 4] = [
    (ToolChoicePolicy::Nudge, NPolicy::Remove),
    (ToolChoicePolicy::Auto, NPolicy::Remove),
    (ToolChoicePolicy::DisableThinking, NPolicy::Remove),
    (ToolChoicePolicy::Nudge, NPolicy::Keep),
];

/// Sends a body; the emulator answers at once.
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

/// How many requests were accepted, and sent.
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
    // Or else the list of reasons would explain everything away.
    assert!(accepted > sent / 2, "{accepted} of {sent} were accepted");
}

#[test]
fn what_was_rewritten_needs_no_second_pass() {
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

/// Each reason is one that really occurs, and does so without a rewrite too.
#[test]
fn every_known_reason_is_one_of_the_emulators() {
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
