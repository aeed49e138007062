//! Where a request comes from: the peer, or the client that a trusted proxy speaks for.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use axum::http::HeaderMap;

use crate::domain::ids::Malformed;

/// A client's network: an IPv4 address, or the /64 of an IPv6 address, of which one subscriber has the whole.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Client(u128);

impl Client {
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(address) => address.to_bits() & !u128::from(u64::MAX),
        })
    }

    /// What tells it from every other.
    pub(crate) fn bits(self) -> u128 {
        self.0
    }
}

impl std::fmt::Debug for Client {
    /// Addresses are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client(…)")
    }
}

/// A network in CIDR notation (RFC 4632), as `10.0.0.0/8`; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    bits: u128,
    prefix: u32,
}

impl Network {
    /// Whether the address lies in the network.
    pub fn contains(&self, address: IpAddr) -> bool {
        // A prefix of 0 would shift by all 128 bits.
        (self.bits ^ bits(address)).checked_shr(128 - self.prefix).unwrap_or(0) == 0
    }
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self { bits: bits(address), prefix: 128 }
    }
}

impl FromStr for Network {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let bad = Malformed("network");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(at, prefix)| (at, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| bad)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(width), |prefix| prefix.parse::<u32>().map_err(|_| bad))?;
        if prefix > width {
            return Err(bad);
        }
        Ok(Self { bits: bits(address), prefix: 128 - width + prefix })
    }
}

/// IPv4 addresses lie among the IPv6 addresses, mapped.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The client behind a peer. A peer that is no trusted proxy is the client itself, whatever it claims; behind trusted
/// proxies it is the hop furthest to the right of `X-Forwarded-For` that is not itself trusted.
pub(crate) fn behind(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let mut client = peer.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if trusted.is_empty() || !is_trusted(client) {
        return client;
    }
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    for hop in lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(',')) {
        // Left of what cannot be read nothing can be believed.
        let Some(hop) = address(hop.trim()) else { break };
        client = hop;
        if !is_trusted(hop) {
            break;
        }
    }
    client
}

/// An address as proxies write it: bare, with a port, in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    bare().or_else(with_port).or_else(in_brackets).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("127.0.0.1/32", "::ffff:127.0.0.1", "::1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(ip(inside)) && !network.contains(ip(outside)), "{network:?}");
        }
        let everything: Network = "::/0".parse().unwrap();
        assert!(everything.contains(ip("::1")) && everything.contains(ip("192.0.2.1")));
        let everything4: Network = "0.0.0.0/0".parse().unwrap();
        assert!(everything4.contains(ip("8.8.8.8")) && !everything4.contains(ip("2001:db8::1")));
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_up_to_the_first_stranger() {
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, 10.0.0.2,10.0.0.3", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, nonsense, 10.0.0.3", "10.0.0.3"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.9", "10.0.0.9"),
            ("::1", "[2001:db8::5]:443", "2001:db8::5"),
            ("::1", "[2001:db8::5]", "2001:db8::5"),
            ("::1", "198.51.100.1:8080", "198.51.100.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            assert_eq!(behind(Some(ip(peer)), &headers, &trusted), ip(client), "{peer} for {forwarded}");
        }
    }

    #[test]
    fn several_header_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "198.51.100.1, 10.0.0.7".parse().unwrap());
        headers.append("x-forwarded-for", "10.0.0.8".parse().unwrap());
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap()];
        assert_eq!(behind(Some(ip("10.0.0.1")), &headers, &trusted), ip("198.51.100.1"));
    }

    #[test]
    fn one_subscriber_is_one_client() {
        assert!(Client::of(ip("2001:db8:1:2::1")) == Client::of(ip("2001:db8:1:2:ffff::9")));
        assert!(Client::of(ip("2001:db8:1:3::1")) != Client::of(ip("2001:db8:1:2::1")));
        assert!(Client::of(ip("::ffff:192.0.2.1")) == Client::of(ip("192.0.2.1")));
    }
}
