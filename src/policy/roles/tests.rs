use super::*;
use serde_json::{Value, json};

fn build(roles: Value) -> Result<Roles, Vec<String>> {
    let entries = serde_json::from_value(roles).unwrap();
    let mut faults = Faults::default();
    let roles = Roles::build(&entries, &mut faults);
    let faults = faults.into_sorted();
    match faults.is_empty() {
        true => Ok(roles),
        false => Err(faults.iter().map(ToString::to_string).collect()),
    }
}

fn held(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_wildcard_grants_what_goes_on_after_its_segments_and_nothing_else() {
    let roles =
        build(json!({ "a": ["pay:*"], "b": ["pay:read:*"], "c": ["*"], "d": ["pay:read"] }));
    let roles = roles.unwrap();
    for (role, granted, not) in [
        (
            "a",
            &["pay:read", "pay:read:all", "pay:*"][..],
            &["pay", "pay:", "payx:read", "xpay:read", "PAY:read"][..],
        ),
        (
            "b",
            &["pay:read:all"],
            &["pay:read", "pay:read:", "pay:reads:all", "pay:write:all"],
        ),
        ("c", &["pay", "x", "*"], &[]),
        (
            "d",
            &["pay:read"],
            &["pay:read:all", "pay:rea", "pay:*", "*", ""],
        ),
    ] {
        for scope in granted {
            assert!(roles.grant(&held(&[role]), scope), "{role} {scope}");
        }
        for scope in not {
            assert!(!roles.grant(&held(&[role]), scope), "{role} {scope}");
        }
    }
    assert!(!roles.grant(&held(&["unknown", "*", ""]), "pay:read"));
    assert!(!roles.grant(&[], "pay:read"));
}

#[test]
fn a_role_has_what_it_inherits_in_any_number_of_steps() {
    let roles = build(json!({
        "reader": ["pay:read"],
        "support": { "inherits": ["reader"], "scopes": ["notes:*"] },
        "admin": { "inherits": ["support", "reader"] }
    }))
    .unwrap();
    assert!(roles.grant(&held(&["admin"]), "pay:read"));
    assert!(roles.grant(&held(&["admin"]), "notes:write"));
    assert!(!roles.grant(&held(&["support"]), "pay:write"));
    assert!(
        !roles.grant(&held(&["reader"]), "notes:read"),
        "not upwards"
    );
    assert!(roles.include(&held(&["admin"]), "reader"));
    assert!(!roles.include(&held(&["reader"]), "admin"));
    assert!(roles.include(&held(&["unknown"]), "unknown"));
    assert_eq!(
        roles.with_inherited(&held(&["admin", "support", "other"])),
        ["admin", "support", "reader", "other"]
    );
}

#[test]
fn a_role_that_inherits_itself_or_nobody_is_a_fault_at_its_place() {
    for (roles, told) in [
        (
            json!({ "a": { "inherits": ["a"] } }),
            vec!["/roles/a/inherits: the role inherits itself"],
        ),
        (
            json!({ "a": { "inherits": ["b"] }, "b": { "inherits": ["c"] }, "c": { "inherits": ["b"] } }),
            vec![
                "/roles/b/inherits: the role inherits itself",
                "/roles/c/inherits: the role inherits itself",
            ],
        ),
        (
            json!({ "a": { "inherits": ["b", "sales/eu"] }, "b": [] }),
            vec!["/roles/a/inherits/1: no role is named `sales/eu`"],
        ),
    ] {
        let faults = build(roles.clone()).unwrap_err();
        assert_eq!(faults.len(), told.len(), "{faults:?}");
        for (fault, told) in faults.iter().zip(told) {
            assert!(fault.starts_with(told), "{fault}");
        }
    }
}

#[test]
fn a_chain_of_roles_ends_at_its_bound() {
    let chain = |length: usize| {
        let role = |index: usize| match index {
            0 => json!([]),
            _ => json!({ "inherits": [format!("r{}", index - 1)] }),
        };
        let roles = (0..=length).map(|index| (format!("r{index}"), role(index)));
        build(Value::Object(roles.collect()))
    };
    let last = chain(ROLES_INHERITED_MAX).unwrap();
    assert!(last.include(&held(&[&format!("r{ROLES_INHERITED_MAX}")]), "r0"));
    let faults = chain(ROLES_INHERITED_MAX + 1).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
}
