//! Where an answer sends its reader: an origin's own address becomes the gateway's, and one that
//! nobody outside can reach is not told.
//!
//! Owns: reading references as browsers do (WHATWG URL, RFC 3986 §4.2). Does not own: which places
//! are private (`policy::fetch_url`). No redirect is followed here (`edge::origin`).

use crate::policy::fetch_url;

/// Fields whose whole value is a reference (RFC 9110 §8.7, §10.2.2), one with a list of them
/// (RFC 8288), and one that browsers read at the end of a number.
pub const FIELDS: [&str; 4] = ["location", "content-location", "link", "refresh"];

/// Schemes whose references have a host, and are read alike (WHATWG URL, "special scheme"). All others
/// are an application's own, and pass.
const OF_HOSTS: [&str; 5] = ["http", "https", "ws", "wss", "ftp"];

/// What becomes of a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Told {
    AsItCame,
    Instead(String),
    Nothing,
}

/// What is known of addresses.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The gateway's own URL, without a path.
    pub base: &'a str,
    /// The origins' URLs: scheme, host and port.
    pub origins: &'a [String],
}

impl Known<'_> {
    /// What of one of [`FIELDS`] is told.
    ///
    /// - `name`: in lower case.
    pub fn field(&self, name: &str, value: &str) -> Told {
        match name {
            "link" => self.links(value),
            "refresh" => self.refresh(value),
            // Several lines are joined by the platform: which one counts nobody knows.
            _ if holds_another(value) => Told::Nothing,
            _ => self.reference(value),
        }
    }

    /// A reference whose authority is an origin's gets the gateway's, with the path that it has: both
    /// have the same. One of a private place, or that can be read in two ways, is not told.
    fn reference(&self, value: &str) -> Told {
        // What browsers leave out before they read.
        let plain: String = value
            .trim_matches(|letter: char| letter <= ' ')
            .chars()
            .filter(|letter| *letter != '\t')
            .collect();
        let (scheme, rest) = match scheme(&plain) {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, plain.as_str()),
        };
        if scheme
            .as_deref()
            .is_some_and(|one| !OF_HOSTS.contains(&one))
        {
            return Told::AsItCame;
        }
        let is_slash = |letter: char| matches!(letter, '/' | '\\');
        let mut letters = rest.chars();
        let has_authority =
            letters.next().is_some_and(is_slash) && letters.next().is_some_and(is_slash);
        if !has_authority {
            // With `http:` before it, browsers take what follows for a host all the same.
            return match scheme {
                Some(_) => Told::Nothing,
                None => Told::AsItCame,
            };
        }
        let after = rest.get(2..).unwrap_or_default();
        let end = after
            .find(|letter| is_slash(letter) || matches!(letter, '?' | '#'))
            .unwrap_or(after.len());
        let (authority, below) = after.split_at_checked(end).unwrap_or((after, ""));
        match self.place(authority) {
            Place::Gateway | Place::Elsewhere => Told::AsItCame,
            Place::Origin => Told::Instead(format!("{}{below}", self.base)),
            Place::Private => Told::Nothing,
        }
    }

    fn place(&self, authority: &str) -> Place {
        let told = split(authority);
        if split(authority_of(self.base)) == told {
            return Place::Gateway;
        }
        let of_host: Vec<_> = self
            .origins
            .iter()
            .filter(|origin| split(authority_of(origin)).0 == told.0)
            .collect();
        let is_of_port = |origin: &&String| {
            let default = if origin.starts_with("https:") {
                "443"
            } else {
                "80"
            };
            let own = split(authority_of(origin)).1;
            let own = if own.is_empty() { default.into() } else { own };
            told.1.is_empty() || told.1 == own
        };
        let is_named = told.0.starts_with('[') || told.0.contains('.');
        match (of_host.iter().any(is_of_port), of_host.is_empty()) {
            (true, _) => Place::Origin,
            // Another service where an origin is.
            (false, false) => Place::Private,
            (false, true) if is_named && fetch_url::is_public(authority) => Place::Elsewhere,
            (false, true) => Place::Private,
        }
    }

    /// `<reference>; parameters, <reference>`. Told whole, or, where one of them is private, not.
    fn links(&self, value: &str) -> Told {
        let mut text = String::new();
        let mut is_changed = false;
        let mut is_quoted = false;
        let mut rest = value;
        while let Some(letter) = rest.chars().next() {
            let after = rest.get(letter.len_utf8()..).unwrap_or_default();
            match (letter, is_quoted) {
                ('<', false) => {
                    let Some((reference, behind)) = after.split_once('>') else {
                        return Told::Nothing;
                    };
                    let told = match self.reference(reference) {
                        Told::AsItCame => reference.to_owned(),
                        Told::Nothing => return Told::Nothing,
                        Told::Instead(public) => {
                            is_changed = true;
                            public
                        }
                    };
                    text.push('<');
                    text.push_str(&told);
                    text.push('>');
                    rest = behind;
                    continue;
                }
                ('\\', true) => {
                    // What follows stands for itself.
                    let length = after.chars().next().map_or(0, char::len_utf8);
                    text.push('\\');
                    text.push_str(after.get(..length).unwrap_or_default());
                    rest = after.get(length..).unwrap_or_default();
                    continue;
                }
                ('"', _) => is_quoted = !is_quoted,
                _ => {}
            }
            text.push(letter);
            rest = after;
        }
        match is_changed {
            _ if is_quoted => Told::Nothing,
            true => Told::Instead(text),
            false => Told::AsItCame,
        }
    }

    /// `5; url=reference`, as browsers read it (HTML, "shared declarative refresh steps"): what stands
    /// before the reference may be left out, all but the number.
    fn refresh(&self, value: &str) -> Told {
        let is_before =
            |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | ' ' | '\t');
        let rest = value.trim_start_matches(is_before);
        let rest = rest.strip_prefix([';', ',']).unwrap_or(rest).trim_start();
        if rest.is_empty() {
            return Told::AsItCame;
        }
        let named = rest
            .get(..3)
            .filter(|name| name.eq_ignore_ascii_case("url"));
        let named = named.and_then(|_| rest.get(3..)?.trim_start().strip_prefix('='));
        let reference = named.unwrap_or(rest).trim();
        let reference = match reference.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = reference.get(1..).unwrap_or_default();
                inner.split(quote).next().unwrap_or_default()
            }
            _ => reference,
        };
        match self.reference(reference) {
            Told::Instead(public) => {
                let before = value.strip_suffix(rest).unwrap_or_default();
                Told::Instead(format!("{before}url={public}"))
            }
            told => told,
        }
    }
}

/// Where a reference leads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Gateway,
    Origin,
    Private,
    Elsewhere,
}

/// Whether another reference with a host stands behind a comma and a space, which no reference has.
fn holds_another(value: &str) -> bool {
    let mut others = value.split(", ").skip(1);
    others.any(|one| {
        one.starts_with("//")
            || scheme(one).is_some_and(|(scheme, _)| {
                OF_HOSTS
                    .iter()
                    .any(|known| scheme.eq_ignore_ascii_case(known))
            })
    })
}

/// A scheme and what follows its colon (RFC 3986 §3.1).
fn scheme(reference: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = reference.split_once(':')?;
    let mut letters = scheme.bytes();
    let is_scheme = letters.next().is_some_and(|one| one.is_ascii_alphabetic())
        && letters.all(|one| one.is_ascii_alphanumeric() || b"+-.".contains(&one));
    is_scheme.then_some((scheme, rest))
}

fn authority_of(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    after.split('/').next().unwrap_or_default()
}

/// Host and port, in one spelling; a port may be empty.
fn split(authority: &str) -> (String, String) {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, ""),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    (host.to_ascii_lowercase(), port.to_owned())
}

#[cfg(test)]
mod tests;
