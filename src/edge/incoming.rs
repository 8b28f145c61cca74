//! A platform request as facts: each header read once, the URL split without a second opinion.

use std::cell::OnceCell;
use std::net::IpAddr;

use web_sys::Request;
use worker::{Env, Result};

use crate::address;
use crate::credential::certificate::parse_fingerprint;
use crate::edge::{clock, platform};
use crate::facts::ClientCertificate;
use crate::facts::{Connection, Facts, Headers};

/// Set by the local server alone, which listens on loopback: only there may a request say which
/// address it plays.
const LOOPBACK_BINDING: &str = "EDGEWARD_LOOPBACK_LISTENER";
const TEST_ADDRESS: &str = "x-edgeward-test-ip";

/// Reads a request.
/// - `development`: whether the policy in force says that it is for trial.
pub(super) fn facts(request: &Request, env: &Env, development: bool) -> Result<Facts> {
    let told = platform::facts(request)?;
    let mut lines = told.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (method, url, has_content) = (next().to_owned(), next(), !next().is_empty());
    let place = [next(), next(), next()].map(|text| (!text.is_empty()).then(|| text.to_owned()));
    let certificate = certificate([next(), next(), next(), next()]);
    let mut fields = Vec::new();
    while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
        fields.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let headers = Headers::new(fields);
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let played = development && is_loopback_listener(env);
    let [country, colo, tls_version] = place;
    Ok(Facts {
        request_id: clock::request_id(),
        received_at_ms: clock::now_ms(),
        method,
        is_https: scheme == "https",
        authority: authority.to_owned(),
        raw_path: if path.is_empty() {
            "/".into()
        } else {
            path.to_owned()
        },
        raw_query: query,
        has_body: has_content && may_have_content(&headers),
        connection: Connection {
            ip: client_address(&headers, played),
            country,
            colo,
            tls_version,
            certificate,
        },
        headers,
    })
}

/// Content that is announced as empty is none, unless it comes in chunks all the same.
fn may_have_content(headers: &Headers) -> bool {
    let empty = headers.get("content-length") == Some("0");
    let chunked = headers.get("transfer-encoding").is_some();
    chunked || !empty
}

/// The client's certificate as the platform found it; `None` if none was shown. One whose
/// fingerprint cannot be read counts as shown and not verified.
fn certificate(told: [&str; 4]) -> Option<ClientCertificate> {
    let [presented, verified, revoked, fingerprint] = told;
    if presented != "1" {
        return None;
    }
    let fingerprint = parse_fingerprint(fingerprint);
    let trusted = verified == "SUCCESS" && revoked == "0";
    Some(ClientCertificate {
        is_verified: trusted && fingerprint.is_some(),
        fingerprint: fingerprint.unwrap_or_default(),
    })
}

/// The address that the platform tells; no other header can say one. On a loopback listener, on
/// trial, there is no platform in front: a request may play an address, else it is this machine's.
fn client_address(headers: &Headers, played: bool) -> Option<IpAddr> {
    let told = headers.get("cf-connecting-ip").and_then(address::parse);
    if !played {
        return told;
    }
    let played = headers.get(TEST_ADDRESS).and_then(address::parse);
    played.or(told).or(Some(IpAddr::from([127, 0, 0, 1])))
}

/// Whether this is a trial on one machine: bound by what serves locally, never deployed.
pub(super) fn is_loopback_listener(env: &Env) -> bool {
    let read = || {
        let bound = env.var(LOOPBACK_BINDING);
        bound.is_ok_and(|value| value.to_string() == "1")
    };
    IS_LOOPBACK.with(|known| *known.get_or_init(read))
}

thread_local! {
    /// Read once: what is bound does not change while an isolate lives.
    static IS_LOOPBACK: OnceCell<bool> = const { OnceCell::new() };
}
