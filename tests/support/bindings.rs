//! The gateway's secrets.

use std::collections::HashMap;

use edgeward::policy::gate::Secrets;
use edgeward::secret::Secret;

use super::PEPPER;

/// Secrets by the name of their binding.
pub struct Bindings(pub HashMap<String, String>);

impl Secrets for Bindings {
    fn secret(&self, binding: &str) -> Option<Secret> {
        self.0.get(binding).map(|text| Secret::new(text.clone()))
    }

    /// Those of the policies of tests.
    fn has_fetcher(&self, binding: &str) -> bool {
        ["ORDERS", "ORDERS_MTLS"].contains(&binding)
    }
}

pub fn bindings() -> Bindings {
    let secrets = [
        ("KEY_PEPPER", PEPPER),
        (
            "JWT_SECRET",
            "a secret that both sides hold, and long enough",
        ),
        ("NONCE_SECRET", "what nonces for proofs are made with"),
        ("INTROSPECTION_SECRET", "s:p ä+&="),
    ];
    Bindings(
        secrets
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
    )
}
