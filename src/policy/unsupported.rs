//! What the schema knows and this version does not enforce: refused, because a rule that is
//! ignored looks like a rule that holds.

use serde_json::Value;

use crate::body::finding::push_token;
use crate::policy::fault::Faults;

/// Fields that are refused wherever they stand: `*` is any name or index.
const FIELDS: [&[&str]; 1] = [&["origins", "*", "client_certificate_binding"]];

/// Adds a fault for each rule of `policy` that would not hold.
pub(super) fn check(policy: &Value, faults: &mut Faults) {
    for field in ["openapi", "openapi_options"] {
        if policy.get(field).is_some() {
            let problem = "a document is imported before a policy is loaded, and this one was not";
            let fix = "Use `edgeward check`, or `npm start -- --policy`: they import it";
            faults.add(&[field], problem, fix);
        }
    }
    for field in FIELDS {
        each(policy, field, String::new(), &mut |pointer, _| {
            let name = field.last().copied().unwrap_or_default();
            faults.add_at(
                pointer,
                format!("`{name}` is not enforced by this version"),
                "Remove it",
            );
        });
    }
}

fn each(value: &Value, place: &[&str], pointer: String, found: &mut impl FnMut(String, &Value)) {
    let Some((name, below)) = place.split_first() else {
        return found(pointer, value);
    };
    let step = |name: &str| {
        let mut pointer = pointer.clone();
        push_token(&mut pointer, name);
        pointer
    };
    match value {
        Value::Object(members) if *name == "*" => {
            members
                .iter()
                .for_each(|(name, value)| each(value, below, step(name), found));
        }
        Value::Object(members) => {
            if let Some(value) = members.get(*name) {
                each(value, below, step(name), found);
            }
        }
        Value::Array(items) if *name == "*" => {
            for (index, item) in items.iter().enumerate() {
                each(item, below, step(&index.to_string()), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_full_example_is_silently_ignored() {
        let text = include_str!("../../schemas/examples/valid/every-field.json");
        let mut faults = Faults::default();
        check(&serde_json::from_str(text).unwrap(), &mut faults);
        let told: Vec<_> = faults
            .into_sorted()
            .iter()
            .map(ToString::to_string)
            .collect();
        expect_test::expect_file!["../../tests/golden/unsupported.txt"].assert_eq(&told.join("\n"));
    }
}
