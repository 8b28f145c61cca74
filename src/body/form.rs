//! Forms with one reading: `application/x-www-form-urlencoded` (WHATWG URL §5.1), and what is wrong
//! with a form of either kind.
//!
//! Owns: strict reading of names and values as text. What two readers could read differently is
//! refused. Does not own: types and schemas (`body::content`), parts (`body::multipart`).

use crate::body::json::JsonLimits;

/// Why content is no form that every reader reads alike.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FormFault {
    /// Octets that are no percent-encoding, or should be one: a control, a space, `;`.
    Encoding,
    Utf8,
    NulCharacter,
    TooManyFields,
    FieldTooLong,
    /// A name that says how others are to be read.
    CharsetField,
    /// The `boundary` of the content type: missing, twice, or of another form.
    Boundary,
    /// Parts do not begin and end as they should.
    Framing,
    /// The header of a part: too long, of another form, with a field that parts do not have.
    PartHeader,
    /// How a part is named: no name, two, or one that readers read differently.
    PartName,
    /// The name of a file: a path, an encoding, two of them.
    FileName,
}

impl FormFault {
    /// The name of the broken rule, for `errors[].keyword`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Encoding => "encoding",
            Self::Utf8 => "utf8",
            Self::NulCharacter => "nul",
            Self::TooManyFields => "maxNames",
            Self::FieldTooLong => "maxBytes",
            Self::CharsetField => "charset",
            Self::Boundary => "boundary",
            Self::Framing => "framing",
            Self::PartHeader => "partHeader",
            Self::PartName => "partName",
            Self::FileName => "fileName",
        }
    }

    /// What is wrong and what to do.
    pub fn explain(self) -> (&'static str, &'static str) {
        match self {
            Self::Encoding => (
                "not well encoded",
                "Percent-encode controls, spaces and ; and send % with two hexadecimal digits.",
            ),
            Self::Utf8 => ("text that is not UTF-8", "Send text in UTF-8."),
            Self::NulCharacter => ("the character U+0000", "Send text without U+0000."),
            Self::TooManyFields => ("too many fields", "Send fewer fields."),
            Self::FieldTooLong => (
                "a name or a value that is too long",
                "Send shorter names and values.",
            ),
            Self::CharsetField => (
                "a field that says how others are read",
                "Send UTF-8, without _charset_.",
            ),
            Self::Boundary => (
                "a content type without one good boundary",
                "Name one boundary of 1 to 70 letters, digits and '()+_,-./:=? characters.",
            ),
            Self::Framing => (
                "parts that do not begin and end as the boundary says",
                "Begin with the boundary, end each part with CR LF and the boundary, and send nothing before or after.",
            ),
            Self::PartHeader => (
                "a part's header that is malformed or too long",
                "Send Content-Disposition and, where needed, Content-Type, each once and in UTF-8.",
            ),
            Self::PartName => (
                "a part without one plain name",
                "Send Content-Disposition: form-data with one name, quoted, without backslashes.",
            ),
            Self::FileName => (
                "a file name that readers read differently",
                "Send one filename, quoted, without folders, backslashes or encodings.",
            ),
        }
    }
}

/// Decoded names and values of one form, in order, repeats kept.
///
/// Fails on what is not percent-encoded as it should be, on invalid UTF-8, on U+0000, on `_charset_`
/// and on more or longer fields than `limits` allow. Total: no input panics.
pub(super) fn parse(bytes: &[u8], limits: JsonLimits) -> Result<Vec<(String, String)>, FormFault> {
    let mut pairs = Vec::new();
    for pair in bytes.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        if pairs.len() == limits.names_max {
            return Err(FormFault::TooManyFields);
        }
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let mut half = || decode(halves.next().unwrap_or_default(), limits);
        let (name, value) = (half()?, half()?);
        check_name(&name)?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// Refuses a name that some readers take as an order (HTML §4.10.22.5).
pub(super) fn check_name(name: &str) -> Result<(), FormFault> {
    if name.eq_ignore_ascii_case("_charset_") {
        Err(FormFault::CharsetField)
    } else {
        Ok(())
    }
}

/// Text of a name or a value.
pub(super) fn text(octets: &[u8], limits: JsonLimits) -> Result<&str, FormFault> {
    if octets.len() > limits.string_bytes_max {
        return Err(FormFault::FieldTooLong);
    }
    let text = std::str::from_utf8(octets).map_err(|_| FormFault::Utf8)?;
    if text.contains('\0') {
        return Err(FormFault::NulCharacter);
    }
    Ok(text)
}

fn decode(raw: &[u8], limits: JsonLimits) -> Result<String, FormFault> {
    let mut octets = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied();
    while let Some(byte) = rest.next() {
        octets.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let octet = digit().and_then(|high| Some(high * 16 + digit()?));
                let octet = octet.and_then(|octet| u8::try_from(octet).ok());
                octet.ok_or(FormFault::Encoding)?
            }
            // Some readers separate by `;`.
            0..=b' ' | b';' | 0x7f => return Err(FormFault::Encoding),
            byte => byte,
        });
    }
    text(&octets, limits).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::json::BODY_LIMITS;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, FormFault> {
        parse(text.as_bytes(), BODY_LIMITS)
    }

    #[test]
    fn names_and_values_are_decoded_once() {
        let pairs = read("a=1&b=%2525&c=x+y%20z&&d&e=%C3%A9=é&=f").unwrap();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let known = [
            ("a", "1"),
            ("b", "%25"),
            ("c", "x y z"),
            ("d", ""),
            ("e", "é=é"),
            ("", "f"),
        ];
        assert_eq!(pairs, known);
        assert_eq!(read(""), Ok(vec![]));
    }

    #[test]
    fn what_has_two_readings_is_refused() {
        for (text, fault) in [
            ("a=%", FormFault::Encoding),
            ("a=%4", FormFault::Encoding),
            ("a=%+1", FormFault::Encoding),
            ("a=1;admin=1", FormFault::Encoding),
            ("a=1 2", FormFault::Encoding),
            ("a=1\n", FormFault::Encoding),
            ("a=%ff", FormFault::Utf8),
            ("a=%c0%ae", FormFault::Utf8),
            ("a=%00", FormFault::NulCharacter),
            ("a%00b=1", FormFault::NulCharacter),
            ("_charset_=iso-8859-1&a=1", FormFault::CharsetField),
            ("%5Fcharset_=utf-8", FormFault::CharsetField),
        ] {
            assert_eq!(read(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn a_form_is_bounded_on_both_sides() {
        let limits = JsonLimits {
            names_max: 2,
            string_bytes_max: 3,
            ..BODY_LIMITS
        };
        let within = |text: &str| parse(text.as_bytes(), limits).err();
        assert_eq!(within("a=1&b=2"), None);
        assert_eq!(within("a=1&a=2&a=3"), Some(FormFault::TooManyFields));
        assert_eq!(within("abc=%41%41%41"), None);
        assert_eq!(within("abc=%41%41%41%41"), Some(FormFault::FieldTooLong));
        assert_eq!(within("abcd=1"), Some(FormFault::FieldTooLong));
    }

    proptest! {
        #[test]
        fn no_octets_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes, BODY_LIMITS);
        }

        #[test]
        fn what_is_encoded_is_read_as_it_was(pairs in prop::collection::vec(("[^\0]{0,8}", "[^\0]{0,8}"), 0..6)) {
            let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
            let text: Vec<_> = pairs.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
            prop_assert_eq!(read(&text.join("&")), Ok(pairs));
        }
    }
}
