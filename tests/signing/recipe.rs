use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

fn identify(statement: &str, keys: impl Fn(&str) -> Option<[u8; 32]>, now_s: u64) -> Option<Value> {
    let (signed, signature) = statement.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let read = |part| Base64UrlUnpadded::decode_vec(part).ok();
    let header: Value = serde_json::from_slice(&read(header)?).ok()?;
    let claims: Value = serde_json::from_slice(&read(claims)?).ok()?;
    let key = VerifyingKey::from_bytes(&keys(header["kid"].as_str()?)?).ok()?;
    let signature = Signature::from_slice(&read(signature)?).ok()?;
    key.verify_strict(signed.as_bytes(), &signature).ok()?;
    let is_ours = header["alg"] == "EdDSA" && header["typ"] == "edgeward+jwt" && claims["aud"] == "orders";
    (is_ours && claims["exp"].as_u64()? > now_s).then_some(claims)
}
