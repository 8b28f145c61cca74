//! An issuer, asked about one token (RFC 7662).

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, RequestRedirect, Response, WorkerGlobalScope};

use crate::credential::introspection::{ANSWER_BYTES_MAX, IntrospectionAnswer, IntrospectionRule};
use crate::credential::jwt::TokenDigest;
use crate::edge::{bounded, platform};
use crate::ports::PortDown;
use crate::refusal::Port;
use crate::secret::Secret;

const TIMEOUT_MS: u64 = 3_000;

/// Asks the issuer of `rule`. Anything but a JSON answer with status 200, in time, is none.
pub(super) async fn ask(
    rule: &IntrospectionRule,
    token: &Secret,
    digest: TokenDigest,
) -> Result<IntrospectionAnswer, PortDown> {
    let answer = bounded::within(TIMEOUT_MS, fetch(rule, token)).await;
    let down = PortDown {
        port: Port::Introspection,
    };
    let bytes = answer.flatten().ok_or(down)?;
    Ok(IntrospectionAnswer { of: digest, bytes })
}

async fn fetch(rule: &IntrospectionRule, token: &Secret) -> Option<Vec<u8>> {
    let headers = Headers::new().ok()?;
    headers.set("accept", "application/json").ok()?;
    let form = "application/x-www-form-urlencoded";
    headers.set("content-type", form).ok()?;
    headers
        .set("authorization", rule.authorization().expose())
        .ok()?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&rule.form(token).expose().into());
    // A redirect would carry the token where the policy did not send it.
    init.set_redirect(RequestRedirect::Manual);
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let answer = JsFuture::from(scope.fetch_with_str_and_init(&rule.endpoint, &init)).await;
    let answer: Response = answer.ok()?.dyn_into().ok()?;
    let kind = answer.headers().get("content-type").ok().flatten()?;
    let kind: mime::Mime = kind.parse().ok()?;
    let is_json = kind.essence_str() == "application/json";
    if answer.status() != 200 || !is_json {
        return None;
    }
    let body = answer.body()?;
    platform::read(&body, ANSWER_BYTES_MAX as u64, TIMEOUT_MS)
        .await
        .ok()
}
