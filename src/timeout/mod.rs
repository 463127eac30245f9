//! A timeout for reading request bodies.
//!
//! [`MoonshotCompat`](crate::MoonshotCompat) reads the body of a chat request before it
//! calls the inner service, and holds the inner service ready meanwhile. If a concurrency
//! limit or a buffer is inside, a client that stops in the middle of an upload holds a
//! place there. Put limits and buffers outside of the layer where you can. Where you
//! can't, [`with_body_read_timeout`] ends such uploads:
//!
#![cfg_attr(feature = "emulator", doc = "```")]
#![cfg_attr(not(feature = "emulator"), doc = "```ignore")]
//! use std::time::Duration;
//!
//! use axum::{BoxError, Router, error_handling::HandleErrorLayer, http::StatusCode};
//! use tower::ServiceBuilder;
//! use tower_moonshot::{MoonshotCompatLayer, emulator::Emulator};
//! use tower_moonshot::timeout::BodyReadTimeoutError;
//!
//! # fn app() -> Router {
//! let service = ServiceBuilder::new()
//!     .layer(HandleErrorLayer::new(|error: BoxError| async move {
//!         let status = match error.is::<BodyReadTimeoutError>() {
//!             true => StatusCode::REQUEST_TIMEOUT,
//!             false => StatusCode::BAD_GATEWAY,
//!         };
//!         (status, error.to_string())
//!     }))
//!     .layer(MoonshotCompatLayer::new().with_body_read_timeout(Duration::from_secs(30)))
//!     .concurrency_limit(100)
//!     .service(Emulator::new());
//! Router::new().fallback_service(service)
//! # }
//! # let _ = app();
//! ```
//!
//! The timeout is between two bytes, as that of tower-http's `RequestBodyTimeoutLayer`: it
//! starts when the layer waits for the body, and starts again with every piece that
//! arrives. When it passes, the future resolves to a [`BodyReadTimeoutError`], and the
//! inner service is not called. A client that always sends another byte in time is not
//! stopped. To limit the total time, put tower's timeout outside of the layer.
//!
//! Only bodies that this layer reads are timed. A body that is forwarded unread is not,
//! and if a layer outside reads the body first, such as the reasoning memory, there is
//! nothing left to time. `RequestBodyTimeoutLayer`, outside of all of them, covers every
//! body. With it, the inner service is called with a body that ends in an error.
//!
//! # Panics
//!
//! Like tower's timeout, the service panics outside of a tokio runtime with time enabled.
//!
//! [`with_body_read_timeout`]: crate::MoonshotCompatLayer::with_body_read_timeout

mod error;
mod future;
mod layer;
mod service;

pub use self::{
    error::BodyReadTimeoutError, future::ResponseFuture, layer::BodyReadTimeoutLayer,
    service::BodyReadTimeout,
};
