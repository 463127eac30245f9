//! Public bug reports: the layer sends what they ask for, and the emulator refuses what
//! Moonshot is reported to refuse.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tower_moonshot::MoonshotCompatLayer;

use crate::emulated;

const ROWS: &str = include_str!("reports.jsonl");

/// Rows whose `expect` renames a repeated call but not its answer, and the id that the
/// answer must have. Moonshot would refuse the answer as it is in the file.
const CORRECTED: [(&str, &str); 2] = [
    ("same native id in two turns", "functions.get_time:0"),
    (
        "same id in two turns, parallel in the second",
        "functions.get_weather:0",
    ),
];

/// Rows that can't be repaired, or only by a repair of a schema, which `expect` does not
/// contain.
const REFUSED: [&str; 12] = [
    "unanswered call",
    "orphan tool message",
    "tool name 12306__query-tickets",
    "tool name -A__get_esg_data",
    "tool name 查天气",
    "enum null (forgecode)",
    "required null (hermes)",
    "role function (legacy)",
    "KVV dynamic tool schema out of dialect",
    "KVV same tool global and dynamic",
    "KVV tool message without tool_call_id",
    "thinking block only, K3 dynamic tools in user message",
];

fn rows() -> impl Iterator<Item = Value> {
    ROWS.lines().map(|row| {
        let mut row: Value = serde_json::from_str(row).unwrap();
        let corrected = CORRECTED.iter().find(|(name, _)| row["name"] == *name);
        if let Some((_, id)) = corrected {
            row["expect"]["messages"][5]["tool_call_id"] = json!(id);
        }
        row
    })
}

#[test]
fn the_emulator_judges_every_request_as_moonshot_is_reported_to() {
    let mut failures = Vec::new();
    let mut counts = [0; 3];
    for row in rows() {
        let (status, answer) = emulated::answer(&row["request"]);
        let (kind, expected) = match row["as_it_is"].as_str() {
            Some("accepted") => (0, StatusCode::OK),
            Some("refused") => (1, StatusCode::BAD_REQUEST),
            None => (2, status),
            Some(other) => panic!("{other}"),
        };
        counts[kind] += 1;
        if status != expected {
            failures.push(format!("{}: {status} {answer}", row["name"]));
        }
    }
    // The last kind has no known answer, so its status is not checked.
    assert_eq!(counts, [24, 46, 10]);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_reports_ask_for_is_accepted_unless_it_cannot_be_repaired() {
    let refused: Vec<String> = rows()
        .filter(|row| emulated::answer(&row["expect"]).0 != StatusCode::OK)
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(refused, REFUSED);
}

#[test]
fn the_layer_sends_what_every_report_asks_for() {
    let layer = MoonshotCompatLayer::new();
    let mut failures = Vec::new();
    let mut count = 0;
    for mut row in rows() {
        let request = row["request"].to_string();
        let (rope, _) = layer.rewrite(Bytes::from(request));
        let mut sent: Value = serde_json::from_slice(&rope.into_bytes())
            .unwrap_or_else(|error| panic!("{}: {error}", row["name"]));
        let mut expected = row["expect"].take();
        blank_schemas(&mut sent);
        blank_schemas(&mut expected);
        if sent != expected {
            failures.push(format!(
                "{}:\n  expected {expected}\n  sent     {sent}",
                row["name"]
            ));
        }
        count += 1;
    }
    assert_eq!(count, 80);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Replaces the schemas of a request, whose repair other tests check.
fn blank_schemas(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match key.as_str() {
                    "parameters" | "schema" => *value = json!("…"),
                    _ => blank_schemas(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank_schemas),
        _ => {}
    }
}
