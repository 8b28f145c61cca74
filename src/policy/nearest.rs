//! Which known name someone meant who wrote another: for whoever mends a policy.
//!
//! Owns: how near is near. Called by: `policy::notices`.

use strsim::osa_distance;

/// Longest name that is compared, in characters: a comparison takes the product of two.
const NAME_CHARS_MAX: usize = 64;
/// Most slips of the pen between two names.
const SLIPS_MAX: usize = 2;
/// Fewest characters of a name for each slip in it: of two short names most are near.
const CHARS_A_SLIP_MIN: usize = 3;

/// The name of `known` that `name` is a slip of: characters left out, put in, taken for others, or in the other
/// order. Of two as near, the first of the alphabet.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let length = chars(name);
    let slips_max = SLIPS_MAX.min(length / CHARS_A_SLIP_MIN);
    let short = known.filter(|one| length.max(chars(one)) <= NAME_CHARS_MAX);
    let slips = short.map(|one| (osa_distance(name, one), one));
    let near = slips.filter(|(slips, _)| *slips <= slips_max).min();
    near.map(|(_, one)| one)
}

/// How many characters a name has, as far as it matters.
fn chars(name: &str) -> usize {
    name.chars().take(NAME_CHARS_MAX + 1).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_by_two_slips_and_by_fewer_where_it_is_short() {
        let known = ["finance", "clerk", "ops", "invoices:read", "invoices:write"];
        for (name, expected) in [
            ("finanse", Some("finance")),
            ("fiannce", Some("finance")),
            ("finanses", Some("finance")),
            ("fynanses", None),
            ("clrk", Some("clerk")),
            ("clr", None),
            ("opps", Some("ops")),
            ("os", None),
            ("", None),
            ("invoice:read", Some("invoices:read")),
            ("invoices:wrt", Some("invoices:write")),
            ("payments", None),
        ] {
            assert_eq!(nearest(name, known.into_iter()), expected, "{name}");
        }
        assert_eq!(nearest("abcd", ["abcf", "abce"].into_iter()), Some("abce"));
    }

    #[test]
    fn a_name_is_compared_up_to_a_length() {
        let known = "a".repeat(NAME_CHARS_MAX);
        let with = |count: usize| format!("{}b", "a".repeat(count));
        assert!(nearest(&with(NAME_CHARS_MAX - 1), [known.as_str()].into_iter()).is_some());
        assert!(nearest(&with(NAME_CHARS_MAX), [known.as_str()].into_iter()).is_none());
    }
}
