//! An external processor for Envoy, in front of Moonshot AI's Kimi models.
//!
//! README.md beside this package describes its use. To learn how it is built, begin
//! with [`exchange`], which shows one request from its first message to its last.
#![forbid(unsafe_code)]

mod admit;
mod answers;
mod args;
mod body;
mod entries;
mod exchange;
mod handover;
mod head;
mod heavy;
mod log;
mod message;
mod metrics;
mod modes;
mod processor;
mod pump;
mod record;
mod refusal;
mod reload;
mod route;
mod server;
mod stream;
mod tls;

use std::{process::ExitCode, sync::Arc};

use clap::Parser;
use moonshot_config::{
    config::{Config, variable},
    current::Current,
    file,
};
use moonshot_thoughts::{Memory, Settings};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
};
use tower::BoxError;

use self::{
    args::Args,
    metrics::Metrics,
    processor::{Processing, Processor},
    reload::Reload,
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
    let config = match &args.config {
        Some(file) => file::read(file)?,
        None => Config::from_env(&variable)?,
    };
    warn(args, &config);
    if !args.no_reasoning_memory && args.reasoning_store.is_none() {
        tracing::info!("thoughts are kept in this process: replicas don't share them");
    }
    let metrics = Arc::new(Metrics::new());
    let memory = memory(args)?;
    let store = memory.as_ref().map(|memory| {
        let lost = metrics.lost.clone();
        memory.store(Arc::new(move || {
            lost.inc();
        }))
    });
    let processor = Processor::new(args, &config, Arc::clone(&metrics), store.as_ref());
    let processor = Current::new(Arc::new(processor));
    let processing = Processing::new(processor.clone(), args.max_streams.get());
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(args.workers())
        .enable_all()
        .build()?;
    runtime.block_on(async {
        if let Some(Memory::Redis(redis)) = memory {
            tokio::spawn(async move { redis.check().await });
        }
        // Without a file there is nothing to reload, and SIGHUP ends the process.
        if let Some(file) = args.config.clone() {
            let reload = Reload {
                file,
                args: args.clone(),
                metrics: Arc::clone(&metrics),
                store: store.clone(),
                processor,
            };
            tokio::spawn(reload.run(signal(SignalKind::hangup())?));
        }
        let served = server::serve(args, processing, metrics).await;
        if let Some(store) = store {
            store.kept().await;
        }
        served
    })
}

/// Where thoughts are kept; `None` if nothing is kept.
fn memory(args: &Args) -> Result<Option<Memory>, BoxError> {
    if args.no_reasoning_memory {
        return Ok(None);
    }
    let memory = Memory::new(&Settings {
        bytes: args.reasoning_bytes,
        time_to_live: args.reasoning_ttl,
        redis: args.reasoning_store.as_deref(),
        redis_timeout: args.reasoning_store_timeout,
    });
    memory.map(Some)
}

/// Warns of settings that work, but hardly as intended.
fn warn(args: &Args, config: &Config) {
    let has_several = config
        .entries
        .windows(2)
        .any(|pair| pair[0].region.base_url().to_string() != pair[1].region.base_url().to_string());
    if has_several && !args.clear_route_cache {
        tracing::warn!(
            "entries are in several regions, but Envoy chooses the cluster before the region \
             is known: set --clear-route-cache, and a route for the host of each region"
        );
    }
}
