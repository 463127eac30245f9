//! Where the emulator answers, and the keys, models and headers of all answers.

use http::{Method, StatusCode};
use serde_json::json;
use tower_moonshot::emulator::Emulator;

use super::harness::*;

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
fn keys_are_checked_before_anything_else() {
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
fn without_configured_keys_any_key_and_none_is_accepted() {
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
