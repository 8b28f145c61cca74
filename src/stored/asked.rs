//! Whether a request may be answered by a kept answer, as its fields say (RFC 9111 §5.2.1).

use crate::answer::keeping::{directives, named};
use crate::facts::{Headers, Method};

/// What a request lets be done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Use {
    /// Neither looked for nor kept.
    Bypass,
    /// Its answer is kept, and an older one is not given.
    Refetch,
    Look(Look),
}

/// Which kept answer would do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Look {
    /// How old it may be, in seconds; `None`: as old as it is fresh.
    pub age_s_max: Option<u64>,
    /// How long it has to be fresh yet, in seconds.
    pub left_s_min: u64,
    /// `If-None-Match`: which copies the caller has.
    pub copies: Option<String>,
    /// Whether content is asked for.
    pub is_head: bool,
}

/// Fields that ask for a part, or for an answer that only the origin can give (RFC 9110 §13.1, §14).
const ASIDE: [&str; 4] = ["range", "if-range", "if-match", "if-unmodified-since"];

impl Use {
    /// Reads what a request says. What cannot be read is asked of the origin.
    ///
    /// - `method`: only GET and HEAD are answered from what is kept.
    pub fn of(method: Method, headers: &Headers) -> Self {
        let has = |name: &str| headers.get(name).is_some();
        let copies = headers.get("if-none-match");
        // RFC 9110 §13.1.3: beside `If-None-Match` it says nothing.
        let asks_since = has("if-modified-since") && copies.is_none();
        let is_plain = matches!(method, Method::Get | Method::Head);
        if !is_plain || asks_since || ASIDE.iter().any(|name| has(name)) {
            return Self::Bypass;
        }
        let look = Look {
            copies: copies.map(str::to_owned),
            is_head: method == Method::Head,
            ..Look::default()
        };
        match Self::told(headers, look) {
            // Nothing of these would be kept, so the origin gets them as they are.
            Self::Refetch if method == Method::Head || copies.is_some() => Self::Bypass,
            using => using,
        }
    }

    fn told(headers: &Headers, mut look: Look) -> Self {
        let Some(told) = headers.get("cache-control") else {
            // RFC 9111 §5.4.
            let pragma = headers.get("pragma").unwrap_or_default();
            let mut told = pragma.split(',').map(str::trim);
            return match told.any(|one| one.eq_ignore_ascii_case("no-cache")) {
                true => Self::Refetch,
                false => Self::Look(look),
            };
        };
        let Some(directives) = directives(told) else {
            return Self::Bypass;
        };
        let mut is_new = false;
        for directive in directives {
            let seconds = seconds(directive);
            match named(directive).to_ascii_lowercase().as_str() {
                "no-store" => return Self::Bypass,
                "no-cache" => is_new = true,
                "max-age" => match seconds {
                    None | Some(0) => is_new = true,
                    Some(age_s) => {
                        look.age_s_max = Some(look.age_s_max.map_or(age_s, |one| one.min(age_s)));
                    }
                },
                "min-fresh" => match seconds {
                    None => is_new = true,
                    Some(left_s) => look.left_s_min = look.left_s_min.max(left_s),
                },
                // `max-stale` allows what is not done, `only-if-cached` asks for what need not be.
                _ => {}
            }
        }
        match is_new {
            true => Self::Refetch,
            false => Self::Look(look),
        }
    }

    /// Whether the origin's answer to this request may be kept.
    pub fn keeps(&self) -> bool {
        match self {
            Self::Bypass => false,
            Self::Refetch => true,
            Self::Look(look) => !look.is_head && look.copies.is_none(),
        }
    }
}

/// The seconds of a directive: digits alone. More of them than a number holds are very many.
pub(super) fn seconds(directive: &str) -> Option<u64> {
    let (_, value) = directive.split_once('=')?;
    digits(value.trim())
}

/// A number of digits alone (RFC 9111 §1.2.2).
pub(super) fn digits(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, fields: &[(&str, &str)]) -> Use {
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Use::of(method, &Headers::new(fields.collect()))
    }

    fn look(change: impl FnOnce(&mut Look)) -> Use {
        let mut look = Look::default();
        change(&mut look);
        Use::Look(look)
    }

    #[test]
    fn a_request_says_whether_a_kept_answer_will_do() {
        let any = || look(|_| {});
        for (said, using) in [
            ("", any()),
            ("max-stale=600, no-transform, only-if-cached", any()),
            ("no-store", Use::Bypass),
            ("no-cache, NO-STORE", Use::Bypass),
            ("no-cache", Use::Refetch),
            ("No-Cache", Use::Refetch),
            ("max-age=0", Use::Refetch),
            ("max-age=1", look(|one| one.age_s_max = Some(1))),
            ("max-age=60, max-age=5", look(|one| one.age_s_max = Some(5))),
            ("Max-Age = 7", look(|one| one.age_s_max = Some(7))),
            ("max-age", Use::Refetch),
            ("max-age=", Use::Refetch),
            ("max-age=-1", Use::Refetch),
            ("max-age=\"5\"", Use::Refetch),
            (
                "max-age=99999999999999999999",
                look(|one| one.age_s_max = Some(u64::MAX)),
            ),
            ("min-fresh=10", look(|one| one.left_s_min = 10)),
            ("min-fresh=x", Use::Refetch),
            ("ext=\"no-store\"", any()),
            ("ext=\"no-store", Use::Bypass),
        ] {
            assert_eq!(of(Method::Get, &[("cache-control", said)]), using, "{said}");
        }
        assert_eq!(of(Method::Get, &[("pragma", "No-Cache")]), Use::Refetch);
        let both = [("pragma", "no-cache"), ("cache-control", "max-age=5")];
        let five = look(|one| one.age_s_max = Some(5));
        assert_eq!(of(Method::Get, &both), five);
    }

    #[test]
    fn what_only_the_origin_can_answer_is_asked_of_it() {
        for name in ["range", "if-range", "if-match", "if-unmodified-since"] {
            assert_eq!(of(Method::Get, &[(name, "x")]), Use::Bypass, "{name}");
        }
        let since = ("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(of(Method::Get, &[since]), Use::Bypass);
        let copies = ("if-none-match", "\"a\"");
        let found = look(|one| one.copies = Some("\"a\"".into()));
        assert_eq!(of(Method::Get, &[since, copies]), found);
        assert!(!found.keeps());
        let fresh = ("cache-control", "no-cache");
        assert_eq!(of(Method::Get, &[copies, fresh]), Use::Bypass);
        for method in Method::ALL {
            let using = of(method, &[]);
            let is_looked_for = matches!(method, Method::Get | Method::Head);
            assert_eq!(using != Use::Bypass, is_looked_for, "{method:?}");
            assert_eq!(using.keeps(), method == Method::Get, "{method:?}");
        }
        assert_eq!(of(Method::Head, &[fresh]), Use::Bypass);
    }
}
