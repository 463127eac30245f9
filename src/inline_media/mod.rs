//! Middleware that fetches the images and videos of a chat request and inlines them as
//! `data:` URLs.
//!
//! Moonshot accepts images and videos as `data:` URLs and as uploaded files (`ms://`). It
//! rejects `http` and `https` URLs (documented; live reports), which most clients send.
//! Place [`InlineMediaLayer`] outside of [`MoonshotCompatLayer`]:
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_moonshot::{
//!     MoonshotCompatLayer, emulator::Emulator,
//!     inline_media::{InlineMediaLayer, Inlined, MediaReport, MediaType},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let url = format!("http://{}/moon.png", listener.local_addr()?);
//! # let moon = || async { ([("content-type", "image/png")], &b"\x89PNG\r\n\x1a\n"[..]) };
//! # let images = Router::new().route("/moon.png", get(moon));
//! # tokio::spawn(async { axum::serve(listener, images).await });
//! // The image of this example is on this machine, whose address is not public.
//! let inline_media = InlineMediaLayer::new().with_allowed_network("127.0.0.0/8")?;
//!
//! let app = Router::new().fallback_service(
//!     ServiceBuilder::new()
//!         .layer(inline_media)
//!         .layer(MoonshotCompatLayer::new())
//!         .service(Emulator::new()),
//! );
//!
//! let request = Request::post("/v1/chat/completions").body(Body::from(format!(
//!     r#"{{"model":"kimi-k3","messages":[{{"role":"user","content":[
//!         {{"type":"image_url","image_url":{{"url":"{url}"}}}},
//!         {{"type":"text","text":"What is this?"}}]}}]}}"#,
//! )))?;
//! let response = app.oneshot(request).await?;
//! assert_eq!(response.status(), 200);
//!
//! let report = response.extensions().get::<MediaReport>().ok_or("no report")?;
//! let image = &report.media()[0];
//! assert_eq!(image.pointer(), "/messages/0/content/0/image_url/url");
//! assert_eq!(image.outcome().map(Inlined::media_type), Ok(MediaType::Png));
//! # Ok(())
//! # }
//! ```
//!
//! # What is fetched
//!
//! The layer fetches `image_url` and `video_url` parts of messages whose URL has the
//! scheme `http` or `https`. It fetches all of them concurrently, and a URL that appears
//! in several parts once. Every other byte of the body stays as it was sent. A part that
//! could not be fetched is forwarded unchanged: Moonshot rejects it, and the
//! [`MediaReport`] has the reason. Requests without such parts pass through and get no
//! report from this layer.
//!
//! Only the formats of [`MediaType`] are inlined. The format is detected from the first
//! bytes of the content. The server's `Content-Type` must be that of an image, or of a
//! video, in one of these formats, or `application/octet-stream`, or be missing. If it
//! names another format of the same kind than the content has, the content wins.
//!
//! Nothing is cached between requests. A conversation that repeats an image in every
//! request fetches it every time. Caching is the task of a
//! [custom client](#custom-clients).
//!
//! # Security
//!
//! The sender of a request chooses URLs that are fetched from within your network.
//! Therefore:
//!
//! - The layer only connects to [public addresses](is_public). An address is checked
//!   after name resolution, and the connection is made to the checked address.
//!   [`with_allowed_network`] and [`with_allowed_host`] allow other addresses.
//! - Redirects are checked like the first URL. Up to five are followed, and none from
//!   https to http.
//! - URLs that contain a user name or a password are rejected. Nothing from the caller's
//!   request is sent: no `Authorization`, no cookies.
//! - Number, size and time are limited by [`with_max_items`], [`with_max_bytes`],
//!   [`with_max_total_bytes`] and [`with_timeout`].
//!
//! The [`MediaReport`] contains no URLs, because they may be secrets. It does contain
//! addresses that are not public and the status codes of servers. Don't show it to the
//! caller, who could map your network with it.
//!
//! Fetched content is held in memory in base64, beside the request body. A layer further
//! inside that reads the new body holds it a second time. To bound memory, place a limit
//! on concurrent requests outside of this layer.
//!
//! # Custom clients
//!
//! [`with_client`] accepts any service from `Request<Empty<Bytes>>` to a response, such as
//! hyper-util's client. The layer still checks the scheme, the credentials and literal
//! addresses in every spelling, in the first URL and after every redirect. It still
//! enforces the limits and checks the format. The client has these duties:
//!
//! - It resolves names. It must not connect to an address that the [`Destinations`] in the
//!   extensions of the request don't permit. If it refuses one, [`NotPublic`] should be
//!   its error or one of the sources, so that the report has the reason.
//! - It must not follow redirects. It must not use a proxy that follows redirects or
//!   resolves names.
//! - It must not add secrets to requests.
//!
//! [`MediaClient`] can be wrapped in layers like any other service. This one limits
//! concurrent fetches across all requests:
//!
//! ```
//! use http::Request;
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_moonshot::{
//!     MoonshotCompatLayer, emulator::Emulator,
//!     inline_media::{InlineMediaLayer, MediaClient, MediaReport},
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let client = ServiceBuilder::new()
//!     .concurrency_limit(100)
//!     .service(MediaClient::new());
//! let service = ServiceBuilder::new()
//!     .layer(InlineMediaLayer::new().with_client(client).with_max_items(4))
//!     .layer(MoonshotCompatLayer::new())
//!     .service(Emulator::new());
//!
//! let request = Request::post("/v1/chat/completions").body(
//!     r#"{"model":"kimi-k3","messages":[{"role":"user","content":[
//!         {"type":"image_url","image_url":{"url":"http://169.254.169.254/latest"}}]}]}"#
//!         .to_owned(),
//! )?;
//! let response = service.oneshot(request).await?;
//! assert_eq!(response.status(), 400);
//!
//! let report = response.extensions().get::<MediaReport>().ok_or("no report")?;
//! assert_eq!(
//!     report.media()[0].to_string(),
//!     "not inlined at /messages/0/content/0/image_url/url: \
//!      169.254.169.254 is not a public address",
//! );
//! # Ok(())
//! # }
//! ```
//!
//! To replace name resolution only, for example by a resolver with a cache, use
//! [`MediaClient::with_resolver`].
//!
//! # Panics
//!
//! Like tower's timeout, the layer panics outside of a tokio runtime with time enabled.
//!
//! [`MoonshotCompatLayer`]: crate::MoonshotCompatLayer
//! [`with_allowed_host`]: InlineMediaLayer::with_allowed_host
//! [`with_allowed_network`]: InlineMediaLayer::with_allowed_network
//! [`with_client`]: InlineMediaLayer::with_client
//! [`with_max_bytes`]: InlineMediaLayer::with_max_bytes
//! [`with_max_items`]: InlineMediaLayer::with_max_items
//! [`with_max_total_bytes`]: InlineMediaLayer::with_max_total_bytes
//! [`with_timeout`]: InlineMediaLayer::with_timeout

mod address;
mod client;
mod config;
mod data_url;
mod destinations;
mod fetch;
mod fetches;
mod find;
mod future;
mod layer;
mod media_type;
mod report;
mod service;

pub use self::{
    address::{NotPublic, is_public},
    client::{MediaBody, MediaClient, MediaFuture},
    destinations::Destinations,
    future::ResponseFuture,
    layer::InlineMediaLayer,
    media_type::MediaType,
    report::{Inlined, Media, MediaReport, NotInlined},
    service::InlineMedia,
};
