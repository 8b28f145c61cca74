//! The numbers of one public key: sizes, forms, and values that no honest key has (RFC 7518 §6,
//! RFC 8037 §2, RFC 8725bis §3.4).
//!
//! Does not own: whether a point lies on its curve; whoever imports the key checks that.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value, json};

use crate::credential::signature::Algorithm;

/// Longest RSA modulus, in bytes: 8192 bits. The shortest has 2048 (RFC 7518 §3.3).
const MODULUS_BYTES_MAX: usize = 1_024;
const MODULUS_BYTES_MIN: usize = 256;

/// 2^255 - 19, as Ed25519 writes numbers: the least significant byte first.
const ED25519_PRIME: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

/// The two y that points of order eight have on edwards25519, least significant byte first.
const ED25519_ORDER_EIGHT: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// The public members of a key for `algorithm`, in the order of RFC 7638 §3.2; `None`: the key is
/// of another form, or too weak.
pub(super) fn public_members(key: &Map<String, Value>, algorithm: Algorithm) -> Option<Value> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => rsa(key),
        Algorithm::Es256 => coordinates(key, "P-256", 32),
        Algorithm::Es384 => coordinates(key, "P-384", 48),
        Algorithm::Ed25519 => ed25519(key),
        Algorithm::Hs256 => None,
    }
}

fn rsa(key: &Map<String, Value>) -> Option<Value> {
    let ((n, modulus), (e, exponent)) = (octets(key, "n")?, octets(key, "e")?);
    let (first, last) = (modulus.first()?, modulus.last()?);
    // Base64urlUInt has no leading zero (RFC 7518 §6.3.1); an even modulus is no product of primes.
    let sound = *first != 0 && last % 2 == 1 && modulus.len() <= MODULUS_BYTES_MAX;
    let long =
        modulus.len() > MODULUS_BYTES_MIN || (modulus.len() == MODULUS_BYTES_MIN && *first >= 0x80);
    // e = 65537: small and even exponents are how forgeries are made.
    (sound && long && exponent == [1, 0, 1]).then(|| json!({ "e": e, "kty": "RSA", "n": n }))
}

/// Both coordinates at full length (RFC 7518 §6.2.1.2).
fn coordinates(key: &Map<String, Value>, curve: &str, length: usize) -> Option<Value> {
    let ((x, x_octets), (y, y_octets)) = (octets(key, "x")?, octets(key, "y")?);
    let sound = x_octets.len() == length && y_octets.len() == length;
    sound.then(|| json!({ "crv": curve, "kty": "EC", "x": x, "y": y }))
}

/// A point in its one spelling, and of the large order: a signature under one of the few others
/// fits many messages, and WebCrypto need not refuse it.
fn ed25519(key: &Map<String, Value>) -> Option<Value> {
    let (x, octets) = octets(key, "x")?;
    let mut y = <[u8; 32]>::try_from(octets).ok()?;
    if let Some(top) = y.last_mut() {
        *top &= 0x7f;
    }
    let below = |limit: &[u8; 32]| y.iter().rev().lt(limit.iter().rev());
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = ED25519_PRIME;
    minus_one[0] -= 1;
    let small = [[0; 32], one, minus_one].contains(&y) || ED25519_ORDER_EIGHT.contains(&y);
    (below(&ED25519_PRIME) && !small).then(|| json!({ "crv": "Ed25519", "kty": "OKP", "x": x }))
}

/// A member's text and octets, in base64url's one spelling.
fn octets<'a>(key: &'a Map<String, Value>, name: &str) -> Option<(&'a str, Vec<u8>)> {
    let text = key.get(name)?.as_str()?;
    let octets = Base64UrlUnpadded::decode_vec(text).ok()?;
    Some((text, octets))
}
