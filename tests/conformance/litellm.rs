//! The layer sends what LiteLLM sends, where both have the same intent.

use bytes::Bytes;
use serde_json::Value;
use tower_moonshot::MoonshotCompatLayer;

const ROWS: &str = include_str!("litellm-1.106.2.jsonl");

/// The values of `keys`, null where a key is absent.
fn values<'a>(object: &'a Value, keys: &[&str]) -> Vec<&'a Value> {
    keys.iter().map(|&key| &object[key]).collect()
}

/// Compares values. LiteLLM rewrites numbers, so `1` and `1.0` are the same.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn differences(expected: &Value, sent: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |place: String, keys: &[&str], expected: &Value, sent: &Value| {
        let pairs = values(expected, keys).into_iter().zip(values(sent, keys));
        for ((expected, sent), key) in pairs.zip(keys) {
            if !same(expected, sent) {
                found.push(format!("{place}/{key}: expected {expected}, sent {sent}"));
            }
        }
    };
    let request = ["model", "temperature", "n", "tool_choice"];
    compare(String::new(), &request, expected, sent);
    let expected = expected["messages"].as_array().unwrap();
    let sent = sent["messages"].as_array().unwrap();
    for (index, pair) in expected.iter().zip(sent).enumerate() {
        let place = format!("/messages/{index}");
        compare(place, &["role", "content"], pair.0, pair.1);
    }
    if expected.len() != sent.len() {
        let (expected, sent) = (expected.len(), sent.len());
        found.push(format!("/messages: expected {expected}, sent {sent}"));
    }
    found
}

#[test]
fn every_recorded_request_is_sent_as_litellm_sends_it() {
    let layer = MoonshotCompatLayer::new();
    let mut failures = Vec::new();
    let mut rows = 0;
    for row in ROWS.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let request = row["request_raw"].as_str().unwrap();
        let (rope, report) = layer.rewrite(Bytes::copy_from_slice(request.as_bytes()));
        assert_eq!(report.skipped(), None, "{}", row["name"]);
        let sent: Value = serde_json::from_slice(&rope.into_bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", row["name"]));
        for difference in differences(&row["expect"], &sent) {
            failures.push(format!("{}: {difference}", row["name"]));
        }
        rows += 1;
    }
    assert_eq!(rows, 422);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
