//! An offline Moonshot server, for tests of programs in any language. It rejects what
//! Moonshot rejects, with the same messages, and answers in the same format.
//!
//! Run it with
//!
//! ```text
//! cargo run --example emulator
//! ```
//!
//! and send a request, here with a temperature that the model rejects:
//!
//! ```text
//! curl -i http://127.0.0.1:4002/v1/chat/completions \
//!   -H 'content-type: application/json' -d '{"model": "kimi-k3", "temperature": 0.2,
//!     "messages": [{"role": "user", "content": "Hi!"}]}'
//! ```
//!
//! The documentation of `tower_moonshot::emulator` lists what it accepts and how it
//! answers: `cargo doc --open --features emulator`.
//!
//! It supports HTTP/1.1 and HTTP/2 with prior knowledge, and listens on the loopback
//! interface only. With `--port 0`, the system chooses a free port. The first line on
//! standard output is the base URL.
//!
//! With `--unique-thoughts`, no two answers have the same `reasoning_content`, and
//! `GET /returned-thoughts` lists which ones came back: for each accepted request, that of
//! each message of the assistant, or null.

use std::error::Error;

use axum::{Json, Router, routing::get, serve::ListenerExt};
use clap::Parser;
use tokio::{net::TcpListener, signal};
use tower_moonshot::emulator::Emulator;

/// An offline Moonshot server on the loopback interface.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on. 0 chooses a free one.
    #[arg(long, default_value_t = 4002)]
    port: u16,

    /// API key that requests must have, as `Authorization: Bearer KEY`. By default, any key
    /// is accepted, also none.
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,

    /// Accept unknown model ids and treat them like the oldest models. By default, they are
    /// answered with 404.
    #[arg(long)]
    unknown_models: bool,

    /// Give each answer a thought of its own, and list at /returned-thoughts which of them
    /// came back. By default, all thoughts are the same.
    #[arg(long)]
    unique_thoughts: bool,
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
    if arguments.unique_thoughts {
        moonshot = moonshot.with_unique_thoughts();
    }
    let returned = moonshot.clone();
    let app = Router::new()
        .route(
            "/returned-thoughts",
            get(async move || Json(returned.returned_thoughts())),
        )
        .fallback_service(moonshot);

    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| format!("could not listen on port {}: {error}", arguments.port))?;
    println!("http://{}/v1", listener.local_addr()?);
    // Sends the small events of a stream without delay.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            eprintln!("could not set TCP_NODELAY: {error}");
        }
    });
    let stop = async { signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}
