//! The origin of a request, as rate limits count it: the client's address, as reported by proxies that a setting trusts.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// The header to which each proxy appends the address of its own client.
const FORWARDED: &str = "x-forwarded-for";

/// The proxies whose `X-Forwarded-For` is trusted.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<[IpNet]>);

impl Proxies {
    /// The proxies in these networks.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    /// Whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this address is a trusted proxy's.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The right-most address that is no trusted proxy's: everything left of it may be written by the client itself.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED).iter().rev();
        let told = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for one in told {
            let Some(before) = address(one.trim()).filter(|_| self.trusts(client)) else {
                break;
            };
            client = before.to_canonical();
        }
        client
    }
}

/// An address as proxies write it: some add the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|at| at.ip()))
}

/// A network or a single address, as a setting has it.
pub fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The address that is counted. IPv6 clients are counted by their /64 prefix, because one subscriber controls the whole prefix.
pub fn masked(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The same, and the /48 network, which one customer may have.
pub fn counted(address: IpAddr) -> (String, Option<String>) {
    let one = masked(address);
    let network = match one {
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            Some(format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0)))
        }
        IpAddr::V4(_) => None,
    };
    (one.to_string(), network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn client(peer: &str, lines: &[&'static str]) -> String {
        let networks = ["10.1.0.0/16", "192.0.2.7", "fd00::/8"].map(|text| network(text).unwrap());
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED, HeaderValue::from_static(line));
        }
        let peer = peer.parse().unwrap();
        Proxies::new(&networks).client(peer, &headers).to_string()
    }

    /// The client's address is the right-most one that is no trusted proxy's.
    #[test]
    fn client_address_is_last_untrusted_forwarded_one() {
        for (peer, lines, counts) in [
            // A client that is not a trusted proxy is not believed.
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.1.2.3", &["198.51.100.1"], "198.51.100.1"),
            // What the client wrote itself stands further left.
            ("10.1.2.3", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", &["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
            // Through two proxies.
            ("10.1.2.3", &["1.1.1.1, 198.51.100.1, 192.0.2.7"], "198.51.100.1"),
            (
                "10.1.2.3",
                &["1.1.1.1,198.51.100.1", "192.0.2.7, fd00::1"],
                "198.51.100.1",
            ),
            ("10.1.2.3", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.1.2.3", &["[2001:db8::5]:4711"], "2001:db8::5"),
            ("10.1.2.3", &["2001:db8::5"], "2001:db8::5"),
            ("10.1.2.3", &["::ffff:198.51.100.1"], "198.51.100.1"),
            // An address that cannot be parsed ends the search: the last known proxy counts.
            ("10.1.2.3", &["198.51.100.1, unknown"], "10.1.2.3"),
            ("10.1.2.3", &["198.51.100.1, unknown, 192.0.2.7"], "192.0.2.7"),
            ("10.1.2.3", &["10.1.9.9"], "10.1.9.9"),
        ] {
            assert_eq!(client(peer, lines), counts, "{peer} {lines:?}");
        }
    }

    /// The IPv6 addresses of one subscriber are counted as one.
    #[test]
    fn ipv6_addresses_counted_by_subscriber_network() {
        for (address, as_one, network) in [
            ("192.0.2.8", "192.0.2.8", None),
            ("::ffff:192.0.2.8", "192.0.2.8", None),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::", Some("2001:db8:1::/48")),
        ] {
            let (one, all) = counted(address.parse().unwrap());
            assert_eq!((one.as_str(), all.as_deref()), (as_one, network));
        }
    }
}
