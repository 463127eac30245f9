//! A [tower] layer that lets anything that speaks OpenAI's chat completions talk to
//! Moonshot AI's Kimi models.
//!
//! Moonshot's API is compatible with OpenAI's, but refuses much of what OpenAI's clients
//! send: temperatures above 1, forced tool choices, sampling parameters on its newer
//! models, tool schemas outside its dialect, histories without `reasoning_content`.
//! [`MoonshotCompatLayer`] rewrites the body of such a request in place, and its URL for
//! the chosen [`Region`]. It belongs in front of a forwarding client, in any tower or
//! axum stack:
//!
#![cfg_attr(feature = "emulator", doc = "```")]
#![cfg_attr(not(feature = "emulator"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use axum::{BoxError, Router, body::Body, error_handling::HandleErrorLayer};
//! use axum::http::{Request, StatusCode};
//! use hyper_rustls::HttpsConnectorBuilder;
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use tower::ServiceBuilder;
//! use tower_moonshot::MoonshotCompatLayer;
//!
//! fn app(layer: MoonshotCompatLayer) -> Router {
//!     let https = HttpsConnectorBuilder::new()
//!         .with_webpki_roots()
//!         .https_or_http()
//!         .enable_http1()
//!         .build();
//!     let client = Client::builder(TokioExecutor::new()).build::<_, Body>(https);
//!
//!     let service = ServiceBuilder::new()
//!         .layer(HandleErrorLayer::new(|error: BoxError| async move {
//!             (StatusCode::BAD_GATEWAY, error.to_string())
//!         }))
//!         // Ends when the response begins, so that it doesn't cut off streams.
//!         .timeout(Duration::from_secs(600))
//!         .layer(layer)
//!         // The client takes one type of body.
//!         .map_request(|request: Request<_>| request.map(Body::new))
//!         .service(client);
//!     Router::new().fallback_service(service)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! # use http_body_util::BodyExt;
//! # use tower::ServiceExt;
//! # use tower_moonshot::{Region, Report, emulator::Emulator};
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let base = format!("http://{}/v1", listener.local_addr()?);
//! # let emulator = Router::new().fallback_service(Emulator::new());
//! # tokio::spawn(async { axum::serve(listener, emulator).await });
//! # let layer = MoonshotCompatLayer::new().with_region(base.parse::<Region>()?);
//! # let request = Request::post("/v1/chat/completions")
//! #     .header("content-type", "application/json")
//! #     .body(Body::from(
//! #         r#"{"model":"kimi-k3","temperature":2,"messages":[{"role":"user","content":"Hi"}]}"#,
//! #     ))?;
//! # let response = app(layer).oneshot(request).await?;
//! # assert_eq!(response.status(), StatusCode::OK);
//! # assert_eq!(response.extensions().get::<Report>().map(|r| r.changes().len()), Some(1));
//! # let answer = response.into_body().collect().await?.to_bytes();
//! # assert!(String::from_utf8_lossy(&answer).contains("You said: Hi"));
//! # Ok(())
//! # }
//! ```
//!
//! The README has the same stack as a complete program with its dependencies.
//!
//! # What was changed
//!
//! The extensions of the response hold a [`Report`] of every change. Tests need no
//! network: with the feature `emulator`, an offline Moonshot takes the client's place.
//!
#![cfg_attr(feature = "emulator", doc = "```")]
#![cfg_attr(not(feature = "emulator"), doc = "```ignore")]
//! use http::Request;
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_moonshot::{MoonshotCompatLayer, Report, emulator::Emulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = ServiceBuilder::new()
//!     .layer(MoonshotCompatLayer::new())
//!     .service(Emulator::new());
//!
//! // Moonshot rejects the `moonshot/` prefix, temperatures above 1 and the `developer`
//! // role.
//! let body = r#"{
//!     "model": "moonshot/moonshot-v1-8k", "temperature": 2,
//!     "messages": [{"role": "developer", "content": "Be brief."}]
//! }"#;
//! let request = Request::post("/v1/chat/completions").body(body.to_owned())?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//!
//! let report = response.extensions().get::<Report>().ok_or("no report")?;
//! let places: Vec<String> = report.changes().iter().map(|c| c.pointer()).collect();
//! assert_eq!(places, ["/model", "/temperature", "/messages/0/role"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Around an HTTP client
//!
//! Wrap any HTTP client in the layer. Requests only need a path; the layer adds scheme
//! and host.
//!
#![cfg_attr(feature = "emulator", doc = "```")]
#![cfg_attr(not(feature = "emulator"), doc = "```ignore")]
//! use bytes::Bytes;
//! use http::Request;
//! use http_body_util::Full;
//! use hyper_util::{client::legacy::Client, rt::TokioExecutor};
//! use tower::{Layer, Service};
//! use tower_moonshot::{ApiKey, MoonshotCompatLayer, Region};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let base = format!("http://{}/v1", listener.local_addr()?);
//! # let emulator = tower_moonshot::emulator::Emulator::new().with_api_key("sk-your-key");
//! # let app = axum::Router::new().fallback_service(emulator);
//! # tokio::spawn(async { axum::serve(listener, app).await });
//! // `base` is the address of an emulator. The default is Moonshot itself.
//! let layer = MoonshotCompatLayer::new()
//!     .with_region(base.parse::<Region>()?)
//!     .with_api_key(ApiKey::new("sk-your-key")?);
//! let mut client = layer.layer(Client::builder(TokioExecutor::new()).build_http());
//!
//! let body = r#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#;
//! let request = Request::post("/v1/chat/completions").body(Full::new(Bytes::from(body)))?;
//! let response = client.call(request).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # Promises
//!
//! - **Only what Moonshot refuses is changed**, or what would silently mean something
//!   else. Every other byte arrives as it was sent: key order, white space, number
//!   spelling, escapes, unknown fields. Providers cache prompts by prefix, and a body that
//!   was serialised again loses its cache.
//! - **Nothing is hidden.** The [`Report`] holds every change with its place and reason. It
//!   is in the extensions of the request for the services inside, and in those of the
//!   response for the services outside.
//! - **Nothing is invented.** What can't be repaired is forwarded unchanged, and Moonshot
//!   answers for itself: the layer creates no response and no error of its own.
//! - **It is fast.** One strict pass over the body, no copy of what is not edited, and no
//!   allocation by the rewrite when nothing has to change, unless a key or an id has
//!   escapes or a tool's schema has references.
//!
//! Only `POST …/chat/completions` with a JSON body is read. Any other request gets the new
//! URL and key, and its body is streamed through unread. [`Rule`] lists what is rewritten,
//! and the module [`emulator`] everything that Moonshot is known to refuse, with sources.
//!
//! # Order of layers
//!
//! From the outside in:
//!
//! 1. Tracing, timeouts, authentication, rate and concurrency limits, buffers. They need no
//!    body, and a request that they refuse is not read. A concurrency limit inside of the
//!    layer would let a client that uploads slowly hold a permit.
//! 2. Decompression of requests, and inside of it a limit of the body's length. A body with
//!    a `Content-Encoding` is forwarded unchanged.
//! 3. This layer.
//! 4. Retries, which copy a request with [`try_clone_request`].
//! 5. The client.
//!
//! If the layer is in a stack twice, the second one finds nothing to change.
//!
//! # Features
//!
//! All are off by default.
//!
//! - `emulator`: the module [`emulator`], an offline Moonshot as a tower service, for tests
//!   without a key.
//! - `inline-media`: the module [`inline_media`], a layer that fetches images and videos
//!   given by URL and inlines them. Needs tokio.
//! - `reasoning-memory`: the module [`reasoning_memory`], a layer that remembers the
//!   reasoning of answers and restores it in later requests of clients that don't send it
//!   back. Needs tokio only for stores outside of the process.
//! - `response`: the module [`response`], a layer that repairs in responses what trips
//!   OpenAI's clients.
//! - `serde`: `Serialize` for reports, `Deserialize` for settings.
//!
//! # SIMD
//!
//! On x86-64 the scanner uses AVX2 where the processor has it, and SSE2 otherwise. On
//! aarch64 it uses NEON. On other processors it is portable code without `unsafe`, with SIMD
//! only in its dependencies `memchr` and `simdutf8`.
//!
//! # Examples
//!
//! In the directory `examples` of the package:
//!
//! - `gateway`: an axum server, the layer and an HTTPS client, as above.
//! - `client`: the layer around an HTTP client, with a stream.
//! - `async_openai`: the layer inside the client `async-openai`.
//! - `stack`: the layer among tower-http's layers and a rate limit.
//! - `emulator`: an offline Moonshot on a port, for programs in other languages.
//!
//! [tower]: https://docs.rs/tower
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admission;
pub mod body;
mod config;
mod endpoint;
mod error;
mod framing;
mod future;
mod json;
mod layer;
mod model;
mod overrides;
mod report;
mod rewrite;
mod schema;
#[cfg(feature = "serde")]
mod serde;
mod service;
#[cfg(any(feature = "reasoning-memory", feature = "response"))]
#[cfg_attr(
    not(all(feature = "reasoning-memory", feature = "response")),
    allow(dead_code, unused_imports, reason = "each feature uses a part of it")
)]
mod sse;

#[cfg(feature = "emulator")]
#[cfg_attr(docsrs, doc(cfg(feature = "emulator")))]
pub mod emulator;

#[cfg(feature = "inline-media")]
#[cfg_attr(docsrs, doc(cfg(feature = "inline-media")))]
pub mod inline_media;

#[cfg(feature = "reasoning-memory")]
#[cfg_attr(docsrs, doc(cfg(feature = "reasoning-memory")))]
pub mod reasoning_memory;

#[cfg(feature = "response")]
#[cfg_attr(docsrs, doc(cfg(feature = "response")))]
pub mod response;

#[cfg(feature = "timeout")]
#[cfg_attr(docsrs, doc(cfg(feature = "timeout")))]
pub mod timeout;

pub use self::{
    body::{RequestBody, try_clone_request},
    endpoint::{ApiKey, BaseUrl, Region},
    error::ConfigError,
    future::ResponseFuture,
    layer::MoonshotCompatLayer,
    overrides::{LeaveBody, ModelAliases, TargetModel},
    report::{InvalidJson, Report, Skipped},
    rewrite::{Change, NPolicy, Rule, ToolChoicePolicy},
    service::MoonshotCompat,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
