//! Answers that OpenAI's clients understand: a layer that repairs them on their way
//! back.
//!
//! Moonshot's answers are compatible with OpenAI's, but for some details that trip
//! OpenAI's clients. [`ResponseCompatLayer`] repairs them, in streams while they pass
//! and in JSON answers. It belongs around
//! [`MoonshotCompatLayer`](crate::MoonshotCompatLayer):
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
//! // Without the layer, the client would take half an answer for all of it.
//! let last = stream.trim_ascii().rsplit(|&byte| byte == b'\n').next();
//! assert!(last.ok_or("empty")?.starts_with(br#"data: {"error":{"message":"The stream ended"#));
//! assert_eq!(report.count(ResponseRule::End), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # What is repaired
//!
//! See [`ResponseRule`] for each repair, its reason and its source. Every rule can be
//! disabled. What needs no repair keeps its bytes: an event is edited in place, and
//! a frame without anything to repair is handed on itself, without a copy.
//!
//! Two rules depend on the request, which [`MoonshotCompat`](crate::MoonshotCompat)
//! reads: [`Model`](ResponseRule::Model) on the name that it replaced, and, in
//! streams, [`Usage`](ResponseRule::Usage) on `stream_options.include_usage`. Without it
//! inside, or where it did not read the request, they do nothing.
//!
//! # Which responses are read
//!
//! Those to `POST …/chat/completions`:
//!
//! - `text/event-stream` with a status of success, as a stream. It loses its
//!   `Content-Length` and its digests, because it may become longer.
//! - `application/json`, with any status, as a JSON answer. It is read before the
//!   response is handed on. `Content-Length` and digests are corrected if it changed.
//!
//! Compressed bodies pass unread: ask the upstream for none, or decompress them
//! inside of this layer. So do events and answers over
//! [`max_answer_bytes`](ResponseCompatLayer::with_max_answer_bytes), and everything
//! that is no valid JSON object. Of every response the account's headers are dropped.
//!
//! # What waits
//!
//! Events are handed on as soon as they are complete; the start of an event waits for
//! its rest. One event more may wait: the one with the name of a tool call, until the
//! next chunk shows whether the name is complete. Nothing else does, and nothing waits
//! with [`ToolCalls`](ResponseRule::ToolCalls) disabled.
//!
//! # Where it belongs
//!
//! Outside of `MoonshotCompatLayer`, and outside of everything that reads answers as
//! Moonshot gives them. Compression of responses belongs outside of this layer.

mod asked;
mod body;
mod error;
mod future;
mod layer;
mod members;
mod ops;
mod repair;
mod report;
mod rule;
mod service;
mod stream;
mod tool_calls;
mod usage;

pub(crate) use self::asked::Slot;
pub use self::{
    body::ResponseBody, future::ResponseFuture, layer::ResponseCompatLayer, report::ResponseReport,
    rule::ResponseRule, service::ResponseCompat,
};
