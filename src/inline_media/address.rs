//! Tells public addresses from private and reserved ones.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Returns whether an address belongs to the public internet, and not to this machine, its
/// network, its cloud provider or a reserved range.
///
/// An IPv4 address is public unless it is in IANA's registry of special-purpose addresses,
/// or `168.63.129.16`, which Azure reserves (documented). Entries of the registry that are
/// globally reachable are not public either.
///
/// An IPv6 address is public if it is global unicast (`2000::/3`) and not in the
/// corresponding IANA registry. Tunnel addresses (6to4, Teredo) are not public. An address
/// that embeds an IPv4 address (NAT64, `64:ff9b::/96`; IPv4-mapped, `::ffff:0:0/96`) is
/// public if the IPv4 address is.
///
/// ```
/// use tower_moonshot::inline_media::is_public;
///
/// assert!(is_public([1, 1, 1, 1].into()));
/// assert!(!is_public([169, 254, 169, 254].into()));
/// assert!(!is_public("::ffff:10.0.0.1".parse().unwrap()));
/// ```
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        // "This network" and loopback.
        [0 | 127, ..]
            // Private, RFC 1918.
            | [10, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            // Shared address space of providers, RFC 6598.
            | [100, 64..=127, ..]
            // Link-local, which includes the metadata service of most clouds.
            | [169, 254, ..]
            // Azure's services for its virtual machines (documented).
            | [168, 63, 129, 16]
            // Protocol assignments, which include the metadata service of Oracle's cloud.
            | [192, 0, 0, _]
            // Documentation.
            | [192, 0, 2, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            // AS112, AMT, 6to4 relays, AS112.
            | [192, 31, 196, _]
            | [192, 52, 193, _]
            | [192, 88, 99, _]
            | [192, 175, 48, _]
            // Benchmarking.
            | [198, 18..=19, ..]
            // Multicast, reserved, broadcast.
            | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments: Teredo, benchmarking, ORCHID and others.
        [0x2001, 0..=0x01ff, ..] => false,
        // Documentation.
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // 6to4.
        [0x2002, ..] => false,
        // AS112.
        [0x2620, 0x004f, 0x8000, ..] => false,
        // Global unicast. All other ranges are reserved or local.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// Returns the IPv4 address that packets to a mapped or NAT64 address are sent to.
const fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits((high as u32) << 16 | low as u32))
        }
        _ => None,
    }
}

/// Returns the form of an address that allowed networks are compared with: the embedded
/// IPv4 address, if there is one.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Error returned by a client that refuses to connect to an address which is neither
/// public nor allowed.
///
/// A custom client returns it, or an error that has it among its sources, so that the
/// [`MediaReport`](super::MediaReport) has the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPublic {
    address: IpAddr,
}

impl NotPublic {
    /// Creates the error for an address.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self { address }
    }

    /// Returns the refused address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not a public address", self.address)
    }
}

impl std::error::Error for NotPublic {}
