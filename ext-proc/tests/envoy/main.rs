//! The external processor behind a real Envoy, and gateways behind one.
//!
//! Envoy is the program that `ENVOY` names, or `envoy` in the path. It runs with
//! `envoy.yaml` beside this package, in which only addresses are replaced.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by them"
)]

mod configuration;
mod corpus;
mod faults;
mod frames;
mod gateways;
mod kubernetes;
mod process;
mod replicas;
mod routes;
mod tls;
mod upstream;

use std::{env, path::PathBuf, process::Stdio, time::Duration};

/// The time limit of each step, so that a failing test ends.
const FOREVER: Duration = Duration::from_secs(60);

/// The upstream's key. The clients' key is another.
const KEY: &str = "sk-of-the-upstream";
const CLIENT_KEY: &str = "sk-of-the-client";

/// Returns the program, or `None` where it is missing. Where all checks have to run, it is
/// not.
fn envoy() -> Option<PathBuf> {
    let program = env::var_os("ENVOY").map_or_else(|| "envoy".into(), PathBuf::from);
    let runs = std::process::Command::new(&program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let must_be = env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(runs || !must_be, "envoy is not installed");
    if !runs {
        eprintln!("skipped: envoy is not installed");
    }
    runs.then_some(program)
}

/// Fails if a step takes too long.
async fn in_time<F: Future>(step: F) -> F::Output {
    tokio::time::timeout(FOREVER, step).await.expect("in time")
}

/// Waits until something is true.
async fn until(mut is_true: impl AsyncFnMut() -> bool) {
    in_time(async {
        while !is_true().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}
