//! The names of reasons whose fault another module knows.

use crate::credential::api_key::KeyFault;
use crate::credential::dpop::ProofFault;
use crate::credential::jwt::TokenFault;

pub(super) fn key_reason(fault: KeyFault) -> &'static str {
    match fault {
        KeyFault::Malformed => "key_malformed",
        KeyFault::Checksum => "key_checksum",
        KeyFault::Unknown => "key_unknown",
        KeyFault::Secret => "key_secret",
        KeyFault::Revoked => "key_revoked",
        KeyFault::NotYetValid => "key_not_yet_valid",
        KeyFault::Expired => "key_expired",
        KeyFault::Address => "key_address",
    }
}

pub(super) fn token_reason(fault: TokenFault) -> &'static str {
    match fault {
        TokenFault::TooLarge => "token_too_large",
        TokenFault::Malformed => "token_malformed",
        TokenFault::Header { .. } => "token_header",
        TokenFault::Algorithm => "token_algorithm",
        TokenFault::Issuer => "token_issuer",
        TokenFault::Type => "token_type",
        TokenFault::KeyUnknown => "token_key_unknown",
        TokenFault::Signature => "token_signature",
        TokenFault::Claim { .. } => "token_claim",
        TokenFault::Audience => "token_audience",
        TokenFault::Expired => "token_expired",
        TokenFault::NotYetValid => "token_not_yet_valid",
        TokenFault::Lifetime => "token_lifetime",
        TokenFault::Bound => "token_bound",
        TokenFault::Unbound => "token_unbound",
        TokenFault::Inactive => "token_inactive",
    }
}

pub(super) fn proof_reason(fault: ProofFault) -> &'static str {
    match fault {
        ProofFault::Missing => "proof_missing",
        ProofFault::TooLarge => "proof_too_large",
        ProofFault::Malformed => "proof_malformed",
        ProofFault::Type => "proof_type",
        ProofFault::Algorithm => "proof_algorithm",
        ProofFault::Key => "proof_key",
        ProofFault::Claim { .. } => "proof_claim",
        ProofFault::Method => "proof_method",
        ProofFault::Target => "proof_target",
        ProofFault::Time => "proof_time",
        ProofFault::Token => "proof_token",
        ProofFault::Signature => "proof_signature",
        ProofFault::Replayed => "proof_replayed",
    }
}
