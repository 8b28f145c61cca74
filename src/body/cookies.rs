//! Cookies (RFC 6265 §4.2): those that a route has rules for, with one reading.
//!
//! Owns: taking `Cookie` apart, and refusing what servers take apart in other ways: a name that
//! stands twice, a value in quotes, a comma that some read as a semicolon. Cookies without a rule
//! pass: a browser sends those of every application of a site.
//! Called by: `stage::inspected`.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::body::finding::{FINDINGS_MAX, Finding, Location, push_token};
use crate::body::parameters::{ParameterRules, repeated};
use crate::body::schema::Compiler;

/// Most cookies of one request.
pub const COOKIES_MAX: usize = 300;

/// Rules for cookies: an object schema over their names.
#[derive(Debug)]
pub struct CookieRules(ParameterRules);

impl CookieRules {
    /// Fails as [`ParameterRules::compile`] does, and on a cookie that holds a list or an object.
    pub fn compile(schema: &Value, compiler: &Compiler<'_>) -> Result<Self, String> {
        ParameterRules::compile(schema, compiler, Location::Cookie).map(Self)
    }

    /// Judges the values of all `Cookie` fields. A value with `%` has to meet its rule as it is
    /// written and decoded: servers do either.
    pub fn judge<'a>(&self, fields: impl Iterator<Item = &'a str>) -> Vec<Finding> {
        let text = fields.collect::<Vec<_>>().join("; ");
        let cookies = text.split(';').map(|one| one.trim_matches([' ', '\t']));
        let cookies: Vec<&str> = cookies.filter(|one| !one.is_empty()).collect();
        if cookies.len() > COOKIES_MAX {
            return vec![found("", "maxNames", "too many cookies", "Send fewer.")];
        }
        let mut findings = self.hidden(&text);
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for cookie in cookies {
            let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
            let has_rule = self.0.knows(name);
            if has_rule && !value.bytes().all(is_cookie_octet) {
                let fix =
                    "Send it percent-encoded: without quotes, commas, spaces and backslashes.";
                let message = "a value that servers read differently";
                findings.push(found(name, "encoding", message, fix));
            }
            if has_rule || !pairs.iter().any(|(known, _)| *known == name) {
                pairs.push((name, value));
            }
        }
        if findings.is_empty() {
            findings = self.0.judge(pairs.iter().copied());
        }
        let decoded = pairs.iter().map(|(name, value)| (*name, decoded(value)));
        let decoded: Vec<(&str, Cow<'_, str>)> = decoded.collect();
        let is_other = |pair: &(&str, Cow<'_, str>)| matches!(pair.1, Cow::Owned(_));
        if findings.is_empty() && decoded.iter().any(is_other) {
            let pairs = decoded.iter().map(|(name, value)| (*name, value.as_ref()));
            findings = self.0.judge(pairs);
        }
        findings.truncate(FINDINGS_MAX);
        findings
    }

    /// Cookies with a rule that another reader finds more of: one that takes a comma for a
    /// semicolon, or decodes names.
    fn hidden(&self, text: &str) -> Vec<Finding> {
        let mut names: Vec<Cow<'_, str>> = Vec::new();
        for cookie in text.split([';', ',']) {
            let name = cookie.split('=').next().unwrap_or_default();
            let name = name.trim_matches([' ', '\t', '"']);
            names.extend(Some(decoded(name)).filter(|name| self.0.knows(name)));
        }
        names.sort();
        let mut told: Vec<Finding> = Vec::new();
        for pair in names.windows(2) {
            if let [one, other] = pair
                && one == other
            {
                let finding = repeated(Location::Cookie, one);
                if !told.contains(&finding) {
                    told.push(finding);
                }
            }
        }
        told
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    match text.contains('%') {
        true => Cow::Owned(percent_decode_str(text).decode_utf8_lossy().into_owned()),
        false => Cow::Borrowed(text),
    }
}

/// RFC 6265 §4.1.1.
fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn found(name: &str, keyword: &str, message: &str, fix: &str) -> Finding {
    let mut pointer = String::new();
    if !name.is_empty() {
        push_token(&mut pointer, name);
    }
    Finding::new(Location::Cookie, &pointer, keyword, message, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn compile(schema: &Value) -> Result<CookieRules, String> {
        CookieRules::compile(schema, &Compiler::new(&Map::new()))
    }

    fn told(fields: &[&str]) -> Vec<String> {
        let schema = json!({
            "required": ["page"],
            "properties": { "page": { "type": "integer", "minimum": 1 }, "theme": { "enum": ["a b", "dark"] } }
        });
        let rules = compile(&schema).unwrap();
        let findings = rules.judge(fields.iter().copied());
        let told = findings.iter();
        told.map(|one| format!("{:?} {} {}", one.location, one.pointer, one.keyword))
            .collect()
    }

    #[test]
    fn a_cookie_is_judged_by_its_rule_and_others_pass() {
        let none: [&str; 0] = [];
        assert_eq!(told(&["page=2"]), none);
        assert_eq!(told(&["_a=\"x, y\"; page=2;theme=dark; _a=1; b"]), none);
        assert_eq!(told(&["a=1", "page=2"]), none);
        assert_eq!(told(&[]), ["Cookie /page required"]);
        assert_eq!(told(&["Page=2"]), ["Cookie /page required"]);
        assert_eq!(told(&["page=0"]), ["Cookie /page minimum"]);
        assert_eq!(told(&["page=2; theme=light"]), ["Cookie /theme enum"]);
        assert_eq!(told(&["page"]), ["Cookie /page type"]);
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        for fields in [
            &["page=2; page=2"][..],
            &["page=2", "page=3"],
            &["page=2; a=1, page=3"],
            &["page=2; a=1,page=3"],
            &["page=2; %70age=3"],
            &["page=2; a=\"; page=3"],
            &["page=2; \"page\"=3"],
        ] {
            assert_eq!(told(fields), ["Cookie /page duplicateName"], "{fields:?}");
        }
        for value in ["\"2\"", "2,", "2 2", "2\\", "\u{e9}", "2\u{1}"] {
            let field = format!("page={value}");
            assert_eq!(told(&[&field]), ["Cookie /page encoding"], "{field}");
        }
        // Both readings have to meet the rule.
        assert_eq!(told(&["page=%32"]), ["Cookie /page type"]);
        assert_eq!(told(&["page=2; theme=a%20b"]), ["Cookie /theme enum"]);
    }

    #[test]
    fn a_value_with_percent_is_held_against_its_rule_in_both_readings() {
        let schema = json!({ "properties": { "s": { "pattern": "^[^']*$" } } });
        let rules = compile(&schema).unwrap();
        let told = |field: &str| rules.judge(std::iter::once(field)).len();
        assert_eq!([told("s=a%3D"), told("s=a%27"), told("s=a'")], [0, 1, 1]);
    }

    #[test]
    fn cookies_are_bounded_on_both_sides() {
        let many = |count: usize| format!("page=1{}", "; a=1".repeat(count - 1));
        let none: [&str; 0] = [];
        assert_eq!(told(&[&many(COOKIES_MAX)]), none);
        assert_eq!(told(&[&many(COOKIES_MAX + 1)]), ["Cookie  maxNames"]);
    }

    #[test]
    fn a_rule_for_a_list_does_not_compile() {
        for (rule, compiles) in [
            (json!({ "type": "string" }), true),
            (json!({ "type": "array" }), false),
            (
                json!({ "type": "string", "x-edgeward-style": "comma" }),
                false,
            ),
        ] {
            let schema = json!({ "properties": { "a": rule } });
            assert_eq!(compile(&schema).is_ok(), compiles);
        }
    }
}
