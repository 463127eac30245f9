//! Public addresses. The expected values are IANA's registries, copied independently of
//! the library.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use ipnet::{IpNet, Ipv6Net};
use proptest::prelude::*;
use tower::service_fn;
use tower_moonshot::inline_media::{Destinations, InlineMediaLayer, NotInlined, is_public};

use crate::harness::*;

/// IANA IPv4 Special-Purpose Address Registry, all rows, and multicast (RFC 5771).
const IPV4: [&str; 26] = [
    "0.0.0.0/8",
    "0.0.0.0/32",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.0.0/29",
    "192.0.0.8/32",
    "192.0.0.9/32",
    "192.0.0.10/32",
    "192.0.0.170/32",
    "192.0.0.171/32",
    "192.0.2.0/24",
    "192.31.196.0/24",
    "192.52.193.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "192.175.48.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "224.0.0.0/4",
];

/// Azure's services for its virtual machines, which are in no registry.
const AZURE: &str = "168.63.129.16/32";

/// IANA IPv6 Special-Purpose Address Registry, except for the two rows that embed IPv4
/// addresses (below) and the rows within `2001::/23`.
const IPV6: [&str; 11] = [
    "::1/128",
    "::/128",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "2620:4f:8000::/48",
    "3fff::/20",
    "5f00::/16",
];

/// IANA Internet Protocol Version 6 Address Space: global unicast.
const GLOBAL_UNICAST: &str = "2000::/3";

/// Blocks that embed an IPv4 address in their last 32 bits.
const EMBEDDING: [&str; 2] = ["::ffff:0:0/96", "64:ff9b::/96"];

fn holds(nets: &[&str], address: IpAddr) -> bool {
    nets.iter()
        .any(|net| net.parse::<IpNet>().unwrap().contains(&address))
}

fn expected(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => !holds(&IPV4, address) && !holds(&[AZURE], address),
        IpAddr::V6(v6) if holds(&EMBEDDING, address) => {
            let [.., a, b, c, d] = v6.octets();
            expected(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(_) => holds(&[GLOBAL_UNICAST], address) && !holds(&IPV6, address),
    }
}

/// The first and last addresses of every block, and their neighbours.
#[test]
fn the_edges_of_every_block_are_where_the_registries_have_them() {
    let mut judged = [0, 0];
    for net in IPV4.iter().chain(&[AZURE]) {
        let net: IpNet = net.parse().unwrap();
        let (IpAddr::V4(first), IpAddr::V4(last)) = (net.network(), net.broadcast()) else {
            panic!();
        };
        for bits in [first.to_bits(), last.to_bits()] {
            for bits in [bits.wrapping_sub(1), bits, bits.wrapping_add(1)] {
                let address = Ipv4Addr::from_bits(bits);
                for address in [
                    IpAddr::from(address),
                    address.to_ipv6_mapped().into(),
                    IpAddr::from(Ipv6Addr::from_bits(0x64_ff9b << 96 | u128::from(bits))),
                ] {
                    assert_eq!(is_public(address), expected(address), "{address}");
                    judged[usize::from(is_public(address))] += 1;
                }
                // IPv4-compatible (deprecated), 6to4 and Teredo addresses are never
                // public.
                let [a, b, c, d] = address.octets();
                let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                for address in [
                    Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                    Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                    Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
                    Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
                ] {
                    assert!(!is_public(address.into()), "{address}");
                }
            }
        }
    }
    let others = ["fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"];
    for net in IPV6
        .iter()
        .chain(&[GLOBAL_UNICAST])
        .chain(&others)
        .chain(&EMBEDDING)
    {
        let net: Ipv6Net = net.parse().unwrap();
        for bits in [net.network().to_bits(), net.broadcast().to_bits()] {
            for bits in [bits.wrapping_sub(1), bits, bits.wrapping_add(1)] {
                let address = IpAddr::from(Ipv6Addr::from_bits(bits));
                assert_eq!(is_public(address), expected(address), "{address}");
                judged[usize::from(is_public(address))] += 1;
            }
        }
    }
    // Both outcomes occur.
    assert!(judged[0] > 100 && judged[1] > 50, "{judged:?}");
}

/// Random addresses, most of them near a block.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let nets: Vec<IpNet> = IPV4
        .iter()
        .chain(&[AZURE, GLOBAL_UNICAST])
        .chain(&IPV6)
        .chain(&EMBEDDING)
        .map(|net| net.parse().unwrap())
        .collect();
    let near =
        (prop::sample::select(nets), any::<u128>(), 0..8_u32).prop_map(|(net, random, wider)| {
            // Within the block, or within one that is up to 128 times as large.
            match net {
                IpNet::V4(net) => {
                    let keep = u32::from(net.prefix_len()).saturating_sub(wider);
                    let mask = u32::MAX.checked_shr(keep).unwrap_or(0);
                    let bits = net.network().to_bits() & !mask | random as u32 & mask;
                    IpAddr::from(Ipv4Addr::from_bits(bits))
                }
                IpNet::V6(net) => {
                    let keep = u32::from(net.prefix_len()).saturating_sub(wider);
                    let mask = u128::MAX.checked_shr(keep).unwrap_or(0);
                    let bits = net.network().to_bits() & !mask | random & mask;
                    IpAddr::from(Ipv6Addr::from_bits(bits))
                }
            }
        });
    prop_oneof![
        1 => any::<Ipv4Addr>().prop_map(IpAddr::from),
        1 => any::<Ipv6Addr>().prop_map(IpAddr::from),
        4 => near,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn every_address_is_classified_as_in_the_registries(address in addresses()) {
        prop_assert_eq!(is_public(address), expected(address));
        prop_assert_eq!(Destinations::public().permits("example.com", address), expected(address));
    }

    #[test]
    fn an_allowed_network_permits_its_own_addresses_only(
        address in addresses(),
        net in prop::sample::select(IPV4.to_vec()),
    ) {
        let destinations = Destinations::public().with_network(net).unwrap();
        let canonical = match address {
            IpAddr::V6(v6) if holds(&EMBEDDING, address) => {
                let [.., a, b, c, d] = v6.octets();
                Ipv4Addr::new(a, b, c, d).into()
            }
            other => other,
        };
        let allowed = expected(address) || holds(&[net], canonical);
        prop_assert_eq!(destinations.permits("example.com", address), allowed);
    }
}

#[test]
fn a_network_in_the_mapped_form_is_the_one_of_ipv4() {
    for network in ["::ffff:10.0.0.0/104", "::ffff:10.1.2.3"] {
        let destinations = Destinations::public().with_network(network).unwrap();
        for (address, allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("192.168.0.1", false),
            ("::1", false),
        ] {
            let permits = destinations.permits("example.com", address.parse().unwrap());
            assert_eq!(permits, allowed, "{address} in {network}");
        }
    }
}

/// Literal addresses are checked in every spelling, before the client is called.
#[tokio::test]
async fn literal_addresses_are_checked_before_the_client_is_called() {
    let client = service_fn(async |request: Request<Empty<Bytes>>| {
        panic!("requested {}", request.uri());
        #[expect(unreachable_code, reason = "sets the type of the response")]
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let layer = InlineMediaLayer::new().with_client(client);
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.01",
        "017700000001",
        "%31%32%37.0.0.1",
        "１２７。０。０。１",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "0xa9fea9fe",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::10.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "localhost",
        "LocalHost.",
        "a.localhost",
    ] {
        for url in [format!("http://{host}/"), format!("https://{host}:8080/a")] {
            let passed = send(&layer, chat([image(&url)])).await;
            assert!(
                matches!(passed.outcome(), Err(NotInlined::NotPublic(_))),
                "{url}: {:?}",
                passed.outcome()
            );
        }
    }
}

#[test]
fn what_is_allowed_has_to_be_a_network_or_a_host() {
    let layer = InlineMediaLayer::new;
    for network in ["", "10.0.0.0/33", "10.0.0", "fd00::/129", "example.com"] {
        let error = layer().with_allowed_network(network).unwrap_err();
        assert!(error.to_string().contains("is not a network"), "{error}");
    }
    for host in ["", "http://example.com", "example.com:80", "a b", "[::1"] {
        let error = layer().with_allowed_host(host).unwrap_err();
        assert!(error.to_string().contains("is not a host"), "{error}");
    }
}
