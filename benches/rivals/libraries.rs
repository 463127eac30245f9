//! The rewrite of a body, compared with the same job in other JSON libraries.
//!
//! ```sh
//! cargo bench -p rivals --bench libraries              # criterion's figures
//! cargo bench -p rivals --bench libraries -- ratios    # times faster than serde_json's Value
//! cargo bench -p rivals --bench libraries -- sizes     # nanoseconds per byte, by size
//! cargo bench -p rivals --bench libraries -- --test    # only verifies
//! ```
//!
//! With `--features ordered`, the baseline is serde_json's `Value` with `preserve_order`
//! and `arbitrary_precision`.
//!
//! Compare the ratios between machines and days, not the times: all candidates alternate
//! in one run on one thread, and the median of many rounds is printed. Every output is
//! verified before it is timed. `--record DIRECTORY` writes the figures there as CSV.

#[path = "../bodies/mod.rs"]
mod bodies;
mod candidates;
#[path = "../measure.rs"]
mod measure;
mod sizes;

use std::{
    error::Error,
    fmt::{self, Write},
    fs,
    hint::black_box,
    path::Path,
};

use bodies::{KINDS, Kind};
use bytes::Bytes;
use candidates::{Candidate, LIMITS, OTHERS, OURS, VALUE};
use criterion::{Criterion, Throughput};
use measure::{Rewrite, Rounds, mean_bytes};
use serde_json::Value;
use sizes::GROWTHS;

const STATES: [(bool, &str); 2] = [(false, "unchanged"), (true, "edited")];

/// All candidates that rewrite.
fn rewriters() -> impl Iterator<Item = Candidate> {
    [VALUE, OURS].into_iter().chain(OTHERS.iter().copied())
}

/// The candidates that are timed. With the ordered `Value`, only ours is compared, which
/// relates its figures to those of the plain one.
fn compared() -> impl Iterator<Item = Candidate> {
    let others = if cfg!(feature = "ordered") {
        &[]
    } else {
        [OTHERS, LIMITS].as_slice()
    };
    let others = others.iter().copied().flatten().copied();
    [VALUE, OURS].into_iter().chain(others)
}

/// The output of a candidate.
fn sent(candidate: &Candidate, body: &Bytes) -> Option<Vec<u8>> {
    measure::sent(candidate.rewrite, body)
}

/// Checks that all candidates output the same JSON, and that ours outputs the same bytes as
/// edits by the offsets that another library finds.
fn verify(body: &Bytes, what: &str) {
    let expected = sent(&VALUE, body).unwrap_or_default();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut by_offset = Vec::new();
    for candidate in rewriters() {
        let out = sent(&candidate, body).unwrap_or_default();
        let parsed = serde_json::from_slice::<Value>(&out).ok();
        assert!(
            parsed.as_ref() == Some(&expected),
            "{what}: {}",
            candidate.name
        );
        if candidate.name == "jiter" {
            by_offset = out;
        }
    }
    assert!(
        sent(&OURS, body).unwrap_or_default() == by_offset,
        "{what}: bytes"
    );
}

fn verify_all() {
    for kind in &KINDS {
        for (edited, state) in STATES {
            for body in kind.bodies(edited) {
                verify(&body, &format!("{}, {state}", kind.name));
                let changed = sent(&OURS, &body).unwrap() != *body;
                assert_eq!(changed, edited, "{}, {state}", kind.name);
            }
        }
    }
    for growth in &GROWTHS {
        for body in growth.bodies(growth.counts[0]) {
            if growth.repairs {
                let repaired = sent(&OURS, &body).unwrap();
                assert!(repaired != *body, "{}", growth.of);
                serde_json::from_slice::<Value>(&repaired).unwrap();
            } else {
                verify(&body, growth.of);
            }
        }
    }
}

/// Errors in values that no rewrite reads.
const FAULTS: [(&str, &[u8]); 6] = [
    ("a control character", b"\"\n\""),
    ("an unknown escape", b"\"\\q\""),
    ("bytes that are not UTF-8", b"\"\xff\xfe\""),
    ("a number with a leading zero", b"01"),
    ("a comma too many", b"[1,]"),
    ("text behind the end", b"1}}"),
];

/// Returns the errors that a candidate overlooks.
fn overlooked(candidate: &Candidate) -> Vec<&'static str> {
    let is_taken = |fault: &[u8]| {
        let head: &[u8] =
            br#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}],"metadata":{"x":"#;
        let body = Bytes::from([head, fault, b"}}"].concat());
        sent(candidate, &body).is_some()
    };
    FAULTS
        .iter()
        .filter(|(_, fault)| is_taken(fault))
        .map(|(name, _)| *name)
        .collect()
}

/// Prints how many times faster than `Value` each candidate is, by body. Returns CSV.
fn ratios() -> Result<String, fmt::Error> {
    const ROUNDS: usize = 31;
    let candidates: Vec<Candidate> = compared().collect();
    let rewrites: Vec<Rewrite> = compared().map(|candidate| candidate.rewrite).collect();
    let mut csv = String::from("body,what,bytes,state,candidate,times_value,ns\n");
    println!(
        "times faster than {}, median of {ROUNDS} interleaved rounds\n",
        VALUE.name
    );
    for (edited, state) in STATES {
        print!("| {state} |");
        let columns = candidates.iter().skip(1);
        columns.for_each(|candidate| print!(" {} |", candidate.name));
        println!(" GB/s |\n|---|{}", "---|".repeat(candidates.len()));
        for kind in &KINDS {
            let Kind { name, what, .. } = kind;
            let bodies = kind.bodies(edited);
            let rounds = Rounds::of(&rewrites, &bodies, ROUNDS);
            let bytes = mean_bytes(&bodies);
            print!("| {name} {what} |");
            for (index, candidate) in candidates.iter().enumerate() {
                let ratio = rounds.median(|round| round[0] / round[index]);
                let ns = rounds.median(|round| round[index]);
                let candidate = candidate.name;
                writeln!(
                    csv,
                    "{name},{what},{bytes},{state},{candidate},{ratio:.3},{ns:.1}"
                )?;
                if index > 0 {
                    print!(" {ratio:.1} |");
                }
            }
            println!(" {:.2} |", bytes as f64 / rounds.median(|round| round[1]));
        }
        println!();
    }
    Ok(csv)
}

/// Prints the errors that each candidate overlooks. Returns CSV.
fn faults() -> Result<String, fmt::Error> {
    let mut csv = String::from("candidate,overlooked\n");
    println!("faults that are overlooked in what no rule looks at\n");
    for candidate in rewriters() {
        let overlooked = overlooked(&candidate);
        let overlooked = if overlooked.is_empty() {
            String::from("none")
        } else {
            overlooked.join("; ")
        };
        println!("- {}: {overlooked}", candidate.name);
        writeln!(csv, "{},{overlooked}", candidate.name)?;
    }
    Ok(csv)
}

/// Prints the nanoseconds per byte, by kind of growth and size. Returns CSV.
fn sizes() -> Result<String, fmt::Error> {
    const ROUNDS: usize = 15;
    let mut csv = String::from("growth,count,bytes,candidate,ns_per_byte\n");
    println!("nanoseconds a byte, median of {ROUNDS} interleaved rounds\n");
    println!(
        "| | bytes | {} | {} |\n|---|---|---|---|",
        OURS.name, VALUE.name
    );
    for growth in &GROWTHS {
        for &count in growth.counts {
            let bodies = growth.bodies(count);
            let bytes = mean_bytes(&bodies);
            let rounds = Rounds::of(&[OURS.rewrite, VALUE.rewrite], &bodies, ROUNDS);
            print!("| {count} {} | {bytes} |", growth.of);
            for (index, candidate) in [OURS, VALUE].iter().enumerate() {
                let cost = rounds.median(|round| round[index]) / bytes as f64;
                print!(" {cost:.3} |");
                writeln!(
                    csv,
                    "{},{count},{bytes},{},{cost:.4}",
                    growth.of, candidate.name
                )?;
            }
            println!();
        }
    }
    Ok(csv)
}

fn figures(criterion: &mut Criterion) {
    for kind in &KINDS {
        for (edited, state) in STATES {
            let bodies = kind.bodies(edited);
            let mut group = criterion.benchmark_group(format!("{}/{state}", kind.name));
            group.throughput(Throughput::Bytes(bodies[0].len() as u64));
            for candidate in compared() {
                let mut next = bodies.iter().cycle();
                group.bench_function(candidate.name, |bencher| {
                    bencher.iter(|| {
                        next.next().and_then(|body| {
                            (candidate.rewrite)(body, &mut |piece| {
                                black_box(piece);
                            })
                        })
                    });
                });
            }
            group.finish();
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_asked = |name: &str| arguments.iter().any(|argument| argument == name);
    verify_all();
    println!("every output verified\n");
    if is_asked("--test") {
        return Ok(());
    }
    let recorded = if is_asked("ratios") && cfg!(feature = "ordered") {
        vec![("ordered.csv", ratios()?)]
    } else if is_asked("ratios") {
        vec![("ratios.csv", ratios()?), ("faults.csv", faults()?)]
    } else if is_asked("sizes") {
        vec![("sizes.csv", sizes()?)]
    } else {
        let mut criterion = Criterion::default().configure_from_args();
        figures(&mut criterion);
        criterion.final_summary();
        return Ok(());
    };
    if let Some(at) = arguments.iter().position(|argument| argument == "--record") {
        let directory = arguments.get(at + 1).ok_or("--record needs a directory")?;
        for (file, csv) in recorded {
            fs::write(Path::new(directory).join(file), csv)?;
        }
    }
    Ok(())
}
