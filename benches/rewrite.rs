//! The rewrite of a body against what a gateway without this crate does:
//! `serde_json::Value`, change, serialise.
//!
//! ```sh
//! cargo bench --bench rewrite              # ratios, then criterion's figures
//! cargo bench --bench rewrite -- ratios    # the ratios alone
//! ```
//!
//! The ratios are what to compare between machines and days: both candidates take
//! turns in one run, and the median of many rounds is printed. Every output is
//! verified before anything is timed.

#![allow(missing_docs, clippy::unwrap_used)]

mod bodies;

use std::{hint::black_box, time::Instant};

use bodies::{KINDS, Kind};
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use serde_json::Value;
use tower_moonshot::MoonshotCompatLayer;

/// What everybody does: parse, change, serialise.
fn value(body: &Bytes) -> Vec<u8> {
    let mut request: Value = serde_json::from_slice(body).unwrap();
    let fields = request.as_object_mut().unwrap();
    if fields.get("temperature").is_some_and(|t| t != 1.0) {
        fields.remove("temperature");
    }
    let messages = fields["messages"].as_array_mut().unwrap();
    let text_only = messages.iter().all(|message| {
        let parts = message["content"].as_array();
        parts.is_none_or(|parts| parts.iter().all(|part| part["type"] == "text"))
    });
    for message in messages {
        if message["role"] == "developer" {
            message["role"] = "system".into();
        }
        if let Some(parts) = message["content"].as_array().filter(|_| text_only) {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            message["content"] = texts.collect::<String>().into();
        }
    }
    serde_json::to_vec(&request).unwrap()
}

/// This crate, as hyper drains it: piece by piece.
fn layer(layer: &MoonshotCompatLayer, body: &Bytes) -> usize {
    let (rope, report) = layer.rewrite(body.clone());
    black_box(report);
    rope.map(|piece| black_box(piece).len()).sum()
}

fn verify(kind: &Kind, compat: &MoonshotCompatLayer, edited: bool) {
    for body in kind.bodies(edited) {
        let (rope, report) = compat.rewrite(body.clone());
        assert_eq!(edited, !report.changes().is_empty(), "{kind:?} {report}");
        let ours = rope.into_bytes();
        assert_eq!(edited, ours.as_ptr() != body.as_ptr());
        let ours: Value = serde_json::from_slice(&ours).unwrap();
        let theirs: Value = serde_json::from_slice(&value(&body)).unwrap();
        assert!(ours == theirs, "{kind:?}, edited: {edited}");
    }
}

/// Seconds that one call takes, for enough calls to be measured.
fn time(bodies: &[Bytes], mut rewrite: impl FnMut(&Bytes)) -> f64 {
    let calls = (2_000_000 / bodies[0].len()).clamp(1, 400) * bodies.len();
    let start = Instant::now();
    for body in bodies.iter().cycle().take(calls) {
        rewrite(body);
    }
    start.elapsed().as_secs_f64() / calls as f64
}

fn ratios(compat: &MoonshotCompatLayer) {
    const ROUNDS: usize = 31;
    println!("times faster than serde_json::Value, median of {ROUNDS} interleaved rounds\n");
    println!("| body | | nothing to change | edited | GB/s, nothing to change |");
    println!("|---|---|---|---|---|");
    for kind in &KINDS {
        let mut medians = Vec::new();
        let mut speed = 0.0;
        for edited in [false, true] {
            verify(kind, compat, edited);
            let bodies = kind.bodies(edited);
            let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
                .map(|_| {
                    let theirs = time(&bodies, |body| drop(black_box(value(body))));
                    let ours = time(&bodies, |body| {
                        black_box(layer(compat, body));
                    });
                    (theirs / ours, ours)
                })
                .collect();
            rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
            let (ratio, ours) = rounds[ROUNDS / 2];
            medians.push(ratio);
            if !edited {
                speed = bodies[0].len() as f64 / ours / 1e9;
            }
        }
        println!(
            "| {} | {} | {:.1} | {:.1} | {speed:.2} |",
            kind.name, kind.what, medians[0], medians[1]
        );
    }
}

fn figures(compat: &MoonshotCompatLayer, criterion: &mut Criterion) {
    for kind in &KINDS {
        for (edited, name) in [(false, "unchanged"), (true, "edited")] {
            let bodies = kind.bodies(edited);
            let mut group = criterion.benchmark_group(format!("{}/{name}", kind.name));
            group.throughput(Throughput::Bytes(bodies[0].len() as u64));
            let mut next = bodies.iter().cycle();
            group.bench_function("layer", |bencher| {
                bencher.iter(|| layer(compat, next.next().unwrap()));
            });
            let mut next = bodies.iter().cycle();
            group.bench_function("Value", |bencher| {
                bencher.iter(|| value(next.next().unwrap()));
            });
            group.finish();
        }
    }
}

fn main() {
    let compat = MoonshotCompatLayer::new();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_test = arguments.iter().any(|argument| argument == "--test");
    if is_test {
        for (kind, edited) in KINDS.iter().flat_map(|kind| [(kind, false), (kind, true)]) {
            verify(kind, &compat, edited);
        }
        println!("every output verified");
        return;
    }
    ratios(&compat);
    if !arguments.iter().any(|argument| argument == "ratios") {
        let mut criterion = Criterion::default().configure_from_args();
        figures(&compat, &mut criterion);
        criterion.final_summary();
    }
}
