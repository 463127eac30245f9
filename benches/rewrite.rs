//! The rewrite of a body, compared with the same job on a `serde_json::Value`: parse the
//! body, change it, serialize it.
//!
//! ```sh
//! cargo bench --bench rewrite
//! cargo bench --bench rewrite -- --test    # only verifies
//! ```
//!
//! Every output is verified before it is timed. Both candidates alternate in one run on
//! one thread, and the table has the median of many rounds. Compare the ratios between
//! machines and days, not the times. `benches/rivals` compares other JSON libraries.

#![allow(missing_docs, clippy::unwrap_used)]

mod bodies;
#[path = "rivals/candidates"]
mod candidates {
    pub(crate) mod job;
    pub(crate) mod ours;
    pub(crate) mod value;
}
mod measure;

use bodies::{KINDS, Kind};
use bytes::Bytes;
use candidates::{ours, value};
use measure::{Rounds, mean_bytes, sent};
use serde_json::Value;

const ROUNDS: usize = 31;

/// The edited bodies are the unchanged ones with what the model refuses put in. The
/// rewrite leaves the first as they are and makes the second equal to them, byte for
/// byte; where the body has images, content arrays stay, so that only the JSON of
/// `Value` can be compared.
fn verify(kind: &Kind) {
    let pairs = kind.bodies(false).into_iter().zip(kind.bodies(true));
    for (unchanged, edited) in pairs {
        let ours_sends = |body: &Bytes| sent(ours::rewrite, body).unwrap();
        assert!(ours_sends(&unchanged) == unchanged, "{}", kind.name);
        let rewritten = ours_sends(&edited);
        assert!(rewritten != edited, "{}", kind.name);
        assert!(rewritten == unchanged || kind.name == "e", "{}", kind.name);

        for body in [&unchanged, &edited] {
            let ours: Value = serde_json::from_slice(&ours_sends(body)).unwrap();
            let expected = sent(value::rewrite, body).unwrap();
            let expected: Value = serde_json::from_slice(&expected).unwrap();
            assert!(ours == expected, "{}: not the same JSON", kind.name);
        }
    }
}

/// The columns of one state of a body: gigabytes a second of both, and their ratio.
fn columns(bodies: &[Bytes]) -> String {
    let rounds = Rounds::of(&[ours::rewrite, value::rewrite], bodies, ROUNDS);
    let bytes = mean_bytes(bodies) as f64;
    let ours = bytes / rounds.median(|round| round[0]);
    let value = bytes / rounds.median(|round| round[1]);
    let ratio = rounds.median(|round| round[1] / round[0]);
    format!("{ours:>7.2} {value:>7.2} {ratio:>8.1}")
}

fn main() {
    KINDS.iter().for_each(verify);
    println!("every output verified\n");
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!("GB/s of this crate and of Value, and times faster: medians of {ROUNDS} rounds\n");
    println!("{:<36}{:<28}edited", "", "nothing to change");
    let columns_head = format!("{:>7} {:>7} {:>8}", "ours", "Value", "times");
    println!(
        "{:<24} {:>9}  {columns_head}    {columns_head}",
        "body", "bytes"
    );
    for kind in &KINDS {
        let [unchanged, edited] = [false, true].map(|edited| kind.bodies(edited));
        let name = format!("{} {}", kind.name, kind.what);
        let bytes = mean_bytes(&unchanged);
        println!(
            "{name:<24} {bytes:>9}  {}    {}",
            columns(&unchanged),
            columns(&edited)
        );
    }
}
