//! Middleware that repairs Moonshot's answers for OpenAI's clients.
//!
//! Moonshot's answers are compatible with OpenAI's except for a few details on which OpenAI's
//! clients fail. [`ResponseCompatLayer`] repairs these details in JSON answers and in streams,
//! event by event. It wraps [`MoonshotCompatLayer`](crate::MoonshotCompatLayer):
//!
//! ```
//! use axum::{Router, body::Body, http::Request};
//! use http_body_util::BodyExt;
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_moonshot::{
//!     MoonshotCompatLayer,
//!     emulator::{Emulator, Quirk},
//!     response::{ResponseCompatLayer, ResponseReport, ResponseRule},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // An offline Moonshot whose streams break off.
//! let upstream = Emulator::new().with_quirk(Quirk::BreaksOff);
//!
//! let app = Router::new().fallback_service(
//!     ServiceBuilder::new()
//!         .layer(ResponseCompatLayer::new())
//!         .layer(MoonshotCompatLayer::new())
//!         .service(upstream),
//! );
//!
//! let request = Request::post("/v1/chat/completions").body(Body::from(
//!     r#"{"model":"kimi-k3","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#,
//! ))?;
//! let response = app.oneshot(request).await?;
//! let report = response.extensions().get::<ResponseReport>().ok_or("no report")?.clone();
//! let stream = response.into_body().collect().await?.to_bytes();
//!
//! // Without the layer, the client would mistake half an answer for a whole one.
//! let last = stream.trim_ascii().rsplit(|&byte| byte == b'\n').next();
//! assert!(last.ok_or("empty")?.starts_with(br#"data: {"error":{"message":"The stream ended"#));
//! assert_eq!(report.count(ResponseRule::End), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # What is repaired
//!
//! [`ResponseRule`] lists each repair with its reason and its source. Every rule can be
//! disabled. [`ResponseReport`] in the response's extensions counts the repairs.
//!
//! Whatever needs no repair keeps its bytes: edits are made in place, and a frame without
//! edits is forwarded without a copy.
//!
//! Two rules need facts from the request: [`Model`](ResponseRule::Model) needs the name that
//! was replaced, and, in streams, [`Usage`](ResponseRule::Usage) needs
//! `stream_options.include_usage`. [`MoonshotCompat`](crate::MoonshotCompat) inside of this
//! layer supplies them when it reads a request. Otherwise both rules do nothing.
//!
//! # Which responses are read
//!
//! Responses to `POST …/chat/completions` are read by their content type:
//!
//! - `text/event-stream` with a status of 2xx is read as a stream. `Content-Length` and
//!   digests are removed from its head, because its length may change.
//! - `application/json` or `…+json`, with any status, is read as a JSON answer. The response
//!   is returned once the answer was read. If it was changed, `Content-Length` is set anew and
//!   digests are removed.
//!
//! These are forwarded unread and unchanged:
//!
//! - compressed bodies: decompress them inside of this layer, or ask the upstream for
//!   uncompressed ones
//! - events and JSON answers over
//!   [`max_answer_bytes`](ResponseCompatLayer::with_max_answer_bytes), 8 MiB by default
//! - data that is not a valid JSON object
//!
//! The account's headers are removed from every response, whatever its request.
//!
//! # Errors
//!
//! The layer adds no errors of its own. An error of the inner service or of its body is
//! returned unchanged. A stream that ends too early without an error gets an error event
//! ([`End`](ResponseRule::End)).
//!
//! # Latency
//!
//! An event is forwarded as soon as it is complete. With
//! [`ToolCalls`](ResponseRule::ToolCalls) enabled, an event with the name of a tool call is
//! held back until a later chunk shows whether the name is complete, along with the events
//! behind it. No other event is held back.
//!
//! # Order of layers
//!
//! Add this layer outside of `MoonshotCompatLayer`, and outside of every layer that reads
//! Moonshot's own answers. Add compression of responses outside of this layer.

mod body;
mod error;
mod future;
mod layer;
mod object_members;
mod pending_edits;
mod repair;
mod report;
mod request_facts;
mod rule;
mod service;
mod stream;
mod tool_calls;
mod usage;

pub(crate) use self::request_facts::RequestFactsSlot;
pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::ResponseCompatLayer, report::ResponseReport,
    rule::ResponseRule, service::ResponseCompat,
};
