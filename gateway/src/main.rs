//! A gateway in front of Moonshot AI's Kimi models, for clients that speak OpenAI's
//! chat completions. It replaces `litellm --config config.yaml`.
//!
//! README.md beside this package describes its use. To learn how it is built, begin
//! with [`app`](app::app), which lists every layer from the outside in.
#![forbid(unsafe_code)]

mod activity;
mod app;
mod args;
mod auth;
mod balance;
mod batch;
mod chat;
mod check;
mod connection;
mod content_encoding;
mod error;
mod explain;
mod failure;
mod forwarded;
mod forwarded_path;
mod framing;
mod greeting;
mod headers;
mod heavy;
mod jsonl;
mod limits;
mod log;
mod malformed;
mod methods;
mod metrics;
mod models;
mod pool;
mod probe;
mod quota;
mod reload;
mod reset;
mod response;
mod retry;
mod routes;
mod searched;
mod secret;
mod server;
mod shutdown;
mod socket;
mod trail;
mod upstream;

use std::{io, process::ExitCode, sync::Arc, thread, time::Duration};

use clap::Parser;
use moonshot_config::{client_key, config, current, file, requested_model, scope};
use moonshot_thoughts as memory;
use tokio::{net::TcpListener, time};
use tower::BoxError;
use tower_moonshot::emulator::Emulator;

use self::{
    app::{Shared, app},
    args::{Args, Command},
    config::{API_BASE, API_KEY, Config, variable},
    connection::Settings,
    current::Current,
    explain::Explain,
    forwarded::ForwardedHeaders,
    memory::Memory,
    quota::{ConnectionLimits, Quota},
    reload::{Kept, Reload},
    server::{App, Workers},
    shutdown::{Hangup, Shutdown, Signals},
    upstream::{Timeouts, Upstream},
};

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.command {
        Some(Command::Check(args)) => return check::run(args),
        Some(Command::Rewrite(args)) => return batch::run(args),
        Some(Command::Probe(args)) => probe::run(args),
        None => run(&args).map(|()| ExitCode::SUCCESS),
    };
    match result {
        Ok(code) => code,
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
        Some(file) => file::read(file)?,
        None if is_emulated => Config::emulated(&variable)?,
        None => Config::from_env(&variable)?,
    };
    let timeouts = Timeouts {
        connect: args.connect_timeout,
        first_byte: args.first_byte_timeout,
    };
    let settings = Settings {
        timeout: args.client_timeout,
        max_headers: args.max_headers.into(),
        half_close: !args.no_half_close,
    };
    let requests = args.max_requests.get();
    let mut limits = ConnectionLimits {
        all: args.max_connections.get(),
        per_address: Some(args.max_connections_per_address).filter(|limit| *limit > 0),
    };
    if let Some(files) = limits::raise_open_files(requests) {
        limits.all = limits::connections_within(files, limits.all, requests);
    }
    let emulator = is_emulated.then(Emulator::new);
    let forwarded = ForwardedHeaders::new(&args.forward_header);
    let shared = Shared::new(args, &config)?;
    let explain = Explain::new(args.explain, shared.threads.clone());
    let workers = match args.workers {
        Some(workers) => workers,
        None => thread::available_parallelism()?,
    };
    // Each worker has its own connections to the upstream.
    let apps = (0..workers.get()).map(|_| {
        let upstream = match &emulator {
            Some(emulator) => Upstream::emulator(
                emulator.clone(),
                timeouts,
                forwarded.clone(),
                explain.clone(),
            ),
            None => Upstream::network(timeouts, forwarded.clone(), explain.clone()),
        };
        let memory = shared.memory.as_ref();
        let store = memory.map(|memory| {
            let metrics = Arc::clone(&shared.metrics);
            memory.store(Arc::new(move || metrics.could_not_remember()))
        });
        let router = Current::new(app(args, &shared, upstream.clone(), store.as_ref())?);
        Ok::<_, BoxError>(Kept {
            upstream,
            store,
            router,
        })
    });
    let kept = apps.collect::<Result<Vec<_>, _>>()?;
    let apps = kept.iter().map(|kept| App {
        router: kept.router.clone(),
        store: kept.store.clone(),
    });
    let apps = apps.collect();

    server::runtime()?.block_on(async {
        // Before the address is printed, after which a signal may arrive.
        let signals = Signals::new()?;
        // Without a file there is nothing to reload, and SIGHUP ends the process.
        let hangup = args.config.as_ref().map(|_| Hangup::new()).transpose()?;
        let listener = listen(args).await?;
        let workers = Workers::start(apps, settings, &shared.shutdown)?;
        let address = listener.local_addr()?;
        if let Some(Memory::Redis(redis)) = shared.memory.clone() {
            tokio::spawn(async move { redis.check().await });
        }
        greeting::warn(args, &config, is_emulated, address);
        greeting::print(&config, is_emulated, address)?;
        let quota = Quota::new(limits, Arc::clone(&shared.metrics));
        let shutdown = shared.shutdown.clone();
        if let (Some(file), Some(hangup)) = (args.config.clone(), hangup) {
            let reload = Reload {
                file,
                args: args.clone(),
                address,
                shared,
                workers: kept,
            };
            tokio::spawn(reload.run(hangup));
        }
        serve(
            listener,
            quota,
            workers,
            signals,
            &shutdown,
            args.shutdown_deadline,
        )
        .await
    })
}

/// Serves until the first signal, then shuts down: waits until open requests have
/// finished, the deadline has passed, or another signal arrives.
async fn serve(
    listener: TcpListener,
    mut quota: Quota,
    mut workers: Workers,
    mut signals: Signals,
    shutdown: &Shutdown,
    deadline: Duration,
) -> Result<(), BoxError> {
    tokio::select! {
        failure = workers.accept(&listener, &mut quota) => return Err(failure),
        signal = signals.next() => signal?,
    }
    workers.accept_last(listener, &mut quota)?;
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
