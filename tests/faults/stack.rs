//! The layers in a server, in front of a client for the upstream.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    error_handling::HandleError,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::{net::TcpListener, task::JoinHandle};
use tower::{BoxError, Layer, ServiceExt, util::BoxCloneSyncService};
use tower_moonshot::{
    MoonshotCompatLayer, Region, reasoning_memory::ReasoningMemoryLayer,
    response::ResponseCompatLayer,
};

use crate::{
    messages::{OK, REWRITTEN, chat},
    script::{Act, Got, Message, Step, in_time, run},
};

/// Which layers are tested.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layers {
    /// `MoonshotCompatLayer`.
    One,
    /// `ReasoningMemoryLayer` and `ResponseCompatLayer` around it.
    All,
}

pub(crate) const BOTH: [Layers; 2] = [Layers::One, Layers::All];

/// A server with the layers and a client for the upstream, and where the upstream listens.
pub(crate) struct Stack {
    pub(crate) address: SocketAddr,
    pub(crate) upstream: TcpListener,
    /// The number of calls and bodies that are alive.
    alive: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Stack {
    /// Starts a server whose client speaks HTTP/1.1.
    pub(crate) async fn start(layers: Layers) -> Self {
        Self::with_client(layers, false).await
    }

    pub(crate) async fn with_client(layers: Layers, http2: bool) -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", upstream.local_addr().unwrap());
        let compat = MoonshotCompatLayer::new().with_region(Region::custom(&base).unwrap());
        let client = Client::builder(TokioExecutor::new())
            .http2_only(http2)
            .build_http();
        let service = match layers {
            Layers::One => {
                let one = compat.layer(client.map_request(outgoing));
                BoxCloneSyncService::new(one.map_response(incoming))
            }
            Layers::All => {
                let one = compat.layer(client.map_request(outgoing));
                let all = ReasoningMemoryLayer::new().layer(ResponseCompatLayer::new().layer(one));
                BoxCloneSyncService::new(all.map_response(incoming))
            }
        };
        let service = HandleError::new(service, |error| async move {
            (StatusCode::BAD_GATEWAY, format!("{error:?}"))
        });
        let alive = Arc::default();
        let app = Router::new().fallback_service(service).layer({
            let alive = Arc::clone(&alive);
            middleware::from_fn(move |request, next| count(Part::new(&alive), request, next))
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self {
            address,
            upstream,
            alive,
            server: tokio::spawn(async { axum::serve(listener, app).await.unwrap() }),
        }
    }

    /// Waits until no request, response or body of one is left.
    pub(crate) async fn is_idle(&self) {
        let idle = async {
            while self.alive.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        in_time(idle).await;
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn outgoing<B>(request: http::Request<B>) -> Request
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    request.map(Body::new)
}

fn incoming<B>(response: http::Response<B>) -> Response
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    response.map(Body::new)
}

/// A call or a body, counted until it is dropped.
struct Part(Arc<AtomicUsize>);

impl Part {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }

    /// Keeps a part as long as a body.
    fn of(&self, body: Body) -> Body {
        let part = Self::new(&self.0);
        Body::new(body.map_err(move |error| {
            let _ = &part;
            error
        }))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts a call, and the bodies of its request and its response.
async fn count(call: Part, request: Request, next: Next) -> Response {
    let response = next.run(request.map(|body| call.of(body))).await;
    response.map(|body| call.of(body))
}

/// What an end gets.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gets<'a> {
    Nothing,
    /// A part of a message, with so much of its body. A response says 200.
    CutOff(&'a str),
    /// A whole message with this body. A response says 200.
    Whole(&'a str),
    /// A whole response with this status.
    Status(u16),
}

impl Gets<'_> {
    pub(crate) fn check(self, got: &Got, whose: &str) {
        let is_right = match (self, got) {
            (Self::Nothing, Got::Nothing) => true,
            (Self::CutOff(body), Got::CutOff(got)) | (Self::Whole(body), Got::Whole(got)) => {
                got.body == body && (got.status().is_none() || got.status() == Some(200))
            }
            (Self::Status(status), Got::Whole(got)) => got.status() == Some(status),
            _ => false,
        };
        assert!(is_right, "{whose} should get {self:?}: {got:?}");
    }
}

impl Message {
    /// The status of a response.
    pub(crate) fn status(&self) -> Option<u16> {
        self.head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }
}

/// A name, the steps, and what the client and the upstream get.
pub(crate) type Row<'a> = (&'a str, Vec<Step<'a>>, Gets<'a>, Gets<'a>);

/// Runs each row, with one and with all layers. After it, nothing is left and the next
/// request is served.
pub(crate) async fn check(rows: Vec<Row<'_>>) {
    for layers in BOTH {
        let stack = Stack::start(layers).await;
        for (name, steps, client, upstream) in &rows {
            let name = format!("{name}, {layers:?}");
            // Tells which row a time limit has ended.
            println!("{name}");
            let (by_client, by_upstream) = run(stack.address, &stack.upstream, steps).await;
            client.check(&by_client, &format!("{name}: the client"));
            upstream.check(&by_upstream, &format!("{name}: the upstream"));
            stack.is_idle().await;
            serves(&stack, &name).await;
        }
    }
}

/// Checks that a request is served, on a connection of its own.
pub(crate) async fn serves(stack: &Stack, name: &str) {
    let request = chat();
    let steps = [
        Step::Client(Act::Sends(&request)),
        Step::Upstream(Act::Reads(REWRITTEN)),
        Step::Upstream(Act::Sends(OK)),
    ];
    let (client, upstream) = run(stack.address, &stack.upstream, &steps).await;
    Gets::Whole("{}").check(&client, &format!("{name}: the next client"));
    Gets::Whole(REWRITTEN).check(&upstream, &format!("{name}: the next upstream"));
}
