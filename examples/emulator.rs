//! An offline Moonshot on a port, for tests of programs in any language: it
//! refuses what Moonshot refuses, in its words, and answers in its form.
//!
//! Run it with
//!
//! ```text
//! cargo run --example emulator
//! ```
//!
//! and ask it, at first for what a model doesn't take:
//!
//! ```text
//! curl -i http://127.0.0.1:4002/v1/chat/completions -H 'content-type: application/json' -d '{
//!   "model": "kimi-k3", "temperature": 0.2, "messages": [{"role": "user", "content": "Hi!"}]
//! }'
//! ```
//!
//! What it accepts and what it says is told by the documentation of
//! `tower_moonshot::emulator`: `cargo doc --open --features emulator`.
//!
//! It speaks HTTP/1.1 and, to those who start with it, HTTP/2, and listens on
//! the loopback interface only. With `--port 0` the system chooses a free port;
//! the first line on standard output has the base URL in any case.

use std::error::Error;

use axum::{Router, serve::ListenerExt};
use clap::Parser;
use tokio::{net::TcpListener, signal};
use tower_moonshot::emulator::Emulator;

/// An offline Moonshot on a port of the loopback interface.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port to listen on; 0 for any that is free.
    #[arg(long, default_value_t = 4002)]
    port: u16,

    /// A key to ask for, as `Authorization: Bearer KEY`. Without it any will do,
    /// also none.
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,

    /// Accept models of no known family too, and treat them like the oldest ones.
    #[arg(long)]
    unknown_models: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut moonshot = Emulator::new();
    if let Some(key) = arguments.api_key {
        moonshot = moonshot.with_api_key(key);
    }
    if arguments.unknown_models {
        moonshot = moonshot.accept_unknown_models();
    }

    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| format!("port {}: {error}", arguments.port))?;
    println!("http://{}/v1", listener.local_addr()?);
    // Events of a stream are small, and none should wait for the next.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            eprintln!("no TCP_NODELAY: {error}");
        }
    });
    let stop = async { signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, Router::new().fallback_service(moonshot))
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
