//! Client addresses: one spelling each, and how many of them one client holds.

use std::net::{IpAddr, Ipv6Addr};

/// Reads an address as the platform tells it. An IPv4 address in IPv6 clothes is IPv4: masked as
/// IPv6, all of IPv4 would be one client (CVE-2026-30827).
pub fn parse(text: &str) -> Option<IpAddr> {
    text.trim()
        .parse::<IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

/// What counts as one address in limits: IPv4 whole, IPv6 by its first `ipv6_prefix` bits
/// (48 to 128): a household holds a whole /64.
pub fn limit_key(address: IpAddr, ipv6_prefix: u8) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let free = 128_u32.saturating_sub(u32::from(ipv6_prefix));
            let mask = u128::MAX.checked_shl(free).unwrap_or(0);
            format!(
                "{}/{ipv6_prefix}",
                Ipv6Addr::from(u128::from(address) & mask)
            )
        }
    }
}

/// The network that an address is of, as whoever holds one holds it: 65,536 IPv4 addresses, or the
/// first 32 bits of an IPv6 address. Counters of one network live in one object, near its users.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            format!("{first}.{second}")
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            format!("{first:x}:{second:x}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_has_one_key_however_it_is_spelled() {
        for (text, prefix, key) in [
            ("192.0.2.1", 64, Some("192.0.2.1")),
            ("::ffff:192.0.2.1", 64, Some("192.0.2.1")),
            ("::FFFF:c000:201", 64, Some("192.0.2.1")),
            ("2001:db8:0:1::1", 64, Some("2001:db8:0:1::/64")),
            (
                "2001:DB8:0:1:ffff:ffff:ffff:ffff",
                64,
                Some("2001:db8:0:1::/64"),
            ),
            ("2001:db8:0:2::1", 64, Some("2001:db8:0:2::/64")),
            ("2001:db8:0:1::1", 48, Some("2001:db8::/48")),
            ("2001:db8::1", 128, Some("2001:db8::1/128")),
            ("192.0.2.01", 64, None),
            ("192.0.2.256", 64, None),
            ("2001:db8::1%eth0", 64, None),
            ("", 64, None),
        ] {
            let found = parse(text).map(|address| limit_key(address, prefix));
            assert_eq!(found.as_deref(), key, "{text}");
        }
    }

    #[test]
    fn a_network_is_one_however_many_addresses_it_has() {
        for (text, of) in [
            ("192.0.2.1", "192.0"),
            ("::ffff:192.0.200.1", "192.0"),
            ("2001:db8:0:1::1", "2001:db8"),
            ("2001:db8:ffff::", "2001:db8"),
            ("2001:db9::1", "2001:db9"),
        ] {
            assert_eq!(network(parse(text).unwrap()), of, "{text}");
        }
    }
}
