//! What each rule changes, byte for byte, what it reports, and what it leaves unchanged.
//!
//! The tables hold the wording of each reason: it is what users read in their logs.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod content;
mod empty_content;
mod min_completion_tokens;
mod model;
mod reasoning_content;
mod reasoning_effort;
mod response_format;
mod role;
mod sampling;
mod temperature;
mod thinking;
mod together;
mod tool_call_id;
mod tool_choice;
mod tools;

use bytes::Bytes;
use tower_moonshot::{MoonshotCompatLayer, Report, Rule};

/// A reported change: the rule, the place and the reason.
type Changed = (Rule, &'static str, &'static str);

/// The case, a body, what is sent instead, and the changes that are reported.
type Row = (&'static str, &'static str, &'static str, &'static [Changed]);

fn layer() -> MoonshotCompatLayer {
    MoonshotCompatLayer::new()
}

fn rewrite(layer: &MoonshotCompatLayer, body: &'static str) -> (String, Report) {
    let (rope, report) = layer.rewrite(Bytes::from_static(body.as_bytes()));
    (
        String::from_utf8(rope.into_bytes().to_vec()).unwrap(),
        report,
    )
}

fn reported(report: &Report) -> Vec<(Rule, String, &str)> {
    let changes = report.changes().iter();
    changes
        .map(|change| (change.rule(), change.pointer(), change.why()))
        .collect()
}

#[track_caller]
fn changes_with(layer: &MoonshotCompatLayer, rows: &[Row]) {
    for &(case, body, expected, changes) in rows {
        let (sent, report) = rewrite(layer, body);
        assert_eq!(sent, expected, "{case}: {body}");
        let changes: Vec<_> = changes
            .iter()
            .map(|&(rule, place, why)| (rule, place.to_owned(), why))
            .collect();
        assert_eq!(reported(&report), changes, "{case}: {body}");
    }
}

#[track_caller]
fn changes(rows: &[Row]) {
    changes_with(&layer(), rows);
}

#[track_caller]
fn leaves_alone_with(layer: &MoonshotCompatLayer, rows: &[(&str, &'static str)]) {
    for &(case, body) in rows {
        let (sent, report) = rewrite(layer, body);
        assert_eq!(sent, body, "{case}");
        assert_eq!(reported(&report), [], "{case}");
    }
}

#[track_caller]
fn leaves_alone(rows: &[(&str, &'static str)]) {
    leaves_alone_with(&layer(), rows);
}
