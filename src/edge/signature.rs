//! Signatures in WebCrypto: twenty to thirty times cheaper here than in wasm.

use std::cell::RefCell;
use std::collections::BTreeMap;

use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, Request, SubtleCrypto, WorkerGlobalScope};

use crate::credential::signature::{Algorithm, SignatureAnswer, SignatureQuestion};
use crate::edge::cache::Cache;
use crate::edge::{bounded, clock, platform};
use crate::facts::UnixMs;
use crate::identity::{IdentityKeys, Signable};
use crate::ports::PortDown;
use crate::refusal::Port;

/// Imported keys remembered.
const KEYS_MAX: usize = 256;
const TIMEOUT_MS: u64 = 2_000;

thread_local! {
    static KEYS: RefCell<Cache<String, CryptoKey>> = RefCell::new(Cache::new(KEYS_MAX));
    /// Of each algorithm, once it was asked for.
    static PARAMETERS: RefCell<BTreeMap<&'static str, Object>> = const { RefCell::new(BTreeMap::new()) };
}

/// Checks a signature. A key that cannot be imported (a point off its curve) verifies nothing.
pub(super) async fn verify(
    request: &Request,
    question: &SignatureQuestion,
) -> Result<SignatureAnswer, PortDown> {
    let down = PortDown {
        port: Port::Signature,
    };
    let Some(algorithm) = parameters(question.algorithm()) else {
        return Ok(question.answered(false));
    };
    let Some(key) = key_of(question, &algorithm).await? else {
        return Ok(question.answered(false));
    };
    let (signature, message) = (question.signature(), question.message());
    let checked = platform::verify(request, &algorithm, &key, signature, message, TIMEOUT_MS);
    checked
        .await
        .map(|valid| question.answered(valid))
        .ok_or(down)
}

/// `None`: it cannot be imported.
async fn key_of(
    question: &SignatureQuestion,
    algorithm: &Object,
) -> Result<Option<CryptoKey>, PortDown> {
    let name = format!(
        "{} {}",
        question.algorithm().as_str(),
        question.key().thumbprint()
    );
    if let Some(key) = known(&name) {
        return Ok(Some(key));
    }
    let members = question.key().members().to_string();
    // A caller's own key stays out of the memory: by many of them, issuers' would be forgotten.
    let name = (!question.key().is_presented()).then_some(name);
    let importing = async { import(&subtle()?, name, &members, algorithm, "verify").await };
    let key = bounded::within(TIMEOUT_MS, importing).await;
    key.ok_or(PortDown {
        port: Port::Signature,
    })
}

/// Signs with the identity key.
pub(super) async fn sign<S: Signable>(
    request: &Request,
    keys: &IdentityKeys,
    unsigned: S,
) -> Result<(S, Vec<u8>), PortDown> {
    let signature = signature_of(request, keys, unsigned.signing_input()).await;
    signature
        .map(|bytes| (unsigned, bytes))
        .ok_or(PortDown { port: Port::Signer })
}

async fn signature_of(request: &Request, keys: &IdentityKeys, text: &str) -> Option<Vec<u8>> {
    let algorithm = parameters(Algorithm::Ed25519)?;
    let name = format!("sign {}", keys.fingerprint());
    let private = keys.private().expose();
    let key = match known(&name) {
        Some(key) => key,
        None => {
            let subtle = subtle()?;
            let key = import(&subtle, Some(name), private, &algorithm, "sign");
            bounded::within(TIMEOUT_MS, key).await.flatten()?
        }
    };
    platform::sign(request, &algorithm, &key, text.as_bytes(), TIMEOUT_MS).await
}

/// The key as WebCrypto holds it: imported once and remembered, where it has a name.
async fn import(
    subtle: &SubtleCrypto,
    name: Option<String>,
    jwk: &str,
    algorithm: &Object,
    usage: &str,
) -> Option<CryptoKey> {
    let jwk: Object = JSON::parse(jwk).ok()?.dyn_into().ok()?;
    // `alg` and `key_ops` were judged when the set was read; what they may say differs by runtime.
    for member in ["alg", "key_ops", "use"] {
        let _ = Reflect::delete_property(&jwk, &JsValue::from_str(member));
    }
    let usages = Array::of1(&JsValue::from_str(usage));
    let imported = subtle
        .import_key_with_object("jwk", &jwk, algorithm, false, &usages)
        .ok()?;
    let key: CryptoKey = JsFuture::from(imported).await.ok()?.dyn_into().ok()?;
    if let Some(name) = name {
        KEYS.with_borrow_mut(|keys| keys.put(name, key.clone(), UnixMs::MAX, clock::now_ms()));
    }
    Some(key)
}

fn known(name: &String) -> Option<CryptoKey> {
    KEYS.with_borrow(|keys| keys.get(name, clock::now_ms()))
}

/// The algorithm in WebCrypto's words, for import, verification and signing alike.
fn parameters(algorithm: Algorithm) -> Option<Object> {
    let text = match algorithm {
        Algorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
        // RFC 7518 §3.5: the salt is as long as the hash.
        Algorithm::Ps256 => r#"{"name":"RSA-PSS","hash":"SHA-256","saltLength":32}"#,
        Algorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
        Algorithm::Es384 => r#"{"name":"ECDSA","namedCurve":"P-384","hash":"SHA-384"}"#,
        Algorithm::Ed25519 => r#"{"name":"Ed25519"}"#,
        Algorithm::Hs256 => return None,
    };
    PARAMETERS.with_borrow_mut(|known| {
        if let Some(parameters) = known.get(text) {
            return Some(parameters.clone());
        }
        let parameters: Object = JSON::parse(text).ok()?.dyn_into().ok()?;
        known.insert(text, parameters.clone());
        Some(parameters)
    })
}

fn subtle() -> Option<SubtleCrypto> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    Some(scope.crypto().ok()?.subtle())
}
