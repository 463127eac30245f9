//! Requests that Moonshot accepts and honours are not changed, in any spelling.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;
use tower_moonshot::MoonshotCompatLayer;

use crate::spelling;

const ACCEPTS: &str = include_str!("accepts.jsonl");
const REPORTS: &str = include_str!("reports.jsonl");

/// Rows that Moonshot accepts and the layer changes nevertheless, and why.
const CHANGED: &[(&str, &str)] = &[
    ("several text parts on K3", "text arrays become strings"),
    ("tool_choice named", "K3 would ignore the name"),
];

/// Rows in which only a schema is changed, because it is outside of the dialect.
const REPAIRED: &[&str] = &[
    "enum null (forgecode)",
    "required null (hermes)",
    "KVV dynamic tool schema out of dialect",
];

fn rows(text: &str) -> Vec<Value> {
    let rows = text.lines().map(|row| serde_json::from_str(row).unwrap());
    rows.collect()
}

/// The names and the requests of the rows that must not be changed.
fn untouched() -> Vec<(String, Value)> {
    let is_one_of = |names: &[&str], row: &Value| names.iter().any(|&name| row["name"] == name);
    let changed: Vec<_> = CHANGED.iter().map(|(name, _)| *name).collect();
    let accepted = rows(ACCEPTS)
        .into_iter()
        .filter(|row| row["status"] == 200 && !is_one_of(&changed, row));
    let expected = rows(REPORTS)
        .into_iter()
        .filter(|row| row["request"] == row["expect"] && !is_one_of(REPAIRED, row));
    let rows = accepted.chain(expected);
    rows.map(|row| (row["name"].to_string(), row["request"].clone()))
        .collect()
}

/// Checks that the layer returns the same bytes without a copy.
fn is_left_alone(name: &str, text: String) -> Result<(), TestCaseError> {
    let body = Bytes::from(text);
    let (rope, report) = MoonshotCompatLayer::new().rewrite(body.clone());
    let sent = rope.into_bytes();
    prop_assert_eq!(report.changes(), &[], "{}: {:?}", name, body);
    prop_assert_eq!(report.skipped(), None, "{}", name);
    prop_assert_eq!(&sent, &body, "{}", name);
    prop_assert_eq!(sent.as_ptr(), body.as_ptr(), "{} was copied", name);
    Ok(())
}

#[test]
fn a_request_that_moonshot_accepts_and_honours_is_not_changed() {
    let rows = untouched();
    let failures: Vec<_> = rows
        .iter()
        .filter_map(|(name, request)| is_left_alone(name, request.to_string()).err())
        .map(|failure| failure.to_string())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Detects a file that is truncated or in another format.
    assert_eq!(rows.len(), 94);
}

#[test]
fn white_space_key_order_escapes_and_numbers_make_no_difference() {
    let cases = std::env::var("PROPTEST_CASES").map_or(30, |cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rows = untouched();
    proptest!(config, |(style in spelling::styles())| {
        for (name, request) in &rows {
            is_left_alone(name, spelling::spell(request, style.without_duplicates()))?;
        }
    });
}

#[test]
fn every_exception_is_a_row_that_is_changed() {
    let layer = MoonshotCompatLayer::new();
    let named = [rows(ACCEPTS), rows(REPORTS)].concat();
    let exceptions = CHANGED.iter().map(|(name, _)| *name);
    for name in exceptions.chain(REPAIRED.iter().copied()) {
        let row = named.iter().find(|row| row["name"] == name).unwrap();
        let (_, report) = layer.rewrite(Bytes::from(row["request"].to_string()));
        assert!(!report.changes().is_empty(), "{name} is left alone");
    }
}
