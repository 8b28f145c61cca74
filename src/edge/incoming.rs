//! A platform request as facts: each header read once, the URL split without a second opinion.

use std::net::IpAddr;

use js_sys::{Array, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Request;
use worker::Env;

use crate::address;
use crate::credential::certificate::parse_fingerprint;
use crate::edge::clock;
use crate::facts::ClientCertificate;
use crate::facts::{Connection, Facts, Headers};

/// Set by the local server alone, which listens on loopback: only there may a request say which
/// address it plays.
const LOOPBACK_BINDING: &str = "EDGEWARD_LOOPBACK_LISTENER";
const TEST_ADDRESS: &str = "x-edgeward-test-ip";

/// Reads a request.
/// - `development`: whether the policy in force says that it is for trial.
pub(super) fn facts(request: &Request, env: &Env, development: bool) -> Facts {
    let url = request.url();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", &url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let headers = headers(request);
    let played = development && is_loopback_listener(env);
    let connection = connection(request, &headers, played);
    Facts {
        request_id: clock::request_id(),
        received_at_ms: clock::now_ms(),
        method: request.method(),
        is_https: scheme == "https",
        authority: authority.to_owned(),
        raw_path: if path.is_empty() {
            "/".into()
        } else {
            path.to_owned()
        },
        raw_query: query,
        has_body: has_body(request, &headers),
        headers,
        connection,
    }
}

/// Content that is announced as empty is none, unless it comes in chunks all the same.
fn has_body(request: &Request, headers: &Headers) -> bool {
    let empty = headers.get("content-length") == Some("0");
    let chunked = headers.get("transfer-encoding").is_some();
    request.body().is_some() && (chunked || !empty)
}

fn headers(request: &Request) -> Headers {
    let entries = request
        .headers()
        .entries()
        .into_iter()
        .filter_map(Result::ok);
    let fields = entries.filter_map(|entry| {
        let pair = entry.dyn_into::<Array>().ok()?;
        Some((
            pair.get(0).as_string()?.to_ascii_lowercase(),
            pair.get(1).as_string()?,
        ))
    });
    Headers::new(fields.collect())
}

fn connection(request: &Request, headers: &Headers, played: bool) -> Connection {
    let cf = Reflect::get(request, &JsValue::from_str("cf")).unwrap_or(JsValue::UNDEFINED);
    let text = |name: &str| {
        Reflect::get(&cf, &JsValue::from_str(name))
            .ok()?
            .as_string()
    };
    Connection {
        ip: client_address(headers, played),
        country: text("country"),
        colo: text("colo"),
        tls_version: text("tlsVersion"),
        certificate: certificate(&cf),
    }
}

/// The client's certificate as the platform found it; `None` if none was shown. One whose
/// fingerprint cannot be read counts as shown and not verified.
fn certificate(cf: &JsValue) -> Option<ClientCertificate> {
    let shown = Reflect::get(cf, &JsValue::from_str("tlsClientAuth")).ok()?;
    let text = |name: &str| {
        Reflect::get(&shown, &JsValue::from_str(name))
            .ok()?
            .as_string()
    };
    let is = |name: &str, value: &str| text(name).as_deref() == Some(value);
    if !is("certPresented", "1") {
        return None;
    }
    let fingerprint = text("certFingerprintSHA256").and_then(|text| parse_fingerprint(&text));
    let trusted = is("certVerified", "SUCCESS") && is("certRevoked", "0");
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
    env.var(LOOPBACK_BINDING)
        .is_ok_and(|value| value.to_string() == "1")
}
