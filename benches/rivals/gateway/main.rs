//! Measures what a request costs in the gateway, with load over loopback.
//!
//! ```sh
//! alias load='cargo bench --profile release -p rivals --bench gateway --'
//! load                       # about 90 seconds
//! load emulator              # the same in front of the emulator
//! load parts                 # what the layer adds to a proxy, part by part
//! load memory                # 1 000 requests of 1 MB at once
//! load soak 1800             # mixed requests with faults, for 1 800 seconds
//! load streams 10000         # as many slow streams at once, with a chunk a second
//! load streams 500 100       # with a chunk in 100 milliseconds
//! load envoy                 # in front of the external processor; ENVOY names the program
//! load envoy 10000           # as many slow streams at once there
//! load compare path/litellm  # compare-litellm.sh installs LiteLLM
//! load --test                # only verifies the answers
//! ```
//!
//! Every candidate is a process of its own, so that its processor time can be told from
//! that of the client and the upstream. All candidates use the same upstream and take
//! turns, round by round. The upstream is a role of this program, which takes little time
//! and recognises what should arrive, or the example `emulator`, which judges requests as
//! Moonshot does. The gateway is `moonshot-gateway` as `cargo install` builds it, and logs
//! one line per request to /dev/null. The profile above builds the others in the same way.
//!
//! Linux only: times and memory come from `/proc`.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../bodies/mod.rs"]
mod bodies;
#[path = "../candidates"]
mod candidates {
    pub(crate) mod job;
    pub(crate) mod value;
}
mod client;
mod compare;
mod envoy;
mod job;
mod load;
mod memory;
mod parts;
mod process;
mod proxy;
mod relay;
mod soak;
mod table;
mod upstream;

use std::{env, error::Error, process::ExitCode, time::Duration};

use tokio::signal::unix::{SignalKind, signal};

use self::{load::Upstream, proxy::With};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args()
        .skip(1)
        // `cargo bench` adds it.
        .filter(|argument| argument != "--bench")
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run_until_terminated(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments[..] {
        [] => load::run(Upstream::Light, false).await,
        ["emulator"] => load::run(Upstream::Emulator, false).await,
        ["--test"] => {
            load::run(Upstream::Light, true).await?;
            load::run(Upstream::Emulator, true).await
        }
        ["parts"] => parts::run().await,
        ["memory"] => memory::run().await,
        ["soak", seconds] => soak::mixed(Duration::from_secs(seconds.parse()?)).await,
        ["streams", count] => soak::streams(count.parse()?, Duration::from_secs(1)).await,
        ["streams", count, milliseconds] => {
            let pause = Duration::from_millis(milliseconds.parse()?);
            soak::streams(count.parse()?, pause).await
        }
        ["envoy"] => envoy::run(false).await,
        ["envoy", "--test"] => envoy::run(true).await,
        ["envoy", count] => envoy::streams(count.parse()?).await,
        ["compare", litellm] => compare::run(litellm.as_ref()).await,
        // The roles in which this program starts itself.
        ["upstream", hold] => upstream::serve(hold).await,
        ["soak-upstream", pause] => soak::serve(pause).await,
        ["ext-proc-idle"] => envoy::idle().await,
        ["relay", upstream] => relay::serve(upstream).await,
        ["proxy", upstream] => proxy::serve(upstream, With::Nothing).await,
        ["proxy-that-collects", upstream] => proxy::serve(upstream, With::Collect).await,
        ["proxy-without-rules", upstream] => proxy::serve(upstream, With::NoRules).await,
        ["proxy-with-layer", upstream] => proxy::serve(upstream, With::Layer).await,
        _ => Err("usage: gateway [--test | emulator | parts | memory | soak SECONDS | streams COUNT [MILLISECONDS] | envoy [COUNT] | compare LITELLM]".into()),
    }
}

/// Runs until a signal arrives, which also ends all processes that were started.
async fn run_until_terminated(arguments: &[&str]) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = run(arguments) => outcome,
        _ = terminate.recv() => Err("terminated".into()),
    }
}
