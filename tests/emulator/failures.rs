//! Failures on request.

use http::StatusCode;
use serde_json::{Value, json};
use tower_moonshot::emulator::Failure;

use super::{harness::*, streams::events};

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
