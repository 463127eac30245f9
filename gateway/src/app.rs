//! The stack of layers, from a client's request to the response it gets.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    error_handling::HandleErrorLayer,
    http::Request,
    middleware::from_fn_with_state,
    routing::{any, get, post_service},
};
use tower::{BoxError, ServiceBuilder, retry::RetryLayer};
use tower_http::{
    ServiceBuilderExt, catch_panic::CatchPanicLayer, decompression::RequestDecompressionLayer,
    request_id::MakeRequestUuid, timeout::RequestBodyTimeoutLayer,
    validate_request::ValidateRequestHeaderLayer,
};
use tower_moonshot::inline_media::InlineMediaLayer;

use super::{
    args::Args,
    auth::Authenticate,
    balance::Accounts,
    chat, client_key,
    config::Config,
    content_encoding,
    error::Error,
    framing::OnlyChunked,
    headers,
    heavy::Threads,
    limits::Places,
    memory::{Memory, Settings, Store},
    methods::KnownMethods,
    metrics::Metrics,
    models::Models,
    pool::Pool,
    retry::Retry,
    routes::{self, Gateway},
    scope::Scopes,
    shutdown::Shutdown,
    trail,
    upstream::Upstream,
};

/// What all workers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) models: Arc<Models>,
    /// Which entries cool down.
    pub(crate) accounts: Accounts,
    pub(crate) authenticate: Authenticate,
    pub(crate) places: Places,
    pub(crate) retry: Retry,
    /// Where thoughts are kept, if they are.
    pub(crate) memory: Option<Memory>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: Shutdown,
    pub(crate) threads: Threads,
}

impl Shared {
    pub(crate) fn new(args: &Args, config: &Config) -> Result<Self, BoxError> {
        let accounts = Accounts::default();
        Ok(Self {
            models: Self::models(args, config, &accounts),
            accounts,
            authenticate: Self::authenticate(args, config),
            places: Places::new(args.max_requests.get()),
            retry: Retry::new(args.retries)?,
            memory: memory(args)?,
            metrics: Arc::new(Metrics::new()),
            shutdown: Shutdown::default(),
            threads: Threads::new(),
        })
    }

    /// Replaces everything that comes from the configuration, and nothing else.
    pub(crate) fn configured(&self, args: &Args, config: &Config) -> Self {
        Self {
            models: Self::models(args, config, &self.accounts),
            authenticate: Self::authenticate(args, config),
            ..self.clone()
        }
    }

    fn models(args: &Args, config: &Config, accounts: &Accounts) -> Arc<Models> {
        Arc::new(Models::new(config, !args.no_rewrite, accounts))
    }

    fn authenticate(args: &Args, config: &Config) -> Authenticate {
        let scopes = Scopes::new(args.reasoning_scope_header.clone());
        Authenticate::new(config.master_key.clone(), scopes)
    }
}

/// Builds the stack for one worker. The first layer is the outermost: it sees a
/// request first and its response last.
pub(crate) fn app(
    args: &Args,
    shared: &Shared,
    upstream: Upstream,
    store: Option<&Store>,
) -> Result<Router, BoxError> {
    let models = Arc::clone(&shared.models);
    let max_body_bytes = args.max_body_bytes.get();
    let balance = args.balance;
    let memory = store.map(Store::layer);
    let repairs = !args.no_response_repairs && !args.no_rewrite;
    let chat = ServiceBuilder::new()
        // Turns errors of the layers below into responses in OpenAI's form.
        .layer(HandleErrorLayer::new(Error::respond))
        // Limits the time between two pieces of the request body.
        .layer(RequestBodyTimeoutLayer::new(args.client_timeout))
        .map_request(content_encoding::of_request)
        // Outside the rewrite, which leaves compressed bodies alone.
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        // Reads the body, up to the limit, and chooses the entry for its model.
        .filter_async({
            let threads = shared.threads.clone();
            move |request| {
                let (models, threads) = (Arc::clone(&models), threads.clone());
                chat::choose(request, models, balance, threads, max_body_bytes)
            }
        })
        // Outside the retries, so that media are fetched once per request.
        .option_layer(inline_media(args)?)
        // The body is in memory by now, so it can be sent again. Each attempt is
        // rewritten for the entry that gets it.
        .layer(RetryLayer::new(shared.retry.clone()))
        // Restores and keeps thoughts, repairs responses, and sends the request to its
        // entry, which has a MoonshotCompatLayer with its region, key and model.
        .service(Pool::new(
            upstream.clone(),
            shared.threads.clone(),
            Arc::clone(&shared.metrics),
            memory,
            repairs,
        ));

    // Bodies of other requests are forwarded unread, with the same time limit.
    let uploads = ServiceBuilder::new()
        .layer(RequestBodyTimeoutLayer::new(args.client_timeout))
        .map_request(|request: Request<_>| request.map(Body::new));

    let gateway = Gateway {
        models: Arc::clone(&shared.models),
        upstream,
        metrics: Arc::clone(&shared.metrics),
        memory: shared.memory.clone(),
        shutdown: shared.shutdown.clone(),
    };
    let for_all = ServiceBuilder::new()
        // Before the header is removed.
        .layer(ValidateRequestHeaderLayer::custom(OnlyChunked))
        // Outermost: a client must not be able to name in `Connection` a header
        // that a layer below adds.
        .map_request(headers::of_request)
        // Keeps the header out of logs and of HTTP/2's header table.
        .sensitive_request_headers(client_key::PLACES.into())
        // The client's request id or a new one, on the request and the response.
        .set_x_request_id(MakeRequestUuid)
        .propagate_x_request_id();

    // Layers are added as one stack, because each `layer` of a router boxes the
    // service inside it.
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
                // Before the body is read, and before the request takes a place.
                .layer(ValidateRequestHeaderLayer::custom(
                    shared.authenticate.clone(),
                ))
                // The place is kept until the last byte of the response.
                .layer(ValidateRequestHeaderLayer::custom(shared.places.clone())),
        )
        .fallback(routes::not_found)
        .layer(
            ServiceBuilder::new()
                .layer(for_all.clone())
                // Logs and counts each request once, however it ends.
                .layer(from_fn_with_state(shared.metrics.clone(), trail::record))
                .layer(CatchPanicLayer::custom(Error::panicked))
                .layer(ValidateRequestHeaderLayer::custom(KnownMethods)),
        );
    // These need no key and are not logged.
    let for_probes_and_prometheus = Router::new()
        .route("/health/liveliness", get(routes::liveliness))
        .route("/health/liveness", get(routes::liveliness))
        .route("/health/readiness", get(routes::readiness))
        .route("/metrics", get(routes::metrics))
        .method_not_allowed_fallback(routes::wrong_method)
        .layer(for_all);
    Ok(behind_the_key
        .merge(for_probes_and_prometheus)
        .with_state(gateway))
}

/// Where thoughts are kept; `None` if nothing is kept.
fn memory(args: &Args) -> Result<Option<Memory>, BoxError> {
    // Without a rewrite, bodies are not read either.
    if args.no_reasoning_memory || args.no_rewrite {
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

/// The layer that fetches media given by URL, if `--inline-media` is set. It is off
/// by default because it fetches from within the gateway's network.
fn inline_media(args: &Args) -> Result<Option<InlineMediaLayer>, BoxError> {
    if !args.inline_media {
        return Ok(None);
    }
    let mut layer = InlineMediaLayer::new().with_max_body_bytes(args.max_body_bytes.get());
    for network in &args.media_network {
        layer = layer
            .with_allowed_network(network)
            .map_err(|error| format!("--media-network: {error}"))?;
    }
    Ok(Some(layer))
}
