//! What the schema knows and a gateway does not enforce by itself: refused, because a rule that is
//! ignored looks like a rule that holds.

use serde_json::Value;

use crate::policy::fault::Faults;

/// Adds a fault for each rule of `policy` that would not hold.
pub(super) fn check(policy: &Value, faults: &mut Faults) {
    for field in ["openapi", "openapi_options"] {
        if policy.get(field).is_some() {
            let problem = "a document is imported before a policy is loaded, and this one was not";
            let fix = "Use `edgeward check`, or `npm start -- --policy`: they import it";
            faults.add(&[field], problem, fix);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_was_not_imported_is_not_ignored() {
        let policy =
            serde_json::json!({ "openapi": "api.json", "openapi_options": {}, "name": "a" });
        let mut faults = Faults::default();
        check(&policy, &mut faults);
        let told: Vec<_> = faults
            .into_sorted()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect();
        assert_eq!(told, ["/openapi", "/openapi_options"]);
    }
}
