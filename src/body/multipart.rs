//! `multipart/form-data` with one reading (RFC 7578, RFC 2046 §5.1): stricter than either, because
//! what was judged here is read again by a parser that is not known.
//!
//! Owns: the boundary, the framing, the header of a part. Does not own: what a part means
//! (`body::content`).

use mime::Mime;

use crate::body::form::{FormFault, check_name, text};
use crate::body::json::JsonLimits;

/// Longest header of one part, in bytes.
const PART_HEADER_BYTES_MAX: usize = 1_024;
/// Longest name of a part and of a file, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// RFC 2046 §5.1.1.
const BOUNDARY_BYTES_MAX: usize = 70;

/// One part.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) file_name: Option<String>,
    /// As the part says it.
    pub(super) media_type: Option<Mime>,
    pub(super) bytes: &'a [u8],
}

/// The parts of `bytes`, in order.
///
/// - `content_type`: of the whole, with the boundary.
///
/// Fails where a lenient reader and a strict one could find other parts, other names or other files:
/// text around the parts, line ends other than CR LF, the boundary anywhere but between parts, header
/// fields beyond `Content-Disposition` and `Content-Type`, escapes and encodings in names, folders in
/// file names. Total: no input panics.
pub(super) fn parse<'a>(
    bytes: &'a [u8],
    content_type: &str,
    limits: JsonLimits,
) -> Result<Vec<Part<'a>>, FormFault> {
    let delimiter = format!("--{}", boundary(content_type)?).into_bytes();
    let mut rest = bytes
        .strip_prefix(delimiter.as_slice())
        .ok_or(FormFault::Framing)?;
    let mut parts = Vec::new();
    loop {
        // After the last boundary nothing is left but one line end.
        if let Some(end) = rest.strip_prefix(b"--") {
            return match end {
                b"" | b"\r\n" if !parts.is_empty() => Ok(parts),
                _ => Err(FormFault::Framing),
            };
        }
        let part = rest.strip_prefix(b"\r\n").ok_or(FormFault::Framing)?;
        if parts.len() == limits.names_max {
            return Err(FormFault::TooManyFields);
        }
        let end = find(part, &delimiter).ok_or(FormFault::Framing)?;
        let (part, after) = part.split_at_checked(end).ok_or(FormFault::Framing)?;
        rest = after
            .strip_prefix(delimiter.as_slice())
            .ok_or(FormFault::Framing)?;
        let part = part.strip_suffix(b"\r\n").ok_or(FormFault::Framing)?;
        parts.push(read_part(part, limits)?);
    }
}

fn boundary(content_type: &str) -> Result<String, FormFault> {
    let media_type: Mime = content_type.parse().map_err(|_| FormFault::Boundary)?;
    // Some readers take `boundary*` for it, some the first name with `boundary` in it, and some any
    // text: no parameter stands beside it but the one that says UTF-8.
    let mut named = media_type
        .params()
        .filter(|(name, _)| *name != mime::CHARSET);
    let (Some((mime::BOUNDARY, boundary)), None) = (named.next(), named.next()) else {
        return Err(FormFault::Boundary);
    };
    let boundary = boundary.as_str();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte);
    let fits = (1..=BOUNDARY_BYTES_MAX).contains(&boundary.len());
    if fits && boundary.bytes().all(known) {
        Ok(boundary.to_owned())
    } else {
        Err(FormFault::Boundary)
    }
}

/// Where `part` first stands in `whole`.
fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut start = 0;
    loop {
        let rest = whole.get(start..)?;
        let next = start + rest.iter().position(|byte| *byte == first)?;
        if whole.get(next..)?.starts_with(part) {
            return Some(next);
        }
        start = next + 1;
    }
}

fn read_part(part: &[u8], limits: JsonLimits) -> Result<Part<'_>, FormFault> {
    let end = find(part, b"\r\n\r\n").ok_or(FormFault::Framing)?;
    if end > PART_HEADER_BYTES_MAX {
        return Err(FormFault::PartHeader);
    }
    let (header, bytes) = part.split_at_checked(end).ok_or(FormFault::Framing)?;
    let bytes = bytes.get(4..).unwrap_or_default();
    let header = std::str::from_utf8(header).map_err(|_| FormFault::PartHeader)?;
    let (mut disposition, mut media_type) = (None, None);
    for line in header.split("\r\n") {
        // A line that goes on from the one above has no name, or one that begins with a space.
        let (name, value) = line.split_once(':').ok_or(FormFault::PartHeader)?;
        let value = value.trim_matches([' ', '\t']);
        if line.contains(|one: char| one.is_control() && one != '\t') {
            return Err(FormFault::PartHeader);
        }
        let first = match name.to_ascii_lowercase().as_str() {
            "content-disposition" => disposition.replace(value).is_none(),
            "content-type" => media_type.replace(value).is_none(),
            _ => false,
        };
        if !first {
            return Err(FormFault::PartHeader);
        }
    }
    let (name, file_name) = names(disposition.ok_or(FormFault::PartName)?)?;
    text(name.as_bytes(), limits)?;
    check_name(&name)?;
    let media_type = media_type.map(str::parse::<Mime>).transpose();
    let media_type = media_type.map_err(|_| FormFault::PartHeader)?;
    // Parts within a part are files of their own to some readers (RFC 7578 §4.3).
    if media_type
        .as_ref()
        .is_some_and(|one| one.type_() == mime::MULTIPART)
    {
        return Err(FormFault::PartHeader);
    }
    Ok(Part {
        name,
        file_name,
        media_type,
        bytes,
    })
}

/// The name and the file name of `form-data; name="…"; filename="…"`.
fn names(disposition: &str) -> Result<(String, Option<String>), FormFault> {
    let (kind, mut rest) = disposition.split_once(';').ok_or(FormFault::PartName)?;
    if !kind.trim_end().eq_ignore_ascii_case("form-data") {
        return Err(FormFault::PartName);
    }
    let (mut name, mut file_name) = (None, None);
    loop {
        let (parameter, value) = rest.split_once('=').ok_or(FormFault::PartName)?;
        let slot = match parameter.trim_start().to_ascii_lowercase().as_str() {
            "name" => &mut name,
            "filename" => &mut file_name,
            // `filename*` is another name to one reader and none to the next (RFC 7578 §4.2).
            other if other.starts_with("filename") => return Err(FormFault::FileName),
            _ => return Err(FormFault::PartName),
        };
        let fault = if parameter.trim_start().len() == "name".len() {
            FormFault::PartName
        } else {
            FormFault::FileName
        };
        // Quoted, as every client does: an unquoted one ends elsewhere for each reader.
        let quoted = value.strip_prefix('"').ok_or(fault)?;
        let (value, after) = quoted.split_once('"').ok_or(fault)?;
        let plain = !value.contains('\\') && (1..=NAME_BYTES_MAX).contains(&value.len());
        if !plain || slot.replace(value.to_owned()).is_some() {
            return Err(fault);
        }
        match after.trim_start() {
            "" => break,
            more => rest = more.strip_prefix(';').ok_or(fault)?,
        }
    }
    if !file_name.as_deref().is_none_or(is_plain_file_name) {
        return Err(FormFault::FileName);
    }
    Ok((name.ok_or(FormFault::PartName)?, file_name))
}

/// Whether a file name is one segment of a path to every reader, encoded ones included.
fn is_plain_file_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let hidden = ["%2f", "%5c", "%00", "%0a", "%0d", "%22", "%25", "%2e"];
    !name.contains(['/', '\\', '\0', ':'])
        && !hidden.iter().any(|part| lower.contains(part))
        && !name.chars().all(|one| one == '.' || one == ' ')
}

#[cfg(test)]
mod tests;
