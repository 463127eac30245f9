//! The emulator accepts what Moonshot accepts, and refuses what Moonshot refuses.

use serde_json::Value;

use crate::emulated;

const ROWS: &str = include_str!("accepts.jsonl");

#[test]
fn every_request_gets_its_status_from_the_emulator() {
    let mut failures = Vec::new();
    let mut rows = 0;
    for row in ROWS.lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let (status, answer) = emulated::answer(&row["request"]);
        if row["status"] != status.as_u16() {
            failures.push(format!("{}: {status} {answer}", row["name"]));
        }
        rows += 1;
    }
    assert_eq!(rows, 131);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
