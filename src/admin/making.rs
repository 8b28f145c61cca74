//! New keys: the text that is shown once, and what is stored of it.

use crate::credential::api_key::{ApiKey, CHECK_CHARS, ID_CHARS, KeyFault, SECRET_CHARS, check_of};
use crate::secret::Secret;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Random bytes for one key. Of 256 values 248 are used, so that each character is as likely as any
/// other: twice what is needed leaves no chance of too few.
pub const RANDOM_BYTES: usize = 2 * (ID_CHARS + SECRET_CHARS);

/// A new key: its whole text, and the same as it will be presented.
#[derive(Debug)]
pub struct NewKey {
    pub text: Secret,
    pub key: ApiKey,
}

/// Makes a key of random bytes.
///
/// - `prefix`: the authenticator's. - `environment`: `live` or `test`.
///
/// Fails if the bytes do not suffice, or the parts make no key.
pub fn make(
    prefix: &str,
    environment: &str,
    random: &[u8; RANDOM_BYTES],
) -> Result<NewKey, KeyFault> {
    let mut characters = random
        .iter()
        .filter(|byte| **byte < 248)
        .filter_map(|byte| BASE62.get(usize::from(byte % 62)))
        .map(|byte| char::from(*byte));
    let id: String = characters.by_ref().take(ID_CHARS).collect();
    let secret: String = characters.take(SECRET_CHARS).collect();
    let mut text = format!("{prefix}_{environment}_{id}_{secret}");
    let check = check_of(&text);
    debug_assert_eq!(check.len(), CHECK_CHARS);
    text.push_str(&check);
    let key = ApiKey::parse(&text, prefix)?;
    Ok(NewKey {
        text: Secret::new(text),
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_one_and_no_character_is_favored() {
        let mut random = [0; RANDOM_BYTES];
        for (index, byte) in random.iter_mut().enumerate() {
            *byte = u8::try_from(index * 3).unwrap_or(0);
        }
        let made = make("ew", "live", &random).unwrap();
        assert!(made.text.expose().starts_with("ew_live_0369CFILORUX_"));
        assert!(ApiKey::parse(made.text.expose(), "ew").is_ok());
        assert!(ApiKey::parse(made.text.expose(), "other").is_err());
        assert!(make("ew", "prod", &random).is_err());
        assert!(make("ew", "live", &[255; RANDOM_BYTES]).is_err(), "too few");
    }
}
