//! The client that fetches, unless there is another one.

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

/// The HTTP client of [`InlineMediaLayer::new`](super::InlineMediaLayer::new).
///
/// It speaks HTTP/1.1, with TLS by rustls and the certificates of Mozilla. It
/// resolves a host's name itself, and connects to one of those addresses that the
/// [`Destinations`] in the extensions of the request permit, public ones if there
/// are none: what was judged is what is connected to, however the name resolves
/// the next time. It knows no proxies, keeps no cookies and no connections, and
/// follows no redirects, which the layer does.
///
/// Cloning is cheap. It needs a tokio runtime with I/O and time.
#[derive(Clone)]
pub struct MediaClient {
    /// Shared, so that a clone of the client, of which every request gets one,
    /// allocates nothing.
    resolver: Arc<Resolver>,
    tls: Arc<ClientConfig>,
}

static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions();
    #[expect(clippy::expect_used, reason = "it depends on nothing from outside")]
    let config = config.expect("ring has cipher suites for both versions");
    Arc::new(config.with_webpki_roots().with_no_client_auth())
});

impl MediaClient {
    /// A client that resolves names as the system does.
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

    /// Resolves names with `resolver`, a service from a name to its addresses.
    /// Whatever it says, only addresses that are permitted are connected to.
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
        // For this request alone: a connection that is kept is one to a host of
        // somebody else's choice, and was judged by the destinations of then.
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(connector);
        MediaFuture::calling(client.request(request))
    }
}

/// The address that a URI has in the place of a name, if it isn't permitted: no
/// resolver is asked for it.
fn refused(uri: &Uri, destinations: &Destinations) -> Option<NotPublic> {
    let host = uri.host()?;
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let address = literal.parse().ok()?;
    (!destinations.permits(host, address)).then(|| NotPublic::new(address))
}
