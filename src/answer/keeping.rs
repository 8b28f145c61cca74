//! Who may keep an answer: `Cache-Control` and `Vary` as the route has it (RFC 9111).
//!
//! Owns: what an origin's word on it becomes. It is made stricter, never laxer.

/// Whose caches may keep a route's answers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Keeping {
    /// The caller's own.
    #[default]
    Caller,
    /// Everybody's, as far as the origin says so.
    Everyone,
}

/// Answers that nobody keeps: 428, 429, 431 and 511 (RFC 6585 §3 to §6), what a credential was
/// refused for, and what another's malformed request brought about.
const NEVER: [u16; 7] = [400, 401, 407, 428, 429, 431, 511];

/// Directives by which a shared cache takes an answer that is not everybody's (RFC 9111 §3.5, §5.2.2).
/// `private` with names is among them: all else would be everybody's.
const OF_SHARED: [&str; 4] = ["public", "s-maxage", "proxy-revalidate", "private"];

/// Kept by nobody (RFC 9111 §5.2.2.5).
pub const NO_STORE: &str = "no-store";

/// What an answer's head says about being kept.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub status: u16,
    pub cache_control: Option<&'a str>,
    pub has_expires: bool,
}

/// The value of `Cache-Control`; `None`: as it came.
pub fn cache_control(said: &Said<'_>, by: Keeping) -> Option<String> {
    let is_silent = said.cache_control.is_none() && !said.has_expires;
    if NEVER.contains(&said.status) || (said.status >= 400 && is_silent) {
        return Some(NO_STORE.to_owned());
    }
    if by == Keeping::Everyone {
        return None;
    }
    let Some(directives) = directives(said.cache_control.unwrap_or_default()) else {
        // Not even its end can be told.
        return Some(NO_STORE.to_owned());
    };
    let is = |directive: &str, name: &str| named(directive).eq_ignore_ascii_case(name);
    let mut left: Vec<&str> = directives
        .into_iter()
        .filter(|one| !OF_SHARED.iter().any(|name| is(one, name)))
        .collect();
    if !left.iter().any(|one| is(one, NO_STORE)) {
        left.insert(0, "private");
    }
    Some(left.join(", "))
}

/// The value where an answer was judged for its caller: it is kept for no other, and asked for anew when
/// rights have changed.
pub fn for_one(said: Option<&str>) -> String {
    let directives = directives(said.unwrap_or_default());
    let is_stored = directives.is_some_and(|directives| {
        let mut names = directives.into_iter().map(named);
        !names.any(|name| name.eq_ignore_ascii_case(NO_STORE))
    });
    match is_stored {
        true => "private, no-cache",
        false => NO_STORE,
    }
    .to_owned()
}

/// Fields with which an origin tells shared caches of one kind what it does not tell the others
/// (RFC 9213): none is left where only the caller may keep an answer.
///
/// - `name`: in lower case.
pub fn is_targeted(name: &str) -> bool {
    name.ends_with("-cache-control")
        || matches!(
            name,
            "surrogate-control" | "edge-control" | "x-accel-expires"
        )
}

/// `Vary` with `names` (RFC 9110 §12.5.5); `None`: as it came.
pub fn vary(said: Option<&str>, names: &[String]) -> Option<String> {
    let mut told: Vec<&str> = said
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let before = told.len();
    if !told.contains(&"*") {
        for name in names {
            if !told.iter().any(|one| one.eq_ignore_ascii_case(name)) {
                told.push(name);
            }
        }
    }
    (told.len() > before).then(|| told.join(", "))
}

/// The name of a directive.
pub fn named(directive: &str) -> &str {
    directive.split('=').next().unwrap_or_default().trim_end()
}

/// The members of a list, quoted text in one piece; `None` where it does not end.
pub fn directives(text: &str) -> Option<Vec<&str>> {
    let mut found = Vec::new();
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (place, letter) in text.char_indices() {
        match (letter, is_quoted) {
            _ if is_escaped => is_escaped = false,
            ('\\', true) => is_escaped = true,
            ('"', _) => is_quoted = !is_quoted,
            (',', false) => {
                found.push(text.get(start..place)?);
                start = place.saturating_add(1);
            }
            _ => {}
        }
    }
    if is_quoted {
        return None;
    }
    found.push(text.get(start..)?);
    let members = found.into_iter().map(str::trim);
    Some(members.filter(|one| !one.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, cache_control: Option<&str>, by: Keeping) -> Option<String> {
        let has_expires = false;
        let said = Said {
            status,
            cache_control,
            has_expires,
        };
        super::cache_control(&said, by)
    }

    #[test]
    fn what_is_the_caller_s_is_kept_by_no_shared_cache() {
        for (said, left) in [
            (None, "private"),
            (Some(""), "private"),
            (Some("public, max-age=60"), "private, max-age=60"),
            (Some("max-age=60, S-MaxAge=600"), "private, max-age=60"),
            (Some("s-maxage = 600"), "private"),
            (Some("PUBLIC"), "private"),
            (
                Some("must-revalidate, max-age=0"),
                "private, must-revalidate, max-age=0",
            ),
            (Some("private"), "private"),
            (
                Some("private=\"x-a, x-b\", max-age=5"),
                "private, max-age=5",
            ),
            (
                Some("no-cache=\"set-cookie, public\""),
                "private, no-cache=\"set-cookie, public\"",
            ),
            (
                Some("ext=\"a\\\", public\", public"),
                "private, ext=\"a\\\", public\"",
            ),
            (Some("no-store"), "no-store"),
            (Some("public, No-Store"), "No-Store"),
            (Some("no-store=\"x"), "no-store"),
            (Some("max-age=60, \"public"), "no-store"),
            (Some("publicity"), "private, publicity"),
        ] {
            for status in [200, 206, 302, 304] {
                assert_eq!(
                    told(status, said, Keeping::Caller).as_deref(),
                    Some(left),
                    "{said:?}"
                );
            }
        }
    }

    #[test]
    fn what_was_judged_for_one_caller_is_kept_for_no_other_whatever_is_said() {
        for (said, told) in [
            (None, "private, no-cache"),
            (Some("public, max-age=600"), "private, no-cache"),
            (
                Some("public, max-age=600, x=\"a, no-store, b\""),
                "private, no-cache",
            ),
            (Some("public, No-Store"), "no-store"),
            (Some("no-store=\"x\""), "no-store"),
            (Some("max-age=600, \"public"), "no-store"),
        ] {
            assert_eq!(for_one(said), told, "{said:?}");
        }
    }

    #[test]
    fn what_is_everybody_s_stays_as_its_origin_says() {
        for said in [
            None,
            Some("public, max-age=60"),
            Some("private"),
            Some("\""),
        ] {
            assert_eq!(told(200, said, Keeping::Everyone), None, "{said:?}");
        }
        assert_eq!(told(404, Some("max-age=5"), Keeping::Everyone), None);
    }

    #[test]
    fn an_error_is_kept_by_nobody_unless_its_origin_says_so() {
        for by in [Keeping::Caller, Keeping::Everyone] {
            for status in [400, 403, 404, 405, 410, 414, 500, 501] {
                assert_eq!(
                    told(status, None, by).as_deref(),
                    Some("no-store"),
                    "{status}"
                );
            }
            for status in [400, 401, 407, 428, 429, 431, 511] {
                let told = told(status, Some("public, max-age=60"), by);
                assert_eq!(told.as_deref(), Some("no-store"), "{status}");
            }
            assert_eq!(
                told(399, Some("max-age=5"), by).is_some(),
                by == Keeping::Caller
            );
        }
        assert_eq!(
            told(404, Some("public"), Keeping::Caller).as_deref(),
            Some("private")
        );
        let said = Said {
            status: 404,
            cache_control: None,
            has_expires: true,
        };
        assert_eq!(super::cache_control(&said, Keeping::Everyone), None);
        assert_eq!(
            super::cache_control(&said, Keeping::Caller).as_deref(),
            Some("private")
        );
    }

    #[test]
    fn an_answer_varies_by_what_named_its_caller() {
        let names = ["Authorization".to_owned(), "x-api-key".to_owned()];
        for (said, left) in [
            (None, Some("Authorization, x-api-key")),
            (Some("Accept"), Some("Accept, Authorization, x-api-key")),
            (Some("authorization , X-Api-Key"), None),
            (Some("AUTHORIZATION"), Some("AUTHORIZATION, x-api-key")),
            (Some("*"), None),
            (Some("Accept, *"), None),
        ] {
            assert_eq!(vary(said, &names).as_deref(), left, "{said:?}");
        }
        assert_eq!(vary(None, &[]), None);
    }

    #[test]
    fn word_to_one_kind_of_cache_is_known() {
        for name in [
            "cdn-cache-control",
            "cloudflare-cdn-cache-control",
            "surrogate-control",
        ] {
            assert!(is_targeted(name), "{name}");
        }
        for name in ["cache-control", "expires", "age"] {
            assert!(!is_targeted(name), "{name}");
        }
    }
}
