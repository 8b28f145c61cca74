//! Signatures that standards publish.

use edgeward::credential::jwk::KeySet;
use edgeward::credential::signature::{Algorithm, SignatureQuestion};
use serde_json::{Value, json};

use crate::support::signer;

/// RFC 7515 appendices A.2 (RS256) and A.3 (ES256), RFC 8037 appendix A.4 (Ed25519): the
/// signatures verify; one changed byte and they do not.
#[test]
fn published_signatures_verify() {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/jws.json")).unwrap();
    for vector in vectors.as_array().unwrap() {
        let algorithm = Algorithm::parse(vector["alg"].as_str().unwrap()).unwrap();
        let set = json!({ "keys": [vector["jwk"]] });
        let keys = KeySet::from_value(&set, &[algorithm]).unwrap();
        let key = keys.candidates(None, algorithm)[0].clone();
        let (message, signature) = vector["jws"].as_str().unwrap().rsplit_once('.').unwrap();
        let signature =
            <base64ct::Base64UrlUnpadded as base64ct::Encoding>::decode_vec(signature).unwrap();
        let message = message.as_bytes().to_vec();
        let verifies = |message: &[u8], signature: &[u8]| {
            let (message, signature) = (message.to_vec(), signature.to_vec());
            signer::verify(&SignatureQuestion::new(
                algorithm,
                key.clone(),
                message,
                signature,
            ))
        };
        assert!(verifies(&message, &signature), "{}", vector["source"]);
        let mut changed = message.clone();
        changed[0] ^= 1;
        assert!(!verifies(&changed, &signature), "{}", vector["source"]);
        let mut changed = signature.clone();
        changed[5] ^= 1;
        assert!(!verifies(&message, &changed), "{}", vector["source"]);
    }
}
