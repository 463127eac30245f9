//! The hosts and networks that may be fetched from.

use std::{net::IpAddr, sync::Arc};

use ipnet::{IpNet, Ipv4Net};
use url::{Host, Url};

use super::{
    address::{NotPublic, canonical, is_public},
    report::NotInlined,
};
use crate::ConfigError;

/// The hosts and networks that may be fetched from: public addresses, and the others that
/// were allowed.
///
/// The extensions of every request that [`InlineMedia`] makes contain it. A custom client
/// that resolves names calls [`permits`](Self::permits) for an address before it connects
/// to that address.
///
/// ```
/// use tower_moonshot::inline_media::Destinations;
///
/// let destinations = Destinations::public()
///     .with_network("10.1.0.0/16")?
///     .with_host("minio")?;
/// let address = [10, 1, 2, 3].into();
/// assert!(destinations.permits("images.example.com", address));
/// let address = [10, 2, 2, 3].into();
/// assert!(!destinations.permits("images.example.com", address));
/// assert!(destinations.permits("minio", address));
/// # Ok::<(), tower_moonshot::ConfigError>(())
/// ```
///
/// [`InlineMedia`]: super::InlineMedia
#[derive(Clone, Debug, Default)]
pub struct Destinations {
    networks: Arc<Vec<IpNet>>,
    /// In the normalized form of a parsed URL, without a trailing dot.
    hosts: Arc<Vec<Box<str>>>,
}

impl Destinations {
    /// Permits public addresses only. This is the default.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Allows the addresses of a network, such as `10.0.0.0/8` or `fd00::/8`, or a single
    /// address.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::Network`] if `network` could not be parsed.
    pub fn with_network(mut self, network: &str) -> Result<Self, ConfigError> {
        let parsed = match network.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address)),
            Err(_) => network.parse::<IpNet>(),
        };
        let network = parsed.map_err(|_| ConfigError::Network {
            given: network.to_owned(),
        })?;
        Arc::make_mut(&mut self.networks).push(unmapped(network));
        Ok(self)
    }

    /// Allows a host by name, whatever its addresses are.
    ///
    /// `host` is a name or a literal address, without a port. All ports are allowed.
    ///
    /// # Errors
    ///
    /// Returns [`ConfigError::Host`] if `host` could not be parsed.
    pub fn with_host(mut self, host: &str) -> Result<Self, ConfigError> {
        let parsed = Host::parse(host).map_err(|_| ConfigError::Host {
            given: host.to_owned(),
        })?;
        let name = parsed.to_string();
        Arc::make_mut(&mut self.hosts).push(rootless(&name).into());
        Ok(self)
    }

    /// Returns whether a client may connect to `address` for `host`. `host` is the host of
    /// the URL, and `address` one that it resolved to.
    #[must_use]
    pub fn permits(&self, host: &str, address: IpAddr) -> bool {
        self.permits_host(host) || self.permits_address(address)
    }

    fn permits_host(&self, host: &str) -> bool {
        let host = rootless(host);
        self.hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    fn permits_address(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        is_public(address) || self.networks.iter().any(|net| net.contains(&address))
    }

    /// Checks the host of a URL, except for addresses that a name resolves to.
    pub(super) fn check(&self, url: &Url) -> Result<(), NotInlined> {
        let address = match url.host() {
            None => return Err(NotInlined::InvalidUrl),
            Some(host) if self.permits_host(&host.to_string()) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::from(address),
            Some(Host::Ipv6(address)) => IpAddr::from(address),
            // Always this machine, whatever a resolver returns (RFC 6761).
            Some(Host::Domain(name)) if is_localhost(name) => IpAddr::from([127, 0, 0, 1]),
            Some(Host::Domain(_)) => return Ok(()),
        };
        if self.permits_address(address) {
            Ok(())
        } else {
            Err(NotInlined::NotPublic(NotPublic::new(address)))
        }
    }
}

/// Converts a network of IPv4-mapped addresses to IPv4, the form that addresses are
/// compared in.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else {
        return network;
    };
    let v4 = v6.addr().to_ipv4_mapped();
    let length = v6.prefix_len().checked_sub(96);
    match v4.zip(length).map(|(v4, length)| Ipv4Net::new(v4, length)) {
        Some(Ok(v4)) => v4.into(),
        _ => network,
    }
}

/// Strips the trailing dot of a fully qualified name.
fn rootless(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn is_localhost(name: &str) -> bool {
    let name = rootless(name);
    name == "localhost" || name.ends_with(".localhost")
}
