//! The emulator's faults, and what is left of them.

use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_moonshot::{
    MoonshotCompatLayer,
    emulator::{Emulator, Quirk},
    response::{ResponseCompatLayer, ResponseReport},
};

use crate::{generate, harness::collect};

fn request(is_stream: bool, has_tools: bool) -> String {
    let mut body = json!({
        "model": "friendly-name",
        "messages": [{"role": "user", "content": "Call the function look_up"}],
    });
    if is_stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    if has_tools {
        let parameters =
            json!({"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]});
        body["tools"] = json!([{"type": "function", "function": {"name": "look_up", "parameters": parameters}}]);
    }
    body.to_string()
}

/// The answer without the layer, or with it.
async fn ask(quirks: &[Quirk], body: &str, is_repaired: bool) -> (StatusCode, String, String) {
    let emulator = quirks.iter().fold(Emulator::new(), |emulator, &quirk| {
        emulator.with_quirk(quirk)
    });
    let compat = MoonshotCompatLayer::new()
        .with_alias("friendly-name", "kimi-k3")
        .unwrap();
    let request = Request::post("/v1/chat/completions")
        .header("content-type", "application/json")
        .body(body.to_owned())
        .unwrap();
    let service = compat.layer(emulator);
    if is_repaired {
        let response = ResponseCompatLayer::new().layer(service).oneshot(request);
        let response = response.await.unwrap();
        assert!(
            !response
                .headers()
                .keys()
                .any(|name| name.as_str().starts_with("msh-") && name != "msh-request-id")
        );
        let (status, report) = (
            response.status(),
            response.extensions().get::<ResponseReport>().cloned(),
        );
        let text = collect(response.into_body()).await;
        (
            status,
            String::from_utf8(text.to_vec()).unwrap(),
            report.unwrap().to_string(),
        )
    } else {
        let response = service.oneshot(request).await.unwrap();
        let status = response.status();
        let text = collect(response.into_body()).await;
        (
            status,
            String::from_utf8(text.to_vec()).unwrap(),
            String::new(),
        )
    }
}

fn values(stream: &str) -> Vec<Value> {
    let data = generate::data(stream);
    data.iter()
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[tokio::test]
async fn an_answer_without_faults_changes_its_model_only() {
    for (is_stream, has_tools) in [(true, true), (true, false), (false, true), (false, false)] {
        let body = request(is_stream, has_tools);
        let (_, before, _) = ask(&[], &body, false).await;
        let (_, after, report) = ask(&[], &body, true).await;
        assert_eq!(
            after,
            before.replace(r#""model":"kimi-k3""#, r#""model":"friendly-name""#)
        );
        let chunks = after.matches("\"friendly-name\"").count();
        assert_eq!(
            report,
            format!("repaired: account_headers 4, model {chunks}")
        );
    }
}

/// Streams with a fault of a tool call become the one without.
#[tokio::test]
async fn faults_of_tool_calls_leave_no_trace() {
    let body = request(true, true);
    let (_, clean, _) = ask(&[], &body, true).await;
    let calls = |stream: &str| -> Vec<Value> {
        let chunks = values(stream);
        let fragments = chunks
            .iter()
            .map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0].clone());
        fragments.filter(|fragment| !fragment.is_null()).collect()
    };
    let combinations: [&[Quirk]; 6] = [
        &[Quirk::NoCallIndex],
        &[Quirk::NullCallIndex],
        &[Quirk::NewCallIds],
        &[Quirk::NameInPieces],
        &[Quirk::NewCallIds, Quirk::NameInPieces, Quirk::NoCallIndex],
        &[Quirk::NewCallIds, Quirk::NameInPieces, Quirk::NullCallIndex],
    ];
    for quirks in combinations {
        let (_, faulty, _) = ask(quirks, &body, false).await;
        assert_ne!(calls(&faulty), calls(&clean), "{quirks:?}");
        let (_, repaired, report) = ask(quirks, &body, true).await;
        assert!(report.contains("tool_calls"), "{report}");
        let mut expected = calls(&clean);
        let mut found = calls(&repaired);
        // The fragment with the rest of the name says nothing any more.
        found.retain(|fragment| *fragment != json!({"index": 0, "function": {}}));
        if quirks.contains(&Quirk::NewCallIds) {
            assert!(found[0]["id"].as_str().unwrap().starts_with("call_"));
            for calls in [&mut found, &mut expected] {
                calls[0]["id"] = json!("the same");
            }
        }
        assert_eq!(found, expected, "{quirks:?}");
    }
}

#[tokio::test]
async fn usage_arrives_where_it_belongs() {
    for is_stream in [true, false] {
        let body = request(is_stream, false);
        let (_, clean, _) = ask(&[], &body, true).await;
        let last = |text: &str| match is_stream {
            true => values(text).pop().unwrap(),
            false => serde_json::from_str(text).unwrap(),
        };
        for quirks in [
            &[Quirk::UsageInChoice][..],
            &[Quirk::NoTokenDetails],
            &[Quirk::UsageInChoice, Quirk::NoTokenDetails],
        ] {
            let (_, faulty, _) = ask(quirks, &body, false).await;
            assert!(
                last(&faulty)
                    .pointer("/usage/prompt_tokens_details")
                    .is_none()
            );
            let (_, repaired, _) = ask(quirks, &body, true).await;
            let (mut found, expected) = (last(&repaired), last(&clean));
            if !is_stream && quirks[0] == Quirk::UsageInChoice {
                // It stays where it was, too.
                found["choices"][0].as_object_mut().unwrap().remove("usage");
            }
            assert_eq!(found, expected, "{quirks:?}");
        }
    }
}

#[tokio::test]
async fn what_breaks_off_is_no_success() {
    let body = request(true, false);
    let (_, faulty, _) = ask(&[Quirk::BreaksOff], &body, false).await;
    let (_, repaired, _) = ask(&[Quirk::BreaksOff], &body, true).await;
    assert!(
        !faulty.contains("error") && !faulty.contains("[DONE]") && !faulty.contains("\"stop\"")
    );
    assert_eq!(values(&repaired).len(), values(&faulty).len() + 1);
    assert_eq!(
        values(&repaired).pop().unwrap()["error"]["code"],
        "stream_broke_off"
    );
    assert!(!repaired.contains("[DONE]"));
    // A JSON answer that breaks off is no JSON: any client sees that.
    let body = request(false, false);
    let (_, faulty, _) = ask(&[Quirk::BreaksOff], &body, false).await;
    let (_, repaired, _) = ask(&[Quirk::BreaksOff], &body, true).await;
    assert!(serde_json::from_str::<Value>(&faulty).is_err());
    assert_eq!(repaired, faulty);
}

#[tokio::test]
async fn an_error_is_an_object() {
    for is_stream in [true, false] {
        let body = request(is_stream, false);
        let (status, faulty, _) = ask(&[Quirk::PlainError], &body, false).await;
        let (same, repaired, _) = ask(&[Quirk::PlainError], &body, true).await;
        assert_eq!(status, same);
        assert_eq!(status.is_success(), is_stream);
        let plain = r#"{"error":"The engine is currently overloaded"}"#;
        let shaped = r#"{"error":{"message":"The engine is currently overloaded","type":"server_error","param":null,"code":null}}"#;
        assert!(faulty.contains(plain));
        let expected = faulty
            .replace(plain, shaped)
            .replace(r#""kimi-k3""#, r#""friendly-name""#);
        assert_eq!(repaired, expected);
    }
}
