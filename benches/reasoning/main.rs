//! What the reasoning memory adds: to a request, and to a chunk of a stream.
//!
//! ```sh
//! cargo bench --bench reasoning                   # CPU time
//! cargo bench --bench reasoning -- instructions   # instructions, counted by valgrind
//! ```
//!
//! All candidates take turns in one run. Printed are medians of the differences. That each
//! thought was restored or remembered is verified for every call.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../bodies/mod.rs"]
#[allow(dead_code, reason = "only its random words are needed")]
mod bodies;
mod conversation;
mod instructions;
mod service;

use bytes::Bytes;
use conversation::{TURNS, stream, taught};
use cpu_time::ThreadTime;
use service::{Answer, Frames, call, request};
use tower::Layer;
use tower_moonshot::{MoonshotCompatLayer, reasoning_memory::ReasoningMemoryLayer};

/// The number of chunks of a stream.
const CHUNKS: usize = 2000;

/// Makes this many calls, and returns the nanoseconds of each, in CPU time of the thread.
type Candidate = Box<dyn FnMut(usize) -> f64>;

fn timed(text: &Bytes, calls: usize, mut call: impl FnMut(http::Request<Frames>)) -> f64 {
    let requests: Vec<_> = (0..calls).map(|_| request(text)).collect();
    let start = ThreadTime::now();
    for request in requests {
        call(request);
    }
    start.elapsed().as_secs_f64() * 1e9 / calls as f64
}

/// The candidates by name: a request with no layer, with the compat layer, and with the
/// memory around it, which has all thoughts or none; a stream without the memory and with
/// it.
fn candidates() -> Vec<(&'static str, Candidate)> {
    let (text, taught) = taught();
    let inner = Answer(Frames::default());
    let compat = MoonshotCompatLayer::new().layer(inner.clone());
    let mut plain = inner;
    let mut only_compat = compat.clone();
    let mut restoring = taught.layer(compat.clone());
    let mut missing = ReasoningMemoryLayer::new().layer(compat);
    let texts = [(); 4].map(|()| text.clone());
    let [plain_text, compat_text, restored_text, missing_text] = texts;

    let asked = Bytes::from_static(
        br#"{"model":"kimi-k3","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#,
    );
    let mut streaming = Answer(stream(CHUNKS));
    let mut remembering = ReasoningMemoryLayer::new().layer(streaming.clone());
    let question = asked.clone();

    let turns = Some(TURNS as u32);
    vec![
        (
            "plain",
            Box::new(move |calls| {
                timed(&plain_text, calls, |request| {
                    assert!(call(&mut plain, request).is_none());
                })
            }),
        ),
        (
            "compat",
            Box::new(move |calls| {
                timed(&compat_text, calls, |request| {
                    assert!(call(&mut only_compat, request).is_none());
                })
            }),
        ),
        (
            "restored",
            Box::new(move |calls| {
                timed(&restored_text, calls, |request| {
                    let report = call(&mut restoring, request);
                    assert_eq!(report.map(|report| report.restored()), turns);
                })
            }),
        ),
        (
            "missing",
            Box::new(move |calls| {
                timed(&missing_text, calls, |request| {
                    let report = call(&mut missing, request);
                    assert_eq!(report.map(|report| report.missing()), turns);
                })
            }),
        ),
        (
            "stream",
            Box::new(move |calls| {
                timed(&asked, calls, |request| {
                    assert!(call(&mut streaming, request).is_none());
                })
            }),
        ),
        (
            "watched",
            Box::new(move |calls| {
                timed(&question, calls, |request| {
                    let report = call(&mut remembering, request);
                    assert_eq!(report.map(|report| report.remembered()), Some(1));
                })
            }),
        ),
    ]
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Prints the differences between the figures of the candidates, in this unit.
fn print(unit: &str, rounds: &[Vec<f64>]) {
    let of = |figure: &dyn Fn(&[f64]) -> f64| median(rounds.iter().map(|it| figure(it)).collect());
    let compat = of(&|it| it[1] - it[0]);
    let restored = of(&|it| it[2] - it[1]);
    let missing = of(&|it| it[3] - it[1]);
    let chunk = of(&|it| (it[5] - it[4]) / CHUNKS as f64);
    println!(
        "| {unit} | the compat layer alone | memory, all thoughts restored | memory, none found |"
    );
    println!("|---|---|---|---|");
    println!(
        "| a request with {TURNS} turns | {compat:.0} | +{restored:.0} ({:.2}×) | +{missing:.0} ({:.2}×) |",
        restored / compat,
        missing / compat
    );
    println!("\nA chunk of 200 bytes in a stream of {CHUNKS}: +{chunk:.0} {unit}.");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|argument| *argument != "--bench")
        .collect();
    let mut candidates = candidates();
    match arguments[..] {
        ["instructions"] => {
            let names = candidates.iter().map(|(name, _)| *name);
            print(
                "instructions",
                &[names.map(instructions::per_call).collect()],
            );
        }
        // What valgrind runs.
        [name, calls] => {
            let candidate = candidates.iter_mut().find(|(known, _)| *known == name);
            candidate.unwrap().1(calls.parse().unwrap());
        }
        _ => {
            // Run as a test, only the verification counts.
            let rounds = if arguments == ["--test"] { 1 } else { 301 };
            let round = |_| {
                candidates
                    .iter_mut()
                    .map(|(name, candidate)| {
                        let calls = if matches!(*name, "stream" | "watched") {
                            1
                        } else {
                            10
                        };
                        candidate(calls)
                    })
                    .collect()
            };
            print("nanoseconds", &(0..rounds).map(round).collect::<Vec<_>>());
        }
    }
}
