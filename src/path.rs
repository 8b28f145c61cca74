//! The one reading of a request's path and query: what is matched is what is authorized is what is
//! sent to the origin.
//!
//! Owns: canonical path and query. Does not own: routes (`policy::route_table`).
//! Why so strict: most gateway bypasses are two parsers that read one path differently
//! (CVE-2019-9901, CVE-2021-29492, CVE-2025-66490); what has two readings is refused.

use std::fmt::Write as _;

/// Longest path and query together, in bytes.
pub const TARGET_BYTES_MAX: usize = 8_192;
/// Most `name=value` pairs in a query.
pub const QUERY_PAIRS_MAX: usize = 256;

/// A path with one reading: absolute, no empty, `.` or `..` segment, unreserved characters
/// literal, all others percent-encoded in upper case, UTF-8 when decoded. Parsing its own text
/// gives it back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CanonicalPath(String);

/// Why a path or query has more than one reading.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TargetFault {
    NotAbsolute,
    EmptySegment,
    DotSegment,
    Backslash,
    EncodedSeparator,
    DoubleEncoding,
    ControlCharacter,
    MatrixParameter,
    BadPercent,
    BadUtf8,
    BadCharacter,
    TooManyPairs,
}

impl CanonicalPath {
    /// Reads a raw path (no query).
    ///
    /// Fails with the first [`TargetFault`] from the left; a path longer than
    /// [`TARGET_BYTES_MAX`] is refused by the caller before.
    pub fn parse(raw: &str) -> Result<Self, TargetFault> {
        let Some(rest) = raw.strip_prefix('/') else { return Err(TargetFault::NotAbsolute) };
        let mut canonical = String::with_capacity(raw.len());
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            canonical.push('/');
            // A trailing slash is a path of its own; an empty segment anywhere else is `//`.
            if segment.is_empty() && (segments.peek().is_some() || canonical.len() > 1) {
                if segments.peek().is_some() {
                    return Err(TargetFault::EmptySegment);
                }
                continue;
            }
            push_segment(&mut canonical, segment)?;
        }
        Ok(Self(canonical))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Percent-decodes one value of a canonical path or query. Total on canonical input.
pub fn decode(canonical: &str) -> String {
    percent_encoding::percent_decode_str(canonical).decode_utf8_lossy().into_owned()
}

fn push_segment(canonical: &mut String, segment: &str) -> Result<(), TargetFault> {
    let bytes = decode_octets(segment)?;
    if matches!(bytes.as_slice(), b"." | b"..") {
        return Err(TargetFault::DotSegment);
    }
    if std::str::from_utf8(&bytes).is_err() {
        return Err(TargetFault::BadUtf8);
    }
    for byte in bytes {
        push_octet(canonical, byte, is_path_literal(byte));
    }
    Ok(())
}

/// The octets of a segment, refusing what another parser could read as structure.
fn decode_octets(segment: &str) -> Result<Vec<u8>, TargetFault> {
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let octet = hex_octet(rest.next(), rest.next()).ok_or(TargetFault::BadPercent)?;
                let double = octet == b'%' && {
                    let mut ahead = rest.clone();
                    hex_octet(ahead.next(), ahead.next()).is_some()
                };
                match octet {
                    b'/' | b'\\' | b'?' | b'#' => return Err(TargetFault::EncodedSeparator),
                    0..=0x1f | 0x7f => return Err(TargetFault::ControlCharacter),
                    b'%' if double => return Err(TargetFault::DoubleEncoding),
                    _ => octets.push(octet),
                }
            }
            b'\\' => return Err(TargetFault::Backslash),
            // `/a;x=1` is `/a` to a servlet container and another file to a web server.
            b';' => return Err(TargetFault::MatrixParameter),
            0..=0x1f | 0x7f => return Err(TargetFault::ControlCharacter),
            b' ' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#' | b'?' | 0x80.. => {
                return Err(TargetFault::BadCharacter);
            }
            _ => octets.push(byte),
        }
    }
    Ok(octets)
}

/// RFC 3986 §3.3 `pchar` without `;` and without the percent sign.
fn is_path_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}

fn push_octet(text: &mut String, byte: u8, literal: bool) {
    if literal {
        text.push(char::from(byte));
    } else {
        // Writing to a `String` does not fail.
        let _ = write!(text, "%{byte:02X}");
    }
}

fn hex_octet(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// A query with one reading: what the rules saw is what the origin gets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CanonicalQuery {
    text: Option<String>,
    pairs: Vec<(String, String)>,
}

impl CanonicalQuery {
    /// Reads a raw query (what follows `?`). `&` separates, `=` splits, `+` is a space
    /// (WHATWG URL, application/x-www-form-urlencoded); `;` separates nothing and is sent encoded.
    ///
    /// Fails on a bad percent-encoding, control characters, invalid UTF-8 and more than
    /// [`QUERY_PAIRS_MAX`] pairs.
    pub fn parse(raw: Option<&str>) -> Result<Self, TargetFault> {
        let Some(raw) = raw else { return Ok(Self::default()) };
        let mut text = String::with_capacity(raw.len());
        let mut pairs = Vec::new();
        for (index, part) in raw.split('&').enumerate() {
            if index > 0 {
                text.push('&');
            }
            if part.is_empty() {
                continue;
            }
            if pairs.len() == QUERY_PAIRS_MAX {
                return Err(TargetFault::TooManyPairs);
            }
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let pair = (read_query_text(&mut text, name)?, {
                if part.contains('=') {
                    text.push('=');
                }
                read_query_text(&mut text, value)?
            });
            pairs.push(pair);
        }
        Ok(Self { text: Some(text), pairs })
    }

    /// The canonical text, without `?`; `None` if the request had no `?`.
    pub fn as_str(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Decoded names and values, in order, repeats kept.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}

/// Decodes one name or value and appends its canonical spelling to `text`.
fn read_query_text(text: &mut String, raw: &str) -> Result<String, TargetFault> {
    let mut octets = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        let (octet, literal) = match byte {
            b'%' => {
                let octet = hex_octet(rest.next(), rest.next()).ok_or(TargetFault::BadPercent)?;
                (octet, octet.is_ascii_alphanumeric() || b"-._~".contains(&octet))
            }
            b'+' => {
                text.push('+');
                octets.push(b' ');
                continue;
            }
            byte => (byte, byte.is_ascii_alphanumeric() || b"-._~!$()*,:@/?=[]".contains(&byte)),
        };
        if octet < 0x20 || octet == 0x7f {
            return Err(TargetFault::ControlCharacter);
        }
        push_octet(text, octet, literal);
        octets.push(octet);
    }
    String::from_utf8(octets).map_err(|_| TargetFault::BadUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(raw: &str) -> Result<String, TargetFault> {
        CanonicalPath::parse(raw).map(|path| path.as_str().to_owned())
    }

    #[test]
    fn a_path_with_one_reading_is_spelled_one_way() {
        for (raw, canonical) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a/"),
            ("/%61/b", "/a/b"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b", "/a%20b"),
            ("/100%25", "/100%25"),
            ("/a%3bb", "/a%3Bb"),
            ("/...", "/..."),
            ("/a.b", "/a.b"),
        ] {
            assert_eq!(path(raw), Ok(canonical.to_owned()), "{raw}");
        }
    }

    #[test]
    fn a_path_with_two_readings_is_refused() {
        use TargetFault as F;
        for (raw, fault) in [
            ("", F::NotAbsolute),
            ("a", F::NotAbsolute),
            ("//a", F::EmptySegment),
            ("/a//b", F::EmptySegment),
            ("/a//", F::EmptySegment),
            ("//", F::EmptySegment),
            ("/./a", F::DotSegment),
            ("/a/..", F::DotSegment),
            ("/a/%2e%2E/b", F::DotSegment),
            ("/a/.%2e", F::DotSegment),
            ("/a%2fb", F::EncodedSeparator),
            ("/a%5Cb", F::EncodedSeparator),
            ("/a%3fb", F::EncodedSeparator),
            ("/a%23b", F::EncodedSeparator),
            ("/a\\b", F::Backslash),
            ("/a%00", F::ControlCharacter),
            ("/a%0d%0ax", F::ControlCharacter),
            ("/a%252fb", F::DoubleEncoding),
            ("/a;b=1", F::MatrixParameter),
            ("/a%", F::BadPercent),
            ("/a%4", F::BadPercent),
            ("/a%zz", F::BadPercent),
            ("/a%+1", F::BadPercent),
            ("/%ff", F::BadUtf8),
            ("/%c0%ae", F::BadUtf8),
            ("/\u{ff0f}", F::BadCharacter),
            ("/a b", F::BadCharacter),
        ] {
            assert_eq!(path(raw), Err(fault), "{raw}");
        }
    }

    #[test]
    fn a_query_is_read_and_sent_alike() {
        let query = CanonicalQuery::parse(Some("a=1;b=2&c=%41+b&d&e==&&")).unwrap();
        assert_eq!(query.as_str(), Some("a=1%3Bb=2&c=A+b&d&e==&&"));
        let pairs: Vec<_> = query.pairs().iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("a", "1;b=2"), ("c", "A b"), ("d", ""), ("e", "=")]);
        for bad in ["%", "a=%f", "a=%00", "a=%ff", "a=\u{1}"] {
            assert!(CanonicalQuery::parse(Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_query_has_a_bounded_number_of_pairs() {
        let pairs = |count: usize| vec!["a=1"; count].join("&");
        assert!(CanonicalQuery::parse(Some(&pairs(QUERY_PAIRS_MAX))).is_ok());
        assert_eq!(
            CanonicalQuery::parse(Some(&pairs(QUERY_PAIRS_MAX + 1))),
            Err(TargetFault::TooManyPairs)
        );
    }

    proptest! {
        #[test]
        fn canonical_text_reads_as_itself(raw in "/[ -~]{0,40}") {
            if let Ok(first) = CanonicalPath::parse(&raw) {
                prop_assert_eq!(CanonicalPath::parse(first.as_str()), Ok(first));
            }
        }

        #[test]
        fn no_input_makes_a_path_with_structure_hidden_in_it(raw in "/[%./\\\\a-f0-9;?#]{0,24}") {
            if let Ok(path) = CanonicalPath::parse(&raw) {
                let segments = path.as_str().split('/').map(decode);
                for segment in segments {
                    prop_assert!(!segment.contains(['/', '\\', '\0', '?', '#']));
                    prop_assert!(segment != "." && segment != "..");
                }
            }
        }

        #[test]
        fn a_canonical_query_reads_as_itself(raw in "[ -~]{0,40}") {
            if let Ok(first) = CanonicalQuery::parse(Some(&raw)) {
                let second = CanonicalQuery::parse(first.as_str());
                prop_assert_eq!(second.map(|query| query.pairs().to_vec()), Ok(first.pairs().to_vec()));
            }
        }
    }
}
