//! A gateway: whatever speaks OpenAI's chat completions can talk to it, and gets
//! an answer of Moonshot's. It takes the place of `litellm --config config.yaml`.
//!
//! Try it with
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
//!
//! Install it and serve the models of LiteLLM's configuration with
//!
//! ```text
//! cargo install --path . --example gateway
//! gateway --config config.yaml
//! ```
//!
//! `gateway --help` has the rest. It listens on the loopback interface unless
//! `--host` says otherwise, and asks for a key if the configuration has one.
//!
//! To learn how to build such a stack, begin with `app` below: every layer stands
//! there, from the outside in.

mod answer;
mod args;
mod asked;
mod auth;
mod chat;
mod config;
mod error;
mod headers;
mod limits;
mod log;
mod metrics;
mod models;
mod pool;
mod retry;
mod routes;
mod server;
mod shutdown;
mod trail;
mod upstream;
mod yaml;

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    error_handling::HandleErrorLayer,
    http::{Request, header::AUTHORIZATION},
    middleware::from_fn_with_state,
    routing::{any, get, post_service},
};
use clap::Parser;
use tokio::{net::TcpListener, time};
use tower::{BoxError, ServiceBuilder, retry::RetryLayer};
use tower_http::{
    ServiceBuilderExt, catch_panic::CatchPanicLayer, decompression::RequestDecompressionLayer,
    request_id::MakeRequestUuid, timeout::RequestBodyTimeoutLayer,
    validate_request::ValidateRequestHeaderLayer,
};
use tower_moonshot::{ConfigError, emulator::Emulator, inline_media::InlineMediaLayer};

use self::{
    args::Args,
    auth::Authenticate,
    config::{API_BASE, API_KEY, Config, variable},
    error::Error,
    limits::Places,
    metrics::Metrics,
    models::Models,
    pool::Pool,
    retry::Retry,
    routes::Gateway,
    server::{Patience, Workers},
    shutdown::{Shutdown, Signals},
    upstream::{Timeouts, Upstream},
};

/// With a model id, a temperature, content and a tool choice that Moonshot refuses.
const REQUEST: &str = include_str!("request.json");

/// What counts for all workers together.
struct Shared {
    models: Arc<Models>,
    authenticate: Authenticate,
    places: Places,
    retry: Retry,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
}

/// From a client's request to the answer it gets. The first layer is the
/// outermost: it sees a request first, and its answer last.
fn app(args: &Args, shared: &Shared, upstream: Upstream) -> Result<Router, BoxError> {
    let models = Arc::clone(&shared.models);
    let max_body_bytes = args.max_body_bytes.get();
    let chat = ServiceBuilder::new()
        // What fails inside becomes an answer in OpenAI's form.
        .layer(HandleErrorLayer::new(Error::answer))
        // Between two pieces of the request's body.
        .layer(RequestBodyTimeoutLayer::new(args.client_timeout))
        // The rewrite leaves compressed bodies alone, so none may reach it.
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        // Gathers the body, up to its limit, and finds the entry for its model.
        .filter_async(move |request| chat::choose(request, Arc::clone(&models), max_body_bytes))
        // Once for a request, however often that is sent.
        .option_layer(inline_media(args)?)
        // Inside of it the body is in memory, so it can be sent again. Every
        // attempt is rewritten for the entry it goes to.
        .layer(RetryLayer::new(shared.retry.clone()))
        // Each entry has a MoonshotCompatLayer: its region, its key, its model.
        .service(Pool::new(upstream.clone()));

    // What goes through as it comes has the same limit of time between two pieces.
    let uploads = ServiceBuilder::new()
        .layer(RequestBodyTimeoutLayer::new(args.client_timeout))
        .map_request(|request: Request<_>| request.map(Body::new));

    let gateway = Gateway {
        models: Arc::clone(&shared.models),
        upstream,
        metrics: Arc::clone(&shared.metrics),
        shutdown: shared.shutdown.clone(),
    };
    let for_all = ServiceBuilder::new()
        // What belongs to the client's connection stays on it. Outermost, so that
        // nobody can name in `Connection` what a layer adds.
        .map_request(headers::of_request)
        // Never in a log or in HTTP/2's table of headers.
        .sensitive_request_headers([AUTHORIZATION].into())
        // The client's id, or a new one; on the request and on the answer.
        .set_x_request_id(MakeRequestUuid)
        .propagate_x_request_id();

    // Layers come in stacks: each `layer` of a router boxes what is inside of it.
    let behind_the_key = Router::new()
        .route("/v1/chat/completions", post_service(chat.clone()))
        .route("/chat/completions", post_service(chat))
        .route("/v1/models", get(routes::models))
        .route("/models", get(routes::models))
        .route("/v1/models/{*id}", get(routes::one_model))
        .route("/models/{*id}", get(routes::one_model))
        .route("/v1/{*rest}", any(routes::pass_through).layer(uploads))
        .method_not_allowed_fallback(routes::wrong_method)
        .route_layer(
            ServiceBuilder::new()
                // Before anything of the body is read, and before a place is taken.
                .layer(ValidateRequestHeaderLayer::custom(
                    shared.authenticate.clone(),
                ))
                // A place is kept until the answer's last byte.
                .layer(ValidateRequestHeaderLayer::custom(shared.places.clone())),
        )
        .fallback(routes::not_found)
        .layer(
            ServiceBuilder::new()
                .layer(for_all.clone())
                // One line in the log and in the metrics, whatever happens inside.
                .layer(from_fn_with_state(shared.metrics.clone(), trail::record))
                .layer(CatchPanicLayer::custom(Error::panicked)),
        );
    // Open, and not worth a line.
    let for_probes_and_prometheus = Router::new()
        .route("/health/liveliness", get(routes::liveliness))
        .route("/health/liveness", get(routes::liveliness))
        .route("/health/readiness", get(routes::readiness))
        .route("/metrics", get(routes::metrics))
        .layer(for_all);
    Ok(behind_the_key
        .merge(for_probes_and_prometheus)
        .with_state(gateway))
}

/// What is given by URL is fetched on demand only: it is this gateway's network that
/// it is fetched from.
fn inline_media(args: &Args) -> Result<Option<InlineMediaLayer>, ConfigError> {
    if !args.inline_media {
        return Ok(None);
    }
    let layer = InlineMediaLayer::new().with_max_body_bytes(args.max_body_bytes.get());
    let mut networks = args.media_network.iter();
    networks
        .try_fold(layer, |layer, network| layer.with_allowed_network(network))
        .map(Some)
}

fn main() -> ExitCode {
    start(env::args_os())
}

/// The program, for the arguments of a command line.
pub(crate) fn start(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        // `--help` and `--version` as well.
        Err(error) => error.exit(),
    };
    match run(&args) {
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
    let patience = Patience {
        head: args.client_timeout,
        max_headers: args.max_headers.into(),
    };
    limits::raise_open_files(args.max_requests.get());
    let emulator = is_emulated.then(Emulator::new);
    let shared = Shared {
        models: Arc::new(Models::new(&config, !args.no_rewrite)?),
        authenticate: Authenticate::new(config.master_key.clone()),
        places: Places::new(args.max_requests.get()),
        retry: Retry::new(args.retries)?,
        metrics: Arc::new(Metrics::new()),
        shutdown: Shutdown::default(),
    };
    let workers = match args.workers {
        Some(workers) => workers,
        None => thread::available_parallelism()?,
    };
    // What they share counts for all of them. Connections to the upstream are each
    // one's own.
    let apps = (0..workers.get()).map(|_| {
        let upstream = match &emulator {
            Some(emulator) => Upstream::emulator(emulator.clone(), timeouts),
            None => Upstream::network(timeouts),
        };
        app(args, &shared, upstream)
    });
    let apps = apps.collect::<Result<_, _>>()?;

    server::runtime()?.block_on(async {
        // Before anybody can know that there is a process to end.
        let signals = Signals::new()?;
        let listener = listen(args).await?;
        let workers = Workers::start(apps, patience, &shared.shutdown)?;
        introduce(args, &config, is_emulated, &listener)?;
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

/// Until a signal comes; then until open requests are finished, the deadline is
/// over, or another one comes.
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
            "finishing open requests; another signal quits at once"
        );
    }
    tokio::select! {
        () = workers.ended() => return Ok(()),
        () = time::sleep(deadline) => {
            tracing::warn!("the deadline is over; open requests are cut off");
        }
        signal = signals.next() => signal?,
    }
    shutdown.cut_off();
    // Each of them still leaves its line in the log.
    workers.ended().await;
    Ok(())
}

/// Reads LiteLLM's file, and says what of it is not used.
fn read(file: &Path) -> Result<Config, BoxError> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|error| format!("{name}: {error}"))?;
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
            io::ErrorKind::AddrInUse => "; stop what listens there, or choose another --port",
            _ => "",
        };
        format!("can't listen on {host}:{port}: {error}{advice}").into()
    })
}

/// Says on stdout what is served, and what to try.
fn introduce(
    args: &Args,
    config: &Config,
    is_emulated: bool,
    listener: &TcpListener,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let has_key = config.entries.iter().any(|entry| entry.api_key.is_some());
    if !address.ip().is_loopback() && config.master_key.is_none() && has_key {
        tracing::warn!(
            "whoever reaches {address} can use the upstream's key: \
             set general_settings.master_key or LITELLM_MASTER_KEY"
        );
    }
    if config.master_key.is_some() && !is_emulated {
        for entry in config
            .entries
            .iter()
            .filter(|entry| entry.api_key.is_none())
        {
            tracing::warn!(
                "{:?} has no key, and callers can't send their own",
                entry.name
            );
        }
    }
    if args.no_rewrite {
        tracing::warn!("nothing is rewritten (--no-rewrite)");
    }

    let mut out = io::stdout().lock();
    writeln!(out, "Gateway:  http://{address}")?;
    if is_emulated {
        writeln!(
            out,
            "Upstream: the emulator in this process; set MOONSHOT_API_KEY to ask Moonshot"
        )?;
    }
    for entry in config.entries.iter().filter(|_| !is_emulated) {
        writeln!(
            out,
            "Upstream: {} for {}",
            entry.region.base_url(),
            entry.name
        )?;
    }
    if is_emulated {
        writeln!(out, "\nTry what Moonshot would refuse as it is:\n")?;
        let request = REQUEST.trim_end();
        let key = match &config.master_key {
            Some(_) => " -H \"authorization: Bearer $LITELLM_MASTER_KEY\"",
            None => "",
        };
        writeln!(
            out,
            "  curl -i http://{address}/v1/chat/completions -H 'content-type: application/json'{key} -d '{request}'"
        )?;
        writeln!(
            out,
            "\nThe x-moonshot-rewrites header and the log say what was changed."
        )?;
        writeln!(out, r#"For a stream use curl -N and add "stream": true."#)?;
    }
    out.flush()
}
