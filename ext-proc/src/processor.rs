//! What all exchanges share, and the gRPC service that starts them.

use std::{pin::Pin, sync::Arc};

use envoy_types::pb::envoy::service::ext_proc::v3::{
    ProcessingRequest, ProcessingResponse, external_processor_server::ExternalProcessor,
};
use futures_core::Stream;
use http::Request as HttpRequest;
use moonshot_config::{
    config::Config,
    current::Current,
    scope::{Scopes, Unscoped},
};
use moonshot_thoughts::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap};
use tower_moonshot::{MoonshotCompatLayer, reasoning_memory::ReasoningMemoryLayer};

use super::{
    admit::Admission,
    answers::Answers,
    args::{Args, Fail},
    entries::Entries,
    exchange,
    heavy::{QUICK_STEPS, Turns},
    metrics::Metrics,
    route::Route,
};

/// What all exchanges share.
#[derive(Debug)]
pub(crate) struct Processor {
    pub(crate) admission: Admission,
    pub(crate) metrics: Arc<Metrics>,
    /// Admission's layer for a worker, which spends less on schemas.
    pub(crate) quick_layer: MoonshotCompatLayer,
    pub(crate) turns: Turns,
    /// Whether Envoy is asked to choose its route again.
    pub(crate) clears_route_cache: bool,
    repairs: bool,
    memory: Option<ReasoningMemoryLayer<Store>>,
}

impl Processor {
    pub(crate) fn new(
        args: &Args,
        config: &Config,
        metrics: Arc<Metrics>,
        store: Option<&Store>,
    ) -> Self {
        let max_body_bytes = args.max_body_bytes.get();
        let layer = MoonshotCompatLayer::new().with_max_body_bytes(max_body_bytes);
        Self {
            admission: Admission {
                entries: Entries::new(config),
                master: config.master_key.clone(),
                scopes: Scopes::new(args.reasoning_scope_header.clone()),
                layer: layer.clone(),
                max_body_bytes,
                fails_closed: args.fail == Fail::Closed,
            },
            metrics,
            quick_layer: layer.with_schema_budget(QUICK_STEPS),
            turns: Turns::new(args.workers()),
            clears_route_cache: args.clear_route_cache,
            repairs: !args.no_response_repairs,
            memory: store.map(Store::layer),
        }
    }

    /// Reads what the route of a request says.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn route(&self, metadata: &MetadataMap) -> Result<Route, String> {
        let route = Route::of(metadata)?;
        self.admission.entries.check(&route)?;
        Ok(route)
    }

    /// Whether responses on a route are repaired.
    pub(crate) const fn repairs(&self, route: &Route) -> bool {
        self.repairs && !route.no_response_repairs && !route.no_rewrite
    }

    /// Whether thoughts of requests on a route are kept.
    const fn remembers(&self, route: &Route) -> bool {
        self.memory.is_some() && !route.no_reasoning_memory && !route.no_rewrite
    }

    /// Whether any layer reads the responses on a route.
    pub(crate) const fn reads_responses(&self, route: &Route) -> bool {
        self.repairs(route) || self.remembers(route)
    }

    /// Returns the layer that keeps thoughts, unless the owner of the request is unknown.
    pub(crate) fn memory_for<B>(
        &self,
        request: &HttpRequest<B>,
        route: &Route,
    ) -> Option<&ReasoningMemoryLayer<Store>> {
        let is_scoped = request.extensions().get::<Unscoped>().is_none();
        let memory = self.memory.as_ref();
        memory.filter(|_| is_scoped && self.remembers(route))
    }
}

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct Processing {
    processor: Current<Arc<Processor>>,
    streams: Arc<Semaphore>,
}

impl Processing {
    /// A stream keeps the processor that it began with.
    pub(crate) fn new(processor: Current<Arc<Processor>>, max_streams: usize) -> Self {
        Self {
            processor,
            streams: Arc::new(Semaphore::new(max_streams.min(Semaphore::MAX_PERMITS))),
        }
    }

    fn permit(&self, processor: &Processor) -> Result<OwnedSemaphorePermit, Status> {
        let permit = Arc::clone(&self.streams).try_acquire_owned();
        permit.map_err(|_| {
            processor.metrics.overloaded.inc();
            Status::resource_exhausted("--max-streams are open")
        })
    }
}

#[tonic::async_trait]
impl ExternalProcessor for Processing {
    type ProcessStream = Pin<Box<dyn Stream<Item = Result<ProcessingResponse, Status>> + Send>>;

    async fn process(
        &self,
        request: Request<Streaming<ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let processor = self.processor.get();
        let permit = self.permit(&processor)?;
        let route = processor.route(request.metadata());
        let inbound = request.into_inner();
        let answers = Answers::new(|outbound| async move {
            let result = exchange::run(processor, route, inbound, outbound).await;
            drop(permit);
            result
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
