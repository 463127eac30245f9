//! From where may be fetched.

use std::{net::IpAddr, sync::Arc};

use ipnet::{IpNet, Ipv4Net};
use url::{Host, Url};

use super::{
    address::{NotPublic, canonical, is_public},
    report::NotInlined,
};
use crate::ConfigError;

/// From where may be fetched: from public addresses, and from what is allowed
/// besides.
///
/// It stands in the extensions of every request that [`InlineMedia`] makes. A
/// client of your own that resolves names asks it for each address, before it
/// connects to that very address.
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
    /// As a parsed URL has them.
    hosts: Arc<Vec<Box<str>>>,
}

impl Destinations {
    /// Public addresses only, which is the default.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Allows the addresses of a network, such as `10.0.0.0/8` or `fd00::/8`, or
    /// one address.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Network`] if it is none.
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

    /// Allows a host, by its name and without a port, whatever its addresses are.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Host`] if it is none.
    pub fn with_host(mut self, host: &str) -> Result<Self, ConfigError> {
        let parsed = Host::parse(host).map_err(|_| ConfigError::Host {
            given: host.to_owned(),
        })?;
        let name = parsed.to_string();
        Arc::make_mut(&mut self.hosts).push(rootless(&name).into());
        Ok(self)
    }

    /// Whether a host, as it stands in a URL, may be asked at an address that its
    /// name resolved to.
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

    /// What can be told of a URL before its name is resolved.
    pub(super) fn check(&self, url: &Url) -> Result<(), NotInlined> {
        let address = match url.host() {
            None => return Err(NotInlined::InvalidUrl),
            Some(host) if self.permits_host(&host.to_string()) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::from(address),
            Some(Host::Ipv6(address)) => IpAddr::from(address),
            // Never another machine, whatever a resolver says (RFC 6761).
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

/// The network of IPv4 that one of mapped addresses stands for: addresses are asked
/// for in that form.
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

/// A name without the dot for the root of all names.
fn rootless(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn is_localhost(name: &str) -> bool {
    let name = rootless(name);
    name == "localhost" || name.ends_with(".localhost")
}
