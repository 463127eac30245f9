//! One HTTP request and its response, which Envoy sends as one gRPC stream.
//!
//! The layers see an ordinary request and an ordinary response. Three parts run side by
//! side in the task of the gRPC stream:
//!
//! - the [pump](super::pump) takes Envoy's messages,
//! - `serve` runs the layers, and sends the response that they return,
//! - `forward` sends the request that the layers hand over.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use envoy_types::pb::envoy::service::ext_proc::v3::{
    CommonResponse, ProcessingRequest, processing_request::Request as Message,
};
use http::{HeaderValue, Request, Response, header::ACCEPT_ENCODING};
use http_body::Body;
use http_body_util::BodyExt;
use tonic::{Status, Streaming};
use tower::{Layer, Service, ServiceExt};
use tower_moonshot::{LeaveBody, Report, response::ResponseCompatLayer};

use super::{
    admit::{Destination, Stop},
    answers::Outbound,
    body::{EnvoyBody, Lost},
    handover::{Handed, Handover},
    head::{self, Length, RequestHead},
    heavy::{LONG_BYTES, Thorough, Work},
    message::{self, Side},
    modes::{Mode, Modes},
    processor::Processor,
    pump::{Pump, Received, Shared},
    record::Record,
    refusal::Refusal,
    route::Route,
    stream,
};

/// What is known of an exchange from its first message.
struct Exchange<'a> {
    processor: &'a Processor,
    outbound: &'a Outbound,
    record: &'a Record,
    shared: &'a Shared,
    head: &'a RequestHead,
    modes: Modes,
    /// The settings of the route, or what is wrong with them.
    route: Result<&'a Route, &'a str>,
    has_body: bool,
    work: Work,
    /// Whether the head of the request was answered. Where Envoy buffers the body, that
    /// asks for it.
    is_answered: &'a AtomicBool,
}

/// Runs the exchange that Envoy begins with its first message. `route` holds the settings
/// of its route, or what is wrong with them.
pub(crate) async fn run(
    processor: Arc<Processor>,
    route: Result<Route, String>,
    mut inbound: Streaming<ProcessingRequest>,
    outbound: Outbound,
) -> Result<(), Status> {
    let Some(first) = inbound.message().await? else {
        return Ok(());
    };
    let modes = Modes::of(first.protocol_config.as_ref()).inspect_err(|status| {
        processor.metrics.misconfigured.inc();
        tracing::error!("Envoy's filter is misconfigured: {}", status.message());
    })?;
    let record = Record::new(&processor);
    let shared = Shared::default();
    let (head, has_body) = match first.request {
        Some(Message::RequestHeaders(headers)) => {
            (RequestHead::read(headers.headers), !headers.end_of_stream)
        }
        // Without a head there is nothing to rewrite.
        message => {
            let pump = Pump::new(&mut inbound, &outbound, &shared, &record, modes, None);
            return pump.run(message).await;
        }
    };
    let head = head.and_then(|head| {
        let request = head.request(())?;
        Some((head, request))
    });
    let Some((head, request)) = head else {
        let pump = Pump::new(&mut inbound, &outbound, &shared, &record, modes, None);
        return pump
            .run(Some(Message::RequestHeaders(<_>::default())))
            .await;
    };
    record.began(&head);

    let is_answered = Arc::new(AtomicBool::new(false));
    let (sender, body) = if has_body && modes.request != Mode::None {
        let (sender, body) = EnvoyBody::channel(head::announced(&head.headers));
        (Some(sender), body)
    } else {
        (None, EnvoyBody::empty())
    };
    let body = if has_body && modes.request == Mode::Buffered {
        let (is_answered, outbound) = (Arc::clone(&is_answered), outbound.clone());
        body.asking(move || {
            if !is_answered.swap(true, Ordering::Relaxed) {
                outbound.send_first(message::head(Side::Request, CommonResponse::default()));
            }
        })
    } else {
        body
    };
    let exchange = Exchange {
        processor: &processor,
        outbound: &outbound,
        record: &record,
        shared: &shared,
        head: &head,
        modes,
        route: route.as_ref().map_err(String::as_str),
        has_body,
        work: Work::new(processor.turns.clone()),
        is_answered: &is_answered,
    };
    let (handover, mut handed) = Handover::new();
    let serving = exchange.serve(request.map(|()| body), handover);
    let forwarding = async {
        match handed.recv().await {
            Some(handed) => exchange.forward(handed).await,
            None => Ok(()),
        }
    };
    // In the heap, because a future that is moved into another takes its room twice.
    let mut served = Box::pin(async {
        // `Lost` says that Envoy has ended the exchange, which the pump sees too.
        tokio::try_join!(serving, forwarding).map(drop)
    });
    let served = exchange.work.run(served.as_mut());
    // Polled first, so that everything that was received is known when the layers run.
    let pump = Pump::new(&mut inbound, &outbound, &shared, &record, modes, sender);
    tokio::select! {
        biased;
        result = pump.run(None) => result,
        _ = served => Ok(()),
    }
}

impl Exchange<'_> {
    /// Runs the layers, and sends the response that they return.
    async fn serve(&self, mut request: Request<EnvoyBody>, handover: Handover) -> Result<(), Lost> {
        let admission = &self.processor.admission;
        if let Err(refusal) = admission.authenticate(&mut request) {
            return self.refuse(&refusal).await;
        }
        let route = match self.route {
            Ok(route) => route,
            Err(problem) => {
                self.processor.metrics.misconfigured_routes.inc();
                tracing::error!("the route of a request is misconfigured in Envoy: {problem}");
                if admission.fails_closed {
                    return self.refuse(&Refusal::of_misconfigured_route()).await;
                }
                return self.respond(handover, request).await;
            }
        };
        if self.modes.request == Mode::None {
            request.extensions_mut().insert(LeaveBody);
        }
        let is_read = !route.no_rewrite || !admission.entries.is_one_for_all();
        if is_read && self.has_body && admission.layer.reads(&request) {
            self.gather_long(request.body_mut()).await?;
        }
        let destination = admission.direct(&mut request, self.has_body, route).await;
        let destination = match destination {
            Ok(destination) => destination,
            Err(Stop::Refused(refusal)) => return self.refuse(&refusal).await,
            Err(Stop::Lost) => return Err(Lost),
        };
        self.record.destined(&destination);
        if matches!(destination, Destination::Route) {
            return self.respond(handover, request).await;
        }
        if route.no_rewrite {
            request.extensions_mut().insert(LeaveBody);
        }
        let service = Thorough {
            layer: admission.layer.clone(),
            handover,
            work: self.work.clone(),
        };
        let layer = &self.processor.quick_layer;
        if !self.reads_response() || !layer.reads(&request) {
            return self.respond(layer.layer(service), request).await;
        }
        // The layers don't read compressed responses.
        let none = HeaderValue::from_static("identity");
        request.headers_mut().insert(ACCEPT_ENCODING, none);
        let repairs = if self.processor.repairs(route) {
            ResponseCompatLayer::new()
        } else {
            ResponseCompatLayer::new().without_rules()
        };
        let service = repairs.layer(layer.layer(service));
        match self.processor.memory_for(&request, route) {
            // Outside of the rewrite, which would fill in for a missing thought.
            Some(memory) => self.respond(memory.layer(service), request).await,
            None => self.respond(service, request).await,
        }
    }

    /// Gathers a body that takes long to rewrite, and waits for a turn at that.
    async fn gather_long(&self, body: &mut EnvoyBody) -> Result<(), Lost> {
        let limit = self.processor.admission.max_body_bytes;
        let length = body.size_hint();
        // A body of unknown length may be long. One over the limit is not rewritten.
        let may_be_long = length.upper().is_none_or(|upper| upper >= LONG_BYTES);
        if !may_be_long || length.lower() > limit as u64 {
            return Ok(());
        }
        let gathered = body.gather(limit).await?;
        if gathered.is_some_and(|body| body.len() as u64 >= LONG_BYTES) {
            self.work.begin_long().await;
        }
        Ok(())
    }

    /// Whether the layers get the response.
    fn reads_response(&self) -> bool {
        let reads = |route| self.processor.reads_responses(route);
        self.modes.response == Mode::Streamed && self.route.is_ok_and(reads)
    }

    async fn respond<S, B>(&self, service: S, request: Request<EnvoyBody>) -> Result<(), Lost>
    where
        S: Service<Request<EnvoyBody>, Response = Response<B>, Error = Lost>,
        B: Body<Data = Bytes, Error = Lost>,
    {
        let response = service.oneshot(request).await?;
        self.record.reported(response.extensions());
        let (parts, body) = response.into_parts();
        let received = parts.extensions.get::<Received>();
        let header_mutation =
            received.and_then(|received| head::changes(&received.headers, &parts.headers));
        let has_body = received.is_some_and(|received| received.has_body);
        let response = CommonResponse {
            header_mutation,
            ..CommonResponse::default()
        };
        self.outbound
            .send(message::head(Side::Response, response))
            .await?;
        if !has_body {
            return Ok(());
        }
        let trailers = || self.shared.trailers(Side::Response);
        stream::send(body, Side::Response, self.outbound, trailers).await?;
        Ok(())
    }

    /// Sends the request that the layers hand over.
    async fn forward(&self, handed: Handed) -> Result<(), Lost> {
        let Handed {
            parts,
            body,
            respond,
        } = handed;
        self.work.end_long();
        if self.reads_response() {
            self.shared.awaits(respond);
            self.forward_request(&parts, body).await
        } else {
            let forwarded = self.forward_request(&parts, body).await;
            // Nobody answers the layers. They wait until Envoy ends the exchange.
            std::future::pending::<()>().await;
            drop(respond);
            forwarded
        }
    }

    async fn forward_request<B>(&self, parts: &http::request::Parts, body: B) -> Result<(), Lost>
    where
        B: Body<Data = Bytes, Error = Lost>,
    {
        let report = parts.extensions.get::<Report>();
        let switch = match self.modes.request {
            Mode::None => "mode",
            Mode::Buffered | Mode::Streamed => "route",
        };
        self.record.rewrote(report, switch);
        let skipped = report.and_then(Report::skipped);
        if self.processor.admission.fails_closed
            && let Some(refusal) = skipped.and_then(Refusal::of_skipped)
        {
            return self.refuse(&refusal).await;
        }
        let length = match self.modes.request {
            Mode::Buffered => Length::Set,
            Mode::None | Mode::Streamed => Length::Leave,
        };
        let header_mutation = self.head.mutation(parts, length);
        let response = CommonResponse {
            header_mutation,
            clear_route_cache: self.processor.clears_route_cache,
            ..CommonResponse::default()
        };
        if self.is_answered.swap(true, Ordering::Relaxed) {
            let body = collect(body).await?;
            let replaced = (!self.shared.is_buffered(&body)).then(|| body.into());
            let body = message::buffered_body(Side::Request, response, replaced);
            self.record.handed_over();
            return self.outbound.send(body).await;
        }
        let mut answer = message::head(Side::Request, response);
        let is_buffered = self.has_body && self.modes.request == Mode::Buffered;
        if is_buffered && self.modes.response == Mode::None {
            answer.mode_override = Some(message::nothing_else());
        }
        self.outbound.send(answer).await?;
        if is_buffered {
            // Only if Envoy doesn't allow the override, it sends the body nevertheless.
            collect(body).await?;
            let unchanged = message::buffered_body(Side::Request, <_>::default(), None);
            return self.outbound.send(unchanged).await;
        }
        if self.has_body && self.modes.request == Mode::Streamed {
            let trailers = || self.shared.trailers(Side::Request);
            stream::send(body, Side::Request, self.outbound, trailers).await?;
        }
        self.record.handed_over();
        Ok(())
    }

    async fn refuse(&self, refusal: &Refusal) -> Result<(), Lost> {
        self.record.refused(refusal);
        self.outbound.send(refusal.message()).await
    }
}

/// Returns the bytes of a body, in one piece without a copy if they are.
async fn collect<B: Body<Data = Bytes, Error = Lost>>(body: B) -> Result<Bytes, Lost> {
    Ok(body.collect().await?.to_bytes())
}
