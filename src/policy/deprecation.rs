//! What answers say of a route that goes out of use: `Deprecation` (RFC 9745), `Sunset` (RFC 8594).

use chrono::DateTime;

use crate::policy::document::DeprecationEntry;

/// The fields of every answer of the route.
pub(super) fn fields(entry: &DeprecationEntry) -> Vec<(&'static str, String)> {
    // A structured field of type Date (RFC 9651 §3.3.7).
    let mut fields = vec![("deprecation", format!("@{}", entry.deprecated_at))];
    let sunset = entry
        .sunset_at
        .and_then(|at| DateTime::from_timestamp(at, 0));
    let written = sunset.map(|at| at.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    fields.extend(written.map(|text| ("sunset", text)));
    let link = entry.link.as_ref();
    fields.extend(link.map(|url| ("link", format!("<{url}>; rel=\"deprecation\""))));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_that_goes_out_of_use_says_since_when_and_until_when() {
        let entry = DeprecationEntry {
            deprecated_at: 1_688_169_599,
            sunset_at: Some(1_719_791_999),
            link: Some("https://developer.example/v1".into()),
        };
        assert_eq!(
            fields(&entry),
            [
                ("deprecation", "@1688169599".to_owned()),
                ("sunset", "Sun, 30 Jun 2024 23:59:59 GMT".to_owned()),
                (
                    "link",
                    "<https://developer.example/v1>; rel=\"deprecation\"".to_owned()
                ),
            ]
        );
    }
}
