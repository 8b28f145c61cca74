//! Who may keep a route's answers, as enforced.

use crate::answer::keeping::Keeping;
use crate::policy::document::{AuthenticatorEntry, CacheableByEntry, Document};
use crate::policy::gate::Auth;

/// Where nothing is said: what a credential is asked for is its caller's.
pub(super) fn keeping(entry: Option<CacheableByEntry>, auth: &Auth) -> Keeping {
    match (entry, auth) {
        (Some(CacheableByEntry::Everyone), _) | (None, Auth::Public) => Keeping::Everyone,
        (Some(CacheableByEntry::Caller), _) | (None, Auth::Required(_)) => Keeping::Caller,
    }
}

/// The header fields in which callers of a route show who they are, each once. A certificate is shown
/// in none.
pub(super) fn credential_fields(auth: &Auth, document: &Document) -> Vec<String> {
    let Auth::Required(names) = auth else {
        return Vec::new();
    };
    let mut fields: Vec<String> = Vec::new();
    for name in names {
        let field = match document.authenticators.get(name) {
            Some(AuthenticatorEntry::Jwt(_) | AuthenticatorEntry::Introspection(_)) => {
                "authorization"
            }
            Some(AuthenticatorEntry::ApiKey(entry)) => &entry.header,
            Some(AuthenticatorEntry::ClientCertificate(_)) | None => continue,
        };
        if !fields.iter().any(|known| known == field) {
            fields.push(field.to_owned());
        }
    }
    fields
}
