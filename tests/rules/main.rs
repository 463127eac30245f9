//! Each rule, byte for byte: what it changes and how, what it reports, and what it
//! leaves alone.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

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

/// Why, a body, what is sent instead, and the changes that are reported.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(Rule, &'static str)],
);

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

fn reported(report: &Report) -> Vec<(Rule, String)> {
    let changes = report.changes().iter();
    changes
        .map(|change| (change.rule(), change.pointer()))
        .collect()
}

#[track_caller]
fn changes_with(layer: &MoonshotCompatLayer, rows: &[Row]) {
    for &(why, body, expected, changes) in rows {
        let (sent, report) = rewrite(layer, body);
        assert_eq!(sent, expected, "{why}: {body}");
        let changes: Vec<_> = changes
            .iter()
            .map(|&(rule, at)| (rule, at.to_owned()))
            .collect();
        assert_eq!(reported(&report), changes, "{why}: {body}");
    }
}

#[track_caller]
fn changes(rows: &[Row]) {
    changes_with(&layer(), rows);
}

#[track_caller]
fn leaves_alone_with(layer: &MoonshotCompatLayer, rows: &[(&str, &'static str)]) {
    for &(why, body) in rows {
        let (sent, report) = rewrite(layer, body);
        assert_eq!(sent, body, "{why}");
        assert_eq!(reported(&report), [], "{why}");
    }
}

#[track_caller]
fn leaves_alone(rows: &[(&str, &'static str)]) {
    leaves_alone_with(&layer(), rows);
}
