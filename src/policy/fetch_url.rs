//! The addresses that the gateway itself asks: an issuer's keys, an issuer's word on a token
//! (RFC 8725bis §3.10, RFC 9700 §4).
//!
//! Owns: where a policy may send the gateway. Does not own: the fetch, which follows no redirect
//! (`edge::key_sets`, `edge::introspection`). What a name resolves to is not known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use crate::policy::fault::Faults;

/// IPv4 that is nobody's on the internet: the IANA special-purpose registry (RFC 6890), with
/// multicast (RFC 5771).
const SPECIAL_V4: [(Ipv4Net, &str); 15] = [
    (v4([0, 0, 0, 0], 8), "of this network"),
    (v4([10, 0, 0, 0], 8), "private"),
    (v4([100, 64, 0, 0], 10), "shared by a carrier's customers"),
    (v4([127, 0, 0, 0], 8), "loopback"),
    (v4([169, 254, 0, 0], 16), "link-local"),
    (v4([172, 16, 0, 0], 12), "private"),
    (v4([192, 0, 0, 0], 24), "reserved"),
    (v4([192, 0, 2, 0], 24), "for documents"),
    (v4([192, 88, 99, 0], 24), "reserved"),
    (v4([192, 168, 0, 0], 16), "private"),
    (v4([198, 18, 0, 0], 15), "for benchmarks"),
    (v4([198, 51, 100, 0], 24), "for documents"),
    (v4([203, 0, 113, 0], 24), "for documents"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
];

/// All of IPv6 that is handed out (RFC 4291 §2.4). Outside lie loopback, link-local, unique-local,
/// multicast, and IPv4 in the clothes of IPv6 (mapped, compatible, NAT64).
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What within [`GLOBAL_V6`] is nobody's, or carries an IPv4 address of anybody's choice.
const SPECIAL_V6: [(Ipv6Net, &str); 4] = [
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), "of a protocol"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), "for documents"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), "an IPv4 address"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), "for documents"),
];

/// Names that no public resolver answers for (RFC 6761, RFC 6762, and what ICANN set aside).
const PRIVATE_NAMES: [&str; 3] = ["localhost", "local", "internal"];

/// Adds a fault if `url` may not be asked.
///
/// - `at`: the field it stands in.
/// - `production`: with it only https is taken, and no name or address of this machine.
pub(super) fn check(at: &[&str], url: &str, production: bool, faults: &mut Faults) {
    if let Err((problem, fix)) = judge(url, production) {
        faults.add(at, problem, fix);
    }
}

/// Whether a URL leads to this machine alone.
pub(super) fn is_loopback(url: &str) -> bool {
    read(url).is_some_and(|(_, host)| place_of(&host) == Place::ThisMachine)
}

/// Whether anybody can reach a host: its name or address is neither private nor unclear.
///
/// - `authority`: a host, with or without a port.
pub(crate) fn is_public(authority: &str) -> bool {
    let lies = read(&format!("https://{authority}")).map(|(_, host)| place_of(&host));
    lies == Some(Place::Public)
}

fn judge(url: &str, production: bool) -> Result<(), (String, &'static str)> {
    const HTTPS: &str = "Write the issuer's public address, as https://issuer.example/path";
    let Some((is_https, host)) = read(url) else {
        return Err(("not an http or https URL with a host alone".into(), HTTPS));
    };
    let place = place_of(&host);
    if !is_https && place != Place::ThisMachine {
        return Err(("what is asked would travel in the clear".into(), HTTPS));
    }
    let trial = "Write the issuer's public https address; \
                 for a trial on this machine set profile to development";
    match place {
        Place::Public => Ok(()),
        Place::ThisMachine if !production => Ok(()),
        Place::ThisMachine => Err(("the host is this machine".into(), trial)),
        Place::PrivateName if !production => Ok(()),
        Place::PrivateName => Err(("the host's name is private".into(), trial)),
        Place::Special(what) => Err((format!("the address is {what}, not public"), HTTPS)),
        Place::Unclear => {
            let fix = "Write an IPv4 address as four decimal numbers, or the issuer's name";
            Err((
                "the host is a number that can be read in two ways".into(),
                fix,
            ))
        }
    }
}

/// Where a host lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Public,
    ThisMachine,
    PrivateName,
    /// An address that is no one's on the internet; what it is for.
    Special(&'static str),
    /// `0x7f.1`, `2130706433`: fetch reads an address where others read a name (WHATWG URL, "ends
    /// in a number").
    Unclear,
}

enum Host {
    Name(String),
    Address(IpAddr),
}

/// Scheme and host of a URL without user information; `None`: it is no such URL.
fn read(url: &str) -> Option<(bool, Host)> {
    let (scheme, rest) = url.split_once("://")?;
    let is_https = match scheme {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = rest.split(['/', '\\', '?', '#']).next()?;
    if let Some(inner) = authority.strip_prefix('[') {
        let (address, port) = inner.split_once(']')?;
        let sound = port.is_empty() || port.starts_with(':');
        let address = address.parse::<Ipv6Addr>().ok().filter(|_| sound)?;
        return Some((is_https, Host::Address(address.into())));
    }
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    // A port that is none may hide what stands before an `@`.
    let sound = !host.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let host = match host.parse::<Ipv4Addr>() {
        Ok(address) => Host::Address(address.into()),
        Err(_) => Host::Name(host),
    };
    sound.then_some((is_https, host))
}

fn place_of(host: &Host) -> Place {
    let special = match host {
        Host::Name(name) => return place_of_name(name),
        Host::Address(address) if address.is_loopback() => return Place::ThisMachine,
        Host::Address(IpAddr::V4(address)) => SPECIAL_V4
            .iter()
            .find(|(network, _)| network.contains(address))
            .map(|(_, what)| *what),
        Host::Address(IpAddr::V6(address)) if !GLOBAL_V6.contains(address) => {
            Some("of no public IPv6 network")
        }
        Host::Address(IpAddr::V6(address)) => SPECIAL_V6
            .iter()
            .find(|(network, _)| network.contains(address))
            .map(|(_, what)| *what),
    };
    special.map_or(Place::Public, Place::Special)
}

fn place_of_name(name: &str) -> Place {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hexadecimal || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Place::Unclear;
    }
    match last {
        "localhost" => Place::ThisMachine,
        last if PRIVATE_NAMES.contains(&last) => Place::PrivateName,
        _ => Place::Public,
    }
}

const fn v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

#[cfg(test)]
mod tests;
