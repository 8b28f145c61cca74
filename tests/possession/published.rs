//! Numbers that the standards publish: RFC 7638 §3.1, RFC 8705 appendix A, RFC 9449 §4, §6.1, §7.

use base64ct::{Base64, Encoding};
use edgeward::credential::certificate::parse_fingerprint;
use edgeward::credential::dpop::{Occasion, Proof, ProofFault, SignedProof};
use edgeward::credential::jwk::PublicKey;
use edgeward::credential::signature::Algorithm;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::signer;
use crate::{ask, gate, hash, policy, token, with_bearer};

const HEADER: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19";
const TOKEN_PROOF: &str = "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
const RESOURCE_PROOF: &str = "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

/// The proof of RFC 9449 §7.1, judged for what it was made for, with `change` made to that.
fn judged(change: impl FnOnce(&mut Occasion<'_>)) -> Result<SignedProof, ProofFault> {
    let proof = Proof::parse(&format!("{HEADER}.{RESOURCE_PROOF}")).unwrap();
    let mut occasion = Occasion {
        method: "GET",
        target: "https://resource.example.org/protectedresource",
        token: TOKEN,
        now_ms: 1_562_262_618_000,
    };
    change(&mut occasion);
    let question = proof.question();
    proof.check(&occasion, question.answered(signer::verify(question)))
}

#[test]
fn rfc_9449_the_proof_of_section_7_is_good_for_its_request_alone() {
    assert!(judged(|_| ()).is_ok());
    let fault = |judged: Result<SignedProof, _>| judged.err().unwrap();
    assert_eq!(fault(judged(|one| one.method = "POST")), ProofFault::Method);
    assert_eq!(
        fault(judged(|one| one.target = "https://resource.example.org/")),
        ProofFault::Target
    );
    assert_eq!(
        fault(judged(|one| one.token = "another")),
        ProofFault::Token
    );
    assert_eq!(fault(judged(|one| one.now_ms += 61_000)), ProofFault::Time);
    assert_eq!(
        hash(TOKEN),
        "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
        "section 7.1, ath"
    );
}

#[test]
fn rfc_9449_the_thumbprint_of_section_6_1() {
    for text in [TOKEN_PROOF, RESOURCE_PROOF] {
        let proof = Proof::parse(&format!("{HEADER}.{text}")).unwrap();
        assert_eq!(proof.thumbprint(), THUMBPRINT);
        assert!(signer::verify(proof.question()));
    }
}

#[test]
fn rfc_9449_a_proof_for_a_token_endpoint_is_none_for_a_resource() {
    let proof = Proof::parse(&format!("{HEADER}.{TOKEN_PROOF}")).unwrap();
    let occasion = Occasion {
        method: "POST",
        target: "https://server.example.com/token",
        token: TOKEN,
        now_ms: 1_562_262_616_000,
    };
    assert_eq!(
        proof.fits(&occasion),
        Err(ProofFault::Token),
        "it has no ath"
    );
}

#[test]
fn rfc_7638_the_thumbprint_of_section_3_1() {
    let key = json!({
        "kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    });
    let key = PublicKey::presented(key.as_object().unwrap(), Algorithm::Rs256).unwrap();
    assert_eq!(
        key.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
}

/// The certificate of RFC 8705 appendix A, and what a token says of it.
#[test]
fn mt_01_rfc_8705_a_binding_is_the_sha_256_of_the_certificate() {
    let certificate = Base64::decode_vec(concat!(
        "MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx",
        "ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG",
        "SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ",
        "/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID",
        "SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV",
        "bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=",
    ));
    let digest = Sha256::digest(certificate.unwrap());
    // The platform tells it in hexadecimal.
    let told: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let gate = gate(&policy());
    let token =
        token(json!({ "cnf": { "x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" } }));
    let mut facts = with_bearer("/orders", &token);
    facts.connection.certificate = Some(edgeward::facts::ClientCertificate {
        fingerprint: parse_fingerprint(&told).unwrap(),
        is_verified: true,
    });
    assert_eq!(ask(&gate, facts).line(), "200 - -");
}
