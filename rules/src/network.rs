//! The network addresses to which the server may send notifications. Whoever registers an address makes the server connect to it from
//! within its own network (SSRF).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Where an address is, as seen from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// On the public internet.
    Public,
    /// This machine, or a private network around it.
    Inner,
    /// Never a legitimate target: metadata services that reveal a cloud machine's secrets, multicast, reserved addresses.
    Forbidden,
}

impl Network {
    /// Classifies an address. An IPv4 address embedded in an IPv6 address counts as the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }
}

fn of_v4(v4: Ipv4Addr) -> Network {
    let [a, b, c, _] = v4.octets();
    match (a, b, c) {
        // Link-local, with the clouds' metadata service; "this network"; multicast, reserved, broadcast; other clouds' metadata services.
        (169, 254, _) | (0 | 224..=255, ..) | (192, 0, 0) | (100, 100, 100) => Network::Forbidden,
        (127 | 10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) | (198, 18..=19, _) => Network::Inner,
        _ => Network::Public,
    }
}

fn of_v6(v6: Ipv6Addr) -> Network {
    let within = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Network::Inner,
        // IPv4-mapped, translated and compatible addresses (RFC 4291, 2.5.5; RFC 2765); NAT64 (RFC 6052); 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => within(high, low),
        // Local-use NAT64 (RFC 8215) and Teredo (RFC 4380): the address behind them is unknown.
        [0x64, 0xff9b, 1, ..] | [0x2001, 0, ..] => Network::Forbidden,
        // A cloud's metadata service.
        [0xfd00, 0xec2, ..] => Network::Forbidden,
        // Link-local, site-local, multicast.
        [0xfe80..=0xfeff | 0xff00.., ..] => Network::Forbidden,
        // Unique local addresses (RFC 4193).
        [0xfc00..=0xfdff, ..] => Network::Inner,
        _ => Network::Public,
    }
}

/// The IP address in the URL, if its host is not a name.
pub fn number_in(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(v4) => Some(v4.into()),
        Host::Ipv6(v6) => Some(v6.into()),
        Host::Domain(_) => None,
    }
}

/// Returns whether the URL names this very machine, in one of the plain forms (RFC 8252, 7.3).
pub fn is_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Returns whether the server may connect to the URL: to a name, to a public IP address, or to this very machine if it is named plainly. A
/// name is resolved and checked with [`Network::of`] when something is sent.
pub fn may_be_sent_to(url: &Url) -> bool {
    is_this_machine(url) || number_in(url).is_none_or(|address| Network::of(address) == Network::Public)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An IP address belongs to its network in every notation, including IPv4 embedded in IPv6.
    #[test]
    fn ip_address_classified_in_every_notation() {
        for (network, all) in [
            (
                Network::Forbidden,
                &[
                    "169.254.169.254",
                    "::ffff:169.254.169.254",
                    "::169.254.169.254",
                    "::ffff:0:169.254.169.254",
                    "64:ff9b::a9fe:a9fe",
                    "64:ff9b:1::1",
                    "2002:a9fe:a9fe::1",
                    "2001:0:a9fe:a9fe::1",
                    "fd00:ec2::254",
                    "fe80::1",
                    "fec0::1",
                    "ff02::1",
                    "::",
                    "0.0.0.0",
                    "0.1.2.3",
                    "255.255.255.255",
                    "224.0.0.1",
                    "192.0.0.192",
                    "100.100.100.200",
                ][..],
            ),
            (
                Network::Inner,
                &[
                    "127.0.0.1",
                    "127.8.8.8",
                    "10.1.2.3",
                    "172.16.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "100.64.0.1",
                    "::1",
                    "::ffff:127.0.0.1",
                    "::ffff:10.0.0.1",
                    "64:ff9b::7f00:1",
                    "2002:c0a8:101::",
                    "fd12:3456::1",
                    "fc00::1",
                ],
            ),
            (
                Network::Public,
                &[
                    "8.8.8.8",
                    "172.32.0.1",
                    "100.128.0.1",
                    "203.162.4.190",
                    "2001:ee0::1",
                    "::ffff:8.8.8.8",
                    "64:ff9b::808:808",
                    "2002:808:808::1",
                ],
            ),
        ] {
            for text in all {
                assert_eq!(Network::of(text.parse().unwrap()), network, "{text}");
            }
        }
    }

    /// A client's URL may not name an address of the internal network.
    #[test]
    fn delivery_url_with_internal_ip_is_refused() {
        let may = |text: &str| may_be_sent_to(&Url::parse(text).unwrap());
        for good in [
            "https://hues.example/x",
            "https://8.8.8.8/",
            "http://localhost:3000/",
            "http://127.0.0.1/",
            "http://[::1]:9/",
        ] {
            assert!(may(good), "{good}");
        }
        for bad in [
            "https://10.0.0.1/",
            "https://127.0.0.2/",
            "https://2852039166/",
            "https://0xa9fea9fe/",
            "https://0251.0376.0251.0376/",
            "https://127.1.1/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00:ec2::254]/",
            "https://[64:ff9b::a9fe:a9fe]/",
            "https://[fd12::1]/",
        ] {
            assert!(!may(bad), "{bad}");
        }
    }
}
