//! A gateway: whatever speaks OpenAI's chat completions can talk to it, and gets
//! an answer of Moonshot's.
//!
//! Run it with
//!
//! ```text
//! cargo run --example gateway
//! ```
//!
//! and ask it for something that Moonshot would refuse. The header
//! `x-moonshot-rewrites` of the answer, and the log, say what was changed:
//!
//! ```text
//! curl -i http://127.0.0.1:4000/v1/chat/completions -H 'content-type: application/json' -d '{
//!   "model": "moonshot/kimi-k3", "temperature": 2,
//!   "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
//! }'
//! ```
//!
//! An emulator in this process answers, unless there is a `MOONSHOT_API_KEY`:
//! then Moonshot does. `MOONSHOT_API_BASE` is where to find it, if not at
//! `https://api.moonshot.ai/v1`; without a key, callers have to send theirs.
//! `PORT` moves the gateway to another port, `RUST_LOG=warn` makes it quiet.
//!
//! It asks its callers for no key of their own, so it listens on the loopback
//! interface only. The example `stack` shows what to put before a public one.

mod app;
mod error;
mod headers;
mod upstream;

use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, signal};
use tower::BoxError;
use tower_moonshot::MoonshotCompatLayer;
use tracing_subscriber::EnvFilter;

use crate::{
    app::{Config, app},
    upstream::Upstream,
};

const PORT: u16 = 4000;

/// With a model id, a temperature, content and a tool choice that Moonshot refuses.
const REQUEST: &str = include_str!("request.json");

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), BoxError> {
    let config = Config::default();
    let layer = MoonshotCompatLayer::from_env()?;
    let is_configured = ["MOONSHOT_API_KEY", "MOONSHOT_API_BASE"]
        .into_iter()
        .any(|name| variable(name).is_some());
    let (upstream, name) = if is_configured {
        (Upstream::network(&config), layer.region().base_url())
    } else {
        let name = "the emulator in this process; set MOONSHOT_API_KEY to ask Moonshot";
        (Upstream::emulator(&config), name.to_owned())
    };

    let listener = listen().await?;
    let address = listener.local_addr()?;
    println!("Gateway:  http://{address}");
    println!("Upstream: {name}");
    println!();
    println!("Try what Moonshot would refuse as it is:");
    println!();
    println!(
        "  curl -i http://{address}/v1/chat/completions -H 'content-type: application/json' -d '{}'",
        REQUEST.trim_end()
    );
    println!();
    println!("The x-moonshot-rewrites header and the log say what was changed.");
    println!(r#"For a stream use curl -N and add "stream": true."#);

    // Streams are made of small chunks, none of which should wait for the next.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
    });
    let serving = axum::serve(listener, app(layer, upstream, &config)).with_graceful_shutdown(
        interrupted("finishing open requests; ctrl-c again quits at once"),
    );
    tokio::select! {
        served = serving => served?,
        () = async { interrupted("").await; interrupted("quitting").await } => {}
    }
    Ok(())
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

async fn listen() -> Result<TcpListener, BoxError> {
    let port = match variable("PORT") {
        Some(port) => port
            .parse()
            .map_err(|_| format!("PORT is {port:?}; expected a number up to 65535"))?,
        None => PORT,
    };
    match TcpListener::bind(("127.0.0.1", port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(format!(
            "port {port} is taken: stop what listens there, or choose another port, \
             as in PORT={} cargo run --example gateway",
            port.checked_add(1).unwrap_or(PORT)
        )
        .into()),
        other => Ok(other?),
    }
}

/// Waits for ctrl-c.
async fn interrupted(then: &str) {
    if let Err(error) = signal::ctrl_c().await {
        tracing::warn!(%error, "no way to notice ctrl-c");
        std::future::pending::<()>().await;
    }
    if !then.is_empty() {
        tracing::info!("{then}");
    }
}
