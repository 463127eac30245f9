//! The layer, and the builder of its configuration.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use tower::Layer;

use super::{client::MediaClient, config::Config, service::InlineMedia};
use crate::ConfigError;

/// Layer that applies [`InlineMedia`], which fetches the images and videos of chat
/// requests and inlines them as `data:` URLs.
///
/// Cloning is cheap if cloning the client is. See the [module docs](super) for an example.
///
/// # Defaults
///
/// | setting | default |
/// |---|---|
/// | [`with_client`](Self::with_client) | [`MediaClient`] |
/// | [`with_allowed_host`](Self::with_allowed_host) | none |
/// | [`with_allowed_network`](Self::with_allowed_network) | none: public addresses only |
/// | [`with_user_agent`](Self::with_user_agent) | `tower-moonshot/` and the version |
/// | [`with_max_items`](Self::with_max_items) | 10 URLs per request |
/// | [`with_max_bytes`](Self::with_max_bytes) | 20 000 000 bytes |
/// | [`with_max_total_bytes`](Self::with_max_total_bytes) | 50 000 000 bytes per request |
/// | [`with_timeout`](Self::with_timeout) | 20 seconds per request |
/// | [`with_max_body_bytes`](Self::with_max_body_bytes) | 100 000 000 bytes |
#[derive(Clone, Debug)]
#[must_use]
pub struct InlineMediaLayer<C = MediaClient> {
    client: C,
    config: Arc<Config>,
}

impl Default for InlineMediaLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl InlineMediaLayer {
    /// Creates a layer with the [defaults](Self#defaults).
    pub fn new() -> Self {
        Self {
            client: MediaClient::new(),
            config: Arc::default(),
        }
    }
}

impl<C> InlineMediaLayer<C> {
    fn config(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }

    /// Sets the HTTP client that fetches. The default is [`MediaClient::new`].
    ///
    /// The [module docs](super#custom-clients) list the duties of a client.
    pub fn with_client<D>(self, client: D) -> InlineMediaLayer<D> {
        InlineMediaLayer {
            client,
            config: self.config,
        }
    }

    /// Allows a host by name, whatever its addresses are. The default is no host.
    ///
    /// `host` is a name or a literal address, without a port. All ports are allowed.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::Host`] if `host` could not be parsed.
    pub fn with_allowed_host(mut self, host: &str) -> Result<Self, ConfigError> {
        let destinations = self.config.destinations.clone().with_host(host)?;
        self.config().destinations = destinations;
        Ok(self)
    }

    /// Allows the addresses of a network, such as `10.0.0.0/8` or `fd00::/8`, or a single
    /// address. The default is no network: only public addresses are allowed.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::Network`] if `network` could not be parsed.
    pub fn with_allowed_network(mut self, network: &str) -> Result<Self, ConfigError> {
        let destinations = self.config.destinations.clone().with_network(network)?;
        self.config().destinations = destinations;
        Ok(self)
    }

    /// Sets the `User-Agent` of fetches. The default is `tower-moonshot/` and the version.
    ///
    /// Some hosts, such as Wikimedia's, require one with contact information.
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.config().user_agent = user_agent;
        self
    }

    /// Sets the maximum number of URLs that are fetched for one request. The default is
    /// 10.
    ///
    /// Parts with the same URL count once. Parts beyond the limit are left unchanged.
    pub fn with_max_items(mut self, limit: usize) -> Self {
        self.config().max_items = limit;
        self
    }

    /// Sets the maximum size in bytes of one image or video. The default is 20 000 000.
    ///
    /// A part with a larger one is left unchanged.
    pub fn with_max_bytes(mut self, limit: usize) -> Self {
        self.config().max_bytes = limit;
        self
    }

    /// Sets the maximum total size in bytes, before base64, of what is fetched for one
    /// request. The default is 50 000 000.
    ///
    /// An image that several parts show is fetched once and counted once. The new body has
    /// a copy for each of them, and is limited by
    /// [`with_max_body_bytes`](Self::with_max_body_bytes). If one of the two limits is
    /// exceeded, URLs are given up from the end of the request, and their parts are left
    /// unchanged.
    pub fn with_max_total_bytes(mut self, limit: usize) -> Self {
        self.config().max_total_bytes = limit;
        self
    }

    /// Sets the time limit for all fetches of one request, redirects included. The default
    /// is 20 seconds.
    ///
    /// Parts whose fetch is not complete by then are left unchanged.
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.config().timeout = limit;
        self
    }

    /// Sets the length in bytes up to which a body is read. The default is 100 000 000,
    /// Moonshot's own limit (documented).
    ///
    /// A longer body is forwarded unchanged. Inlining never makes a body longer than this.
    pub fn with_max_body_bytes(mut self, limit: usize) -> Self {
        self.config().max_body_bytes = limit;
        self
    }
}

impl<S, C: Clone> Layer<S> for InlineMediaLayer<C> {
    type Service = InlineMedia<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        InlineMedia::with_config(inner, self.client.clone(), Arc::clone(&self.config))
    }
}
