//! The schema dialect against the recorded verdicts of Moonshot's own validator,
//! and against schemas written to hurt.
#![cfg(feature = "emulator")]

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tower_moonshot::emulator::check_schema;

/// One line is one schema with the verdict of walle (2026-06-29) at each level.
const VERDICTS: &str = include_str!("mfjs-verdicts.jsonl");

fn message(schema: &Value) -> String {
    check_schema(schema).map_or_else(|error| error.to_string(), |()| "ok".to_owned())
}

#[test]
fn every_verdict_and_its_wording_is_that_of_moonshots_validator() {
    let mut rows = 0;
    for line in VERDICTS.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(message(&row["schema"]), row["strict"], "{}", row["name"]);
        rows += 1;
    }
    assert_eq!(rows, 118);
}
