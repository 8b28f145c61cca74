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
pub struct CanonicalPath {
    text: String,
    /// Whether a segment is matrix parameters, with a literal `;`.
    has_matrix: bool,
}

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
        let path = Self::parse_with_matrix(raw)?;
        match path.has_matrix {
            false => Ok(path),
            true => Err(TargetFault::MatrixParameter),
        }
    }

    /// Reads a raw path in which whole segments may be matrix parameters, as `;color=red`
    /// (RFC 6570 §3.2.7). What takes it has to ask [`Self::has_matrix`].
    pub fn parse_with_matrix(raw: &str) -> Result<Self, TargetFault> {
        let Some(rest) = raw.strip_prefix('/') else {
            return Err(TargetFault::NotAbsolute);
        };
        let mut canonical = String::with_capacity(raw.len());
        let mut has_matrix = false;
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
            // `/a;x=1` is `/a` to a servlet container and another file to a web server.
            let Some(rest) = segment.strip_prefix(';') else {
                if segment.contains(';') {
                    return Err(TargetFault::MatrixParameter);
                }
                push_segment(&mut canonical, segment)?;
                continue;
            };
            has_matrix = true;
            for part in rest.split(';') {
                canonical.push(';');
                push_segment(&mut canonical, part)?;
            }
        }
        Ok(Self {
            text: canonical,
            has_matrix,
        })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn has_matrix(&self) -> bool {
        self.has_matrix
    }
}

/// Percent-decodes one value of a canonical path or query. Total on canonical input.
pub fn decode(canonical: &str) -> String {
    percent_encoding::percent_decode_str(canonical)
        .decode_utf8_lossy()
        .into_owned()
}

fn push_segment(canonical: &mut String, segment: &str) -> Result<(), TargetFault> {
    let bytes = decode_octets(segment)?;
    // Looked for once decoded: the digits may have been encoded too.
    let double = |window: &[u8]| matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    if bytes.windows(3).any(double) {
        return Err(TargetFault::DoubleEncoding);
    }
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
                match octet {
                    b'/' | b'\\' | b'?' | b'#' => return Err(TargetFault::EncodedSeparator),
                    0..=0x1f | 0x7f => return Err(TargetFault::ControlCharacter),
                    _ => octets.push(octet),
                }
            }
            b'\\' => return Err(TargetFault::Backslash),
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
        let Some(raw) = raw else {
            return Ok(Self::default());
        };
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
        Ok(Self {
            text: Some(text),
            pairs,
        })
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
                (
                    octet,
                    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet),
                )
            }
            b'+' => {
                text.push('+');
                octets.push(b' ');
                continue;
            }
            byte => (
                byte,
                byte.is_ascii_alphanumeric() || b"-._~!$()*,:@/?=[]".contains(&byte),
            ),
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
mod tests;
