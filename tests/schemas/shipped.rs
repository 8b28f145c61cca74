//! The policies that ship beside `schemas/` meet their schema too.
use crate::files::{compile, load, report, schema};

#[test]
fn the_policy_of_the_demo_passes() {
    let policy = compile(&schema("policy"));
    let demo = load("../examples/demo/policy.json");
    report(
        policy
            .iter_errors(&demo)
            .map(|error| format!("{} {error}", error.instance_path())),
    );
}
