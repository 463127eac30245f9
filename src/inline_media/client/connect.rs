//! Connects to permitted addresses only.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{HttpConnector, dns::Name};
use rustls::ClientConfig;
use tower::{BoxError, Service, util::BoxCloneSyncService};

use crate::inline_media::{address::NotPublic, destinations::Destinations};

pub(super) type Resolver = BoxCloneSyncService<String, Vec<IpAddr>, BoxError>;

pub(super) fn connector(
    resolver: Resolver,
    destinations: Destinations,
    tls: Arc<ClientConfig>,
) -> HttpsConnector<HttpConnector<PermittedResolver>> {
    let mut http = HttpConnector::new_with_resolver(PermittedResolver {
        resolver,
        destinations,
    });
    http.enforce_http(false);
    http.set_nodelay(true);
    HttpsConnector::from((http, tls))
}

/// A resolver that drops addresses which are not permitted.
#[derive(Clone)]
pub(super) struct PermittedResolver {
    resolver: Resolver,
    destinations: Destinations,
}

impl Service<Name> for PermittedResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.resolver.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let addresses = self.resolver.call(name.as_str().to_owned());
        let destinations = self.destinations.clone();
        Box::pin(async move {
            let mut addresses = addresses.await?;
            let first = addresses.first().copied();
            addresses.retain(|&address| destinations.permits(name.as_str(), address));
            match first {
                Some(refused) if addresses.is_empty() => Err(NotPublic::new(refused).into()),
                // The connector sets the port.
                _ => {
                    let with_port = |address| SocketAddr::new(address, 0);
                    let addresses: Vec<_> = addresses.into_iter().map(with_port).collect();
                    Ok(addresses.into_iter())
                }
            }
        })
    }
}
