//! The default HTTP client.

mod connect;
mod future;

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Empty;
use hyper_rustls::ConfigBuilderExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use rustls::{ClientConfig, crypto::ring};
use tower::{BoxError, Service, ServiceExt, service_fn, util::BoxCloneSyncService};

use self::connect::{Resolver, connector};
pub use self::future::{MediaBody, MediaFuture};
use super::{address::NotPublic, destinations::Destinations};

/// The default HTTP client of [`InlineMediaLayer`](super::InlineMediaLayer).
///
/// It supports HTTP/1.1, and TLS with rustls and Mozilla's root certificates. It resolves
/// the host, keeps the addresses that the [`Destinations`] in the extensions of the request
/// permit, and connects to one of those, without a second look-up. Without `Destinations`,
/// it connects to public addresses only.
///
/// It uses no proxies, stores no cookies, reuses no connections and follows no redirects
/// (the layer does). Every request must be made within a tokio runtime with I/O and time
/// enabled. Cloning is cheap.
#[derive(Clone)]
pub struct MediaClient {
    /// Behind an `Arc`, because every fetch clones the client and cloning a boxed service
    /// allocates.
    resolver: Arc<Resolver>,
    tls: Arc<ClientConfig>,
}

static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions();
    #[expect(clippy::expect_used, reason = "the input is constant")]
    let config = config.expect("ring has cipher suites for both versions");
    Arc::new(config.with_webpki_roots().with_no_client_auth())
});

impl MediaClient {
    /// Creates a client that uses the resolver of the system.
    #[must_use]
    pub fn new() -> Self {
        let resolver = service_fn(|name: String| async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok::<_, std::io::Error>(addresses.map(|address| address.ip()).collect())
        });
        Self {
            resolver: Arc::new(BoxCloneSyncService::new(resolver.map_err(BoxError::from))),
            tls: Arc::clone(&TLS),
        }
    }

    /// Sets the resolver, a service from a name to its addresses. The default is the
    /// resolver of the system.
    ///
    /// The client connects only to those of the addresses that are permitted.
    #[must_use]
    pub fn with_resolver<R>(mut self, resolver: R) -> Self
    where
        R: Service<String, Response = Vec<IpAddr>> + Clone + Send + Sync + 'static,
        R::Error: Into<BoxError>,
        R::Future: Send + 'static,
    {
        self.resolver = Arc::new(BoxCloneSyncService::new(resolver.map_err(Into::into)));
        self
    }
}

impl Default for MediaClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MediaClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaClient").finish_non_exhaustive()
    }
}

impl Service<Request<Empty<Bytes>>> for MediaClient {
    type Response = Response<MediaBody>;
    type Error = BoxError;
    type Future = MediaFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Empty<Bytes>>) -> MediaFuture {
        let destinations = request.extensions().get::<Destinations>();
        let destinations = destinations.cloned().unwrap_or_default();
        if let Some(refused) = refused(request.uri(), &destinations) {
            return MediaFuture::refused(refused);
        }
        let resolver = Resolver::clone(&self.resolver);
        let connector = connector(resolver, destinations, Arc::clone(&self.tls));
        // No pool, because a pooled connection was checked against the destinations of
        // another request.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        MediaFuture::calling(client.request(request))
    }
}

/// Returns the literal address of a URI if it isn't permitted. Literal addresses bypass the
/// resolver.
fn refused(uri: &Uri, destinations: &Destinations) -> Option<NotPublic> {
    let host = uri.host()?;
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let address = literal.parse().ok()?;
    (!destinations.permits(host, address)).then(|| NotPublic::new(address))
}
