//! `docs/STANDARDS.md` against the tests that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The requirements of each family: its prefix, and its last number.
const FAMILIES: [(&str, usize); 16] = [
    ("BR", 8),
    ("AT", 8),
    ("JS", 12),
    ("B6", 3),
    ("JW", 11),
    ("B", 16),
    ("AL", 8),
    ("JK", 12),
    ("WA", 4),
    ("IN", 8),
    ("PR", 7),
    ("MT", 8),
    ("DP", 21),
    ("SU", 4),
    ("BC", 6),
    ("SG", 10),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all tests and properties below a folder: `fn NAME(` after `#[test]`.
fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let functions = text.split("#[test]").skip(1).filter_map(|after| {
                let (_, name) = after.split_once("fn ")?;
                name.split('(').next().map(str::to_owned)
            });
            names.extend(functions);
        }
    }
}

/// What stands between back quotes in a cell.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_requirement_is_held_by_a_test_that_exists() {
    let mut known = BTreeSet::new();
    tests_below(&root().join("tests"), &mut known);
    tests_below(&root().join("src"), &mut known);
    let text = fs::read_to_string(root().join("docs/STANDARDS.md")).unwrap();
    let mut missing: BTreeSet<String> = FAMILIES
        .iter()
        .flat_map(|(family, last)| (1..=*last).map(move |number| format!("{family}-{number:02}")))
        .collect();
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, _, held_by] = cells[..] else {
            continue;
        };
        if id == "id" {
            continue;
        }
        if !missing.remove(id) {
            wrong.push(format!("{id} is unknown, or stands twice"));
        }
        let mut tests = 0;
        for name in quoted(held_by) {
            if name.contains('/') {
                let exists = root().join(name).exists();
                wrong.extend((!exists).then(|| format!("{id}: there is no {name}")));
            } else {
                tests += 1;
                let exists = known.contains(name);
                wrong.extend((!exists).then(|| format!("{id}: there is no test {name}")));
            }
        }
        if tests == 0 && !held_by.starts_with("does not apply: ") {
            wrong.push(format!("{id} is held by no native test"));
        }
    }
    wrong.extend(
        missing
            .iter()
            .map(|id| format!("{id} does not stand there")),
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // And the other way round: a test that carries an id stands in the list.
    let carries = |name: &str| {
        FAMILIES.iter().any(|(family, _)| {
            let rest = name.strip_prefix(&format!("{}_", family.to_lowercase()));
            rest.is_some_and(|rest| rest.as_bytes().iter().take(2).all(u8::is_ascii_digit))
        })
    };
    let listed: BTreeSet<&str> = quoted(&text).collect();
    let unlisted: Vec<_> = known
        .iter()
        .filter(|name| carries(name) && !listed.contains(name.as_str()))
        .collect();
    assert!(
        unlisted.is_empty(),
        "not in docs/STANDARDS.md: {unlisted:?}"
    );
}
