//! Images and videos by URL: a layer that fetches them, and puts them in.
//!
//! Moonshot takes images and videos as `data:` URLs, or as files that were
//! uploaded (`ms://`), and refuses `http` and `https` URLs (documented, live
//! reports), which most clients send. [`InlineMediaLayer`] stands in front of
//! [`MoonshotCompatLayer`] and makes the former of the latter:
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
//! // The picture of this example is on this machine, which is not public.
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
//! assert_eq!(report.media()[0].pointer(), "/messages/0/content/0/image_url/url");
//! assert_eq!(report.media()[0].outcome().map(Inlined::media_type), Ok(MediaType::Png));
//! # Ok(())
//! # }
//! ```
//!
//! # What is fetched
//!
//! The `image_url` and `video_url` parts of messages whose URL is http or https.
//! They are fetched side by side, and a URL that stands in several parts once.
//! Every other byte of the body stays as it was sent, and so does a part that
//! could not be fetched: Moonshot will refuse it, and the [`MediaReport`] says
//! why. Requests that name nothing by URL pass
//! through, and get no report from this layer.
//!
//! Only what Moonshot takes is put in, see [`MediaType`]: its first bytes have to
//! be those of such a format, and the server has to call it one, or nothing at
//! all. Where server and content differ within a kind, the content counts.
//!
//! Nothing is remembered from one request to the next. A conversation that shows
//! a picture again and again fetches it again; a cache is a
//! [client of your own](#a-client-of-your-own).
//!
//! # Who may make it fetch what
//!
//! Whoever sends requests chooses the URLs, from within your network. So:
//!
//! - Only [public addresses](is_public) are connected to. They are judged after a
//!   name was resolved, and what was judged is what is connected to.
//!   [`with_allowed_network`] and [`with_allowed_host`] open others.
//! - Redirects, five at the most, are judged like the first URL; none leads from
//!   https to http.
//! - URLs with a user or a password in them are refused, and nothing of the
//!   caller's request is sent: no `Authorization`, no cookies.
//! - Number, size and time are limited: [`with_max_items`], [`with_max_bytes`],
//!   [`with_max_total_bytes`], [`with_timeout`].
//!
//! The [`MediaReport`] doesn't hold URLs, which may be secrets. It does say that an
//! address is not public, and which status a server answered: it is for you, and
//! not for the caller, who could map your network with it.
//!
//! What is fetched is in memory as a whole, in base64, beside the body that names
//! it; and once more where a layer further in reads the body that becomes of it. A
//! limit of requests in flight belongs outside of this layer.
//!
//! # A client of your own
//!
//! [`with_client`] takes any service from `Request<Empty<Bytes>>` to a response,
//! such as hyper-util's client. For it the layer does what it does for its own:
//! it judges schemes, credentials and addresses that stand in the place of a name,
//! in every spelling, in the first URL and after every redirect; it keeps the
//! limits and looks at types. What is left to the client:
//!
//! - It resolves names, and must connect to no address that the [`Destinations`]
//!   in the extensions of the request don't permit. [`NotPublic`] among the
//!   sources of its error makes the report say so.
//! - It must not follow redirects, nor use a proxy that does or that resolves
//!   names in its own way.
//! - It must not add what is secret.
//!
//! [`MediaClient`] is such a service too, and takes layers as any other. Here one
//! that bounds how much is fetched at a time, whoever asks for it:
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
//!     "not inlined at /messages/0/content/0/image_url/url: 169.254.169.254 is not a public address",
//! );
//! # Ok(())
//! # }
//! ```
//!
//! Where only the names have to be resolved in another way, say by a resolver with
//! a cache, [`MediaClient::with_resolver`] does, and all else is seen to.
//!
//! The layer needs a tokio runtime with time enabled, and panics without one, as
//! tower's timeout does.
//!
//! [`MoonshotCompatLayer`]: crate::MoonshotCompatLayer
//! //! [`with_allowed_host`]: InlineMediaLayer::with_allowed_host
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
