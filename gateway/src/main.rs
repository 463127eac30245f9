//! A gateway in front of Moonshot AI's Kimi models, for clients that speak OpenAI's
//! chat completions. It replaces `litellm --config config.yaml`.
//!
//! README.md beside this package describes its use. To learn how it is built, begin
//! with [`app`](app::app), which lists every layer from the outside in.
#![forbid(unsafe_code)]

mod app;
mod args;
mod auth;
mod chat;
mod client_key;
mod config;
mod content_encoding;
mod error;
mod failure;
mod forwarded;
mod forwarded_path;
mod framing;
mod greeting;
mod headers;
mod limits;
mod log;
mod malformed;
mod memory;
mod methods;
mod metrics;
mod models;
mod pool;
mod redis_store;
mod requested_model;
mod response;
mod retry;
mod routes;
mod scope;
mod searched;
mod secret;
mod server;
mod shutdown;
mod trail;
mod upstream;
mod yaml;

use std::{io, path::Path, process::ExitCode, sync::Arc, thread, time::Duration};

use clap::Parser;
use tokio::{net::TcpListener, time};
use tower::BoxError;
use tower_moonshot::emulator::Emulator;

use self::{
    app::{Shared, app},
    args::Args,
    auth::Authenticate,
    config::{API_BASE, API_KEY, Config, variable},
    forwarded::ForwardedHeaders,
    limits::Places,
    memory::Memory,
    metrics::Metrics,
    models::Models,
    retry::Retry,
    scope::Scopes,
    server::{App, HeadLimits, Workers},
    shutdown::{Shutdown, Signals},
    upstream::{Timeouts, Upstream},
};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), BoxError> {
    log::init(args.log)?;
    let is_emulated = args.config.is_none()
        && [API_KEY, API_BASE]
            .iter()
            .all(|name| variable(name).is_none());
    let config = match &args.config {
        Some(file) => read(file)?,
        None if is_emulated => Config::emulated(&variable)?,
        None => Config::from_env(&variable)?,
    };
    let timeouts = Timeouts {
        connect: args.connect_timeout,
        first_byte: args.first_byte_timeout,
    };
    let head_limits = HeadLimits {
        timeout: args.client_timeout,
        max_headers: args.max_headers.into(),
    };
    limits::raise_open_files(args.max_requests.get());
    let emulator = is_emulated.then(Emulator::new);
    let memory = Memory::new(args)?;
    let forwarded = ForwardedHeaders::new(&args.forward_header);
    let scopes = Scopes::new(args.reasoning_scope_header.clone());
    let shared = Shared {
        models: Arc::new(Models::new(&config, !args.no_rewrite)),
        authenticate: Authenticate::new(config.master_key.clone(), scopes),
        places: Places::new(args.max_requests.get()),
        retry: Retry::new(args.retries)?,
        memory,
        metrics: Arc::new(Metrics::new()),
        shutdown: Shutdown::default(),
    };
    let workers = match args.workers {
        Some(workers) => workers,
        None => thread::available_parallelism()?,
    };
    // Each worker has its own connections to the upstream.
    let apps = (0..workers.get()).map(|_| {
        let upstream = match &emulator {
            Some(emulator) => Upstream::emulator(emulator.clone(), timeouts, forwarded.clone()),
            None => Upstream::network(timeouts, forwarded.clone()),
        };
        let memory = shared.memory.as_ref();
        let store = memory.map(|memory| memory.store(&shared.metrics));
        let router = app(args, &shared, upstream, store.as_ref())?;
        Ok::<_, BoxError>(App { router, store })
    });
    let apps = apps.collect::<Result<_, _>>()?;

    server::runtime()?.block_on(async {
        // Before the address is printed, after which a signal may arrive.
        let signals = Signals::new()?;
        let listener = listen(args).await?;
        let workers = Workers::start(apps, head_limits, &shared.shutdown)?;
        let address = listener.local_addr()?;
        if let Some(Memory::Redis(redis)) = shared.memory.clone() {
            tokio::spawn(async move { redis.check().await });
        }
        greeting::warn(args, &config, is_emulated, address);
        greeting::print(&config, is_emulated, address)?;
        serve(
            listener,
            workers,
            signals,
            &shared.shutdown,
            args.shutdown_deadline,
        )
        .await
    })
}

/// Serves until the first signal, then shuts down: waits until open requests have
/// finished, the deadline has passed, or another signal arrives.
async fn serve(
    listener: TcpListener,
    mut workers: Workers,
    mut signals: Signals,
    shutdown: &Shutdown,
    deadline: Duration,
) -> Result<(), BoxError> {
    tokio::select! {
        failure = workers.accept(&listener) => return Err(failure),
        signal = signals.next() => signal?,
    }
    drop(listener);
    shutdown.begin();
    let connections_open = workers.open();
    if connections_open > 0 {
        tracing::info!(
            connections_open,
            "waiting for open requests; another signal ends them at once"
        );
    }
    tokio::select! {
        () = workers.ended() => return Ok(()),
        () = time::sleep(deadline) => {
            tracing::warn!("the shutdown deadline has passed: open requests are cut off");
        }
        signal = signals.next() => signal?,
    }
    shutdown.cut_off();
    // Requests that were cut off still write their log lines.
    workers.ended().await;
    Ok(())
}

/// Reads LiteLLM's file, and logs a warning for each key that is ignored.
fn read(file: &Path) -> Result<Config, BoxError> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let config = Config::parse(&text, &variable).map_err(|problem| format!("{name}, {problem}"))?;
    for warning in &config.warnings {
        tracing::warn!("{name}, {warning}");
    }
    Ok(config)
}

async fn listen(args: &Args) -> Result<TcpListener, BoxError> {
    let (host, port) = (args.host.as_str(), args.port);
    TcpListener::bind((host, port)).await.map_err(|error| {
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => "; stop the program that uses it, or choose another --port",
            _ => "",
        };
        format!("cannot listen on {host}:{port}: {error}{advice}").into()
    })
}
