//! The configuration.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use tower::Layer;

use super::{client::MediaClient, config::Config, service::InlineMedia};
use crate::ConfigError;

/// Layer that applies [`InlineMedia`], which fetches the images and videos that a
/// chat request names by URL, and puts them in.
///
/// See the [module docs](super) for an example.
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
    /// A layer that fetches with [`MediaClient`], from public addresses.
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

    /// The service that fetches. The default is a [`MediaClient`].
    ///
    /// See the [module docs](super#a-client-of-your-own) for what it has to do,
    /// and must not.
    pub fn with_client<D>(self, client: D) -> InlineMediaLayer<D> {
        InlineMediaLayer {
            client,
            config: self.config,
        }
    }

    /// Allows a host, by its name and without a port, whatever its addresses are.
    /// The default is none.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Host`] if it is none.
    pub fn with_allowed_host(mut self, host: &str) -> Result<Self, ConfigError> {
        let destinations = self.config.destinations.clone().with_host(host)?;
        self.config().destinations = destinations;
        Ok(self)
    }

    /// Allows the addresses of a network, such as `10.0.0.0/8` or `fd00::/8`, or
    /// one address. The default is none besides the public ones.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Network`] if it is none.
    pub fn with_allowed_network(mut self, network: &str) -> Result<Self, ConfigError> {
        let destinations = self.config.destinations.clone().with_network(network)?;
        self.config().destinations = destinations;
        Ok(self)
    }

    /// What is sent as `User-Agent` to the hosts of images and videos. The default
    /// is `tower-moonshot/` and the version. Some hosts, such as Wikimedia's, ask
    /// for one that says how to reach you.
    pub fn with_user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.config().user_agent = user_agent;
        self
    }

    /// How many URLs are fetched for one request. The default is 10. Parts with
    /// the same URL count once; those beyond the limit stay as they came.
    pub fn with_max_items(mut self, limit: usize) -> Self {
        self.config().max_items = limit;
        self
    }

    /// How many bytes one image or video may have. The default is 20 000 000.
    pub fn with_max_bytes(mut self, limit: usize) -> Self {
        self.config().max_bytes = limit;
        self
    }

    /// How many bytes all images and videos that are put into one request may
    /// have, each counted as often as it is put in. The default is 50 000 000, or
    /// less where [`max_body_bytes`](Self::with_max_body_bytes) leaves less room.
    /// Of more than that, the first ones are put in.
    pub fn with_max_total_bytes(mut self, limit: usize) -> Self {
        self.config().max_total_bytes = limit;
        self
    }

    /// How long fetching for one request may take, with all redirects. The default
    /// is 20 seconds. What is not there by then is left out.
    pub fn with_timeout(mut self, limit: Duration) -> Self {
        self.config().timeout = limit;
        self
    }

    /// The length in bytes up to which the body of a request is read. The default
    /// is 100 000 000, Moonshot's own limit. A longer body goes on as it came, and
    /// none gets longer by what is put in.
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
