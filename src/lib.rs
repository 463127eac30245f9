//! A [tower] layer that lets anything that speaks OpenAI's chat completions talk
//! to Moonshot AI's Kimi models.
//!
//! Moonshot's API is compatible with OpenAI's, but refuses much of what OpenAI's
//! clients send: temperatures above 1, forced tool choices, content arrays,
//! sampling parameters on its newer models, histories without
//! `reasoning_content`. [`MoonshotCompatLayer`] rewrites the body of such a
//! request in place, and its URL for the chosen [`Region`]. It stands in any tower
//! or axum stack in front of a forwarding client:
//!
//! ```
//! use axum::{Router, body::Body, http::Request};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_moonshot::{MoonshotCompatLayer, Report, emulator::Emulator};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In production: hyper-util's client. Here: an offline Moonshot.
//! let upstream = Emulator::new();
//!
//! let app = Router::new().fallback_service(
//!     ServiceBuilder::new()
//!         .layer(MoonshotCompatLayer::from_env()?)
//!         .service(upstream),
//! );
//!
//! // Moonshot knows no `moonshot/` before an id, no temperature above 1 and no
//! // developers.
//! let request = Request::post("/v1/chat/completions")
//!     .header("content-type", "application/json")
//!     .body(Body::from(
//!         r#"{"model":"moonshot/moonshot-v1-8k","temperature":2,"messages":[{"role":"developer","content":"Be brief."},{"role":"user","content":"Hi"}]}"#,
//!     ))?;
//! let response = app.oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//!
//! // What was changed stands in the extensions of the response.
//! let report = response.extensions().get::<Report>().ok_or("no report")?;
//! let places: Vec<String> = report.changes().iter().map(|change| change.pointer()).collect();
//! assert_eq!(places, ["/model", "/temperature", "/messages/0/role"]);
//! # Ok(())
//! # }
//! ```
//!
//! # On the side of the client
//!
//! The layer is no less at home around an HTTP client. Requests then need only a
//! path: where they go is the layer's business.
//!
//! ```
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
//! // `base` is an emulator's. Moonshot itself is Region::Global, the default.
//! let layer = MoonshotCompatLayer::new()
//!     .with_region(Region::custom(&base)?)
//!     .with_api_key(ApiKey::new("sk-your-key")?);
//! let mut client = layer.layer(Client::builder(TokioExecutor::new()).build_http());
//!
//! let body = Bytes::from_static(br#"{"model":"kimi-k3","messages":[{"role":"user","content":"Hi"}]}"#);
//! let request = Request::post("/v1/chat/completions").body(Full::new(body))?;
//! let response = client.call(request).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - **Only what Moonshot refuses is changed.** Every other byte arrives as it was
//!   sent: order of keys, white space, spelling of numbers, escapes, unknown
//!   fields. Bodies that are serialised anew lose the provider's prompt cache.
//! - **Nothing is hidden.** What was changed, where and why, is in the [`Report`],
//!   in the extensions of the request for the services inside and of the response
//!   for those outside.
//! - **Nothing is invented.** What can't be repaired goes through as it came, and
//!   Moonshot answers for itself: the layer makes no response and no error of its
//!   own.
//! - **Little is spent.** One strict pass over the body, no copy of what is not
//!   edited, and no allocation by the rewrite where nothing has to change, unless a
//!   key or an id has escapes or a tool's schema refers to another: both take a
//!   closer look.
//!
//! Only `POST …/chat/completions` with a JSON body is read. Any other request gets
//! the new URL and streams through; one with another method or path has no
//! [`Report`] either.
//!
//! # Where it belongs
//!
//! Order matters to some of its neighbours. From the outside in:
//!
//! 1. Tracing, timeouts, authentication and rate limits come before it: they need
//!    no body, and what they refuse is then never read.
//! 2. Decompression of requests comes before it, and a limit of the body inside of
//!    the decompression. A body with a `Content-Encoding` goes through untouched.
//! 3. This layer.
//! 4. Retries come behind it: [`RequestBody::try_clone`] copies no text.
//! 5. The client.
//!
//! The layer may stand in a stack twice; the second finds nothing to change.
//!
//! # Features
//!
//! - `emulator`: an offline Moonshot as a tower service, the module `emulator`, for
//!   tests without a key. Off by default.
//! - `inline-media`: a layer that fetches images and videos which are given by URL,
//!   and puts them in, the module `inline_media`. Off by default; needs tokio.
//! - `response`: a layer that repairs in answers what OpenAI's clients don't
//!   understand, the module `response`. Off by default.
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
#[cfg(feature = "response")]
#[allow(
    dead_code,
    unused_imports,
    reason = "its users come with the next commits"
)]
mod sse;

#[cfg(feature = "emulator")]
#[cfg_attr(docsrs, doc(cfg(feature = "emulator")))]
pub mod emulator;

#[cfg(feature = "inline-media")]
#[cfg_attr(docsrs, doc(cfg(feature = "inline-media")))]
pub mod inline_media;

#[cfg(feature = "response")]
#[cfg_attr(docsrs, doc(cfg(feature = "response")))]
pub mod response;

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
