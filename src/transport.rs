//! What a connection and a request's frame must be before anything else is looked at.
//!
//! Owns: HTTPS, TLS version, sizes, single header fields, denied networks.
//! Called by: `stage::routed`.

use std::net::IpAddr;

use crate::facts::{Facts, Headers};
use crate::path::TARGET_BYTES_MAX;
use crate::policy::gate::Gate;
use crate::refusal::Refusal;

/// Most header fields of a request, and most bytes of their names and values.
pub const HEADER_FIELDS_MAX: usize = 128;
pub const HEADER_BYTES_MAX: usize = 32_768;

/// Fields that have one value, of which two would be two requests in one (RFC 9110 §5.3).
const SINGLETONS: [&str; 4] = ["content-type", "content-length", "host", "idempotency-key"];

/// Judges the connection and the frame; the client's address if all is well.
pub fn check(gate: &Gate, facts: &Facts) -> Result<IpAddr, Refusal> {
    if gate.transport.https_only && !facts.is_https {
        return Err(Refusal::NotHttps);
    }
    if facts.is_https && tls_of(facts) < gate.transport.min_tls {
        return Err(Refusal::TlsTooOld);
    }
    check_frame(facts)?;
    let address = facts.connection.ip.ok_or(Refusal::NoAddress)?;
    if gate
        .network
        .deny_cidrs
        .iter()
        .any(|network| network.contains(&address))
    {
        return Err(Refusal::AddressDenied);
    }
    let country = facts.connection.country.as_deref().unwrap_or("XX");
    if gate
        .network
        .deny_countries
        .iter()
        .any(|denied| denied == country)
    {
        return Err(Refusal::CountryDenied);
    }
    Ok(address)
}

/// Judges sizes and single fields: what holds for every request, the admin API's too.
pub fn check_frame(facts: &Facts) -> Result<(), Refusal> {
    let query_bytes = facts.raw_query.as_ref().map_or(0, String::len);
    if facts.raw_path.len() + query_bytes > TARGET_BYTES_MAX {
        return Err(Refusal::TargetTooLong);
    }
    if facts.headers.len() > HEADER_FIELDS_MAX || facts.headers.bytes() > HEADER_BYTES_MAX {
        return Err(Refusal::HeadersTooLarge);
    }
    check_singletons(&facts.headers)
}

/// `TLSv1.3` is 13. The platform tells a version for every encrypted connection; one that it does
/// not tell, or that is none of these, is too old.
fn tls_of(facts: &Facts) -> u8 {
    match facts.connection.tls_version.as_deref() {
        Some("TLSv1.3") => 13,
        Some("TLSv1.2") => 12,
        _ => 0,
    }
}

/// The platform joins repeated fields by a comma; none of these has one.
fn check_singletons(headers: &Headers) -> Result<(), Refusal> {
    // RFC 9112 §6.1: whoever sends both means one to us and the other to the origin.
    if headers.get("transfer-encoding").is_some() && headers.get("content-length").is_some() {
        return Err(Refusal::HeaderMalformed {
            name: "content-length",
        });
    }
    // What frames and types the content cannot be for one hop and judged for the next.
    let framing = |name: &String| name == "host" || name.starts_with("content-");
    if headers.nominated().iter().any(framing) {
        return Err(Refusal::HeaderMalformed { name: "connection" });
    }
    for name in SINGLETONS {
        let Some(value) = headers.get(name) else {
            continue;
        };
        // A quoted Idempotency-Key may contain a comma; two quoted ones have four quotes.
        let repeated = match name {
            "idempotency-key" => quotes(value) > 2,
            _ => value.contains(','),
        };
        if repeated || value.contains(|character: char| character.is_control()) {
            return Err(Refusal::HeaderMalformed { name });
        }
    }
    Ok(())
}

/// How many quotes begin or end a text: one behind `\` is a part of it (RFC 9651 §3.3.3).
fn quotes(value: &str) -> usize {
    let mut is_escaped = false;
    let ends = value.chars().filter(|letter| {
        let is_end = *letter == '"' && !is_escaped;
        is_escaped = *letter == '\\' && !is_escaped;
        is_end
    });
    ends.count()
}
