//! E0277: a secret has no text form.

use edgeward::secret::Secret;

pub fn attack(secret: Secret) -> String {
    format!("{secret}")
}
