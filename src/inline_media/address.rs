//! Which addresses belong to everybody's internet.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Whether an address is one of the public internet: not one of this machine, of
/// its network or its cloud, and not reserved for anything else.
///
/// IPv4 addresses are judged by IANA's registry of special-purpose addresses, all
/// of it, also the few entries in it that are said to be reachable. Of IPv6 only
/// global unicast is public, `2000::/3`, without what IANA's registry takes out of
/// it; addresses that hold one of IPv4 for a gateway (NAT64, `64:ff9b::/96`) or
/// for this machine (`::ffff:0:0/96`) are what that one is. Tunnels are not
/// public: 6to4 and Teredo.
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
        // This network, and loopback.
        [0 | 127, ..]
            // Private, RFC 1918.
            | [10, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            // Shared by the customers of a provider, RFC 6598.
            | [100, 64..=127, ..]
            // Link-local, and with it the metadata of most clouds.
            | [169, 254, ..]
            // What Azure serves to its virtual machines (documented).
            | [168, 63, 129, 16]
            // Protocol assignments, and with it the metadata of Oracle's cloud.
            | [192, 0, 0, _]
            // Documentation.
            | [192, 0, 2, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            // AS112, AMT, relays of 6to4, and AS112 again.
            | [192, 31, 196, _]
            | [192, 52, 193, _]
            | [192, 88, 99, _]
            | [192, 175, 48, _]
            // Benchmarks.
            | [198, 18..=19, ..]
            // Multicast, reserved, broadcast.
            | [224..=255, ..]
    )
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // Protocol assignments: Teredo, benchmarks, ORCHID and others.
        [0x2001, 0..=0x01ff, ..] => false,
        // Documentation.
        [0x2001, 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // 6to4.
        [0x2002, ..] => false,
        // AS112.
        [0x2620, 0x004f, 0x8000, ..] => false,
        // Global unicast. All else is reserved, or of this machine or network.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

/// The IPv4 address that packets to this one end up at.
const fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits((high as u32) << 16 | low as u32))
        }
        _ => None,
    }
}

/// The address that an allow-list is asked for: that of IPv4, where there is one.
pub(super) fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => embedded(v6).map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// The error of a client that would have had to connect to an address which is
/// not public, and not allowed.
///
/// A client of your own returns it, or an error that has it among its sources, to
/// have the [`Report`](crate::Report) say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotPublic {
    address: IpAddr,
}

impl NotPublic {
    /// The error for this address.
    #[must_use]
    pub const fn new(address: IpAddr) -> Self {
        Self { address }
    }

    /// The address that was refused.
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
