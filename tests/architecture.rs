//! Who may name whom, what a file may weigh, and which words are not used: the parts of
//! `docs/ARCHITECTURE.md` that a compiler does not hold.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, in lines.
const LINES_MAX: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    let name = |path: &Path| {
        path.strip_prefix(root())
            .unwrap()
            .to_string_lossy()
            .into_owned()
    };
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Lines of a file that name a module of this crate, without tests and comments.
fn names(text: &str) -> Vec<&str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect()
}

#[test]
fn modules_name_only_those_below_them() {
    // What a folder or file may not name.
    let rules: [(&str, &[&str]); 9] = [
        ("src/facts.rs", &["crate::"]),
        ("src/path.rs", &["crate::"]),
        (
            "src/body/",
            &[
                "crate::limit",
                "crate::credential",
                "crate::policy",
                "crate::stage",
            ],
        ),
        (
            "src/limit/",
            &[
                "crate::credential",
                "crate::policy",
                "crate::stage",
                "crate::body",
            ],
        ),
        (
            "src/credential/",
            &["crate::stage", "crate::limit", "crate::admit"],
        ),
        (
            "src/refusal.rs",
            &[
                "crate::policy",
                "crate::stage",
                "crate::ports",
                "crate::limit",
            ],
        ),
        (
            "src/policy/",
            &[
                "crate::stage",
                "crate::admit",
                "crate::ports",
                "crate::refusal",
            ],
        ),
        (
            "src/stage/",
            &["crate::admit", "crate::decision", "crate::reply"],
        ),
        ("src/", &["crate::edge"]),
    ];
    let mut broken = Vec::new();
    for (file, text) in sources("src")
        .iter()
        .filter(|(file, _)| !file.starts_with("src/edge/"))
    {
        for (place, banned) in rules.iter().filter(|(place, _)| file.starts_with(place)) {
            for line in names(text) {
                if let Some(name) = banned.iter().find(|name| line.contains(*name)) {
                    broken.push(format!("{file} ({place}) names {name}: {}", line.trim()));
                }
            }
        }
        for line in names(text)
            .iter()
            .filter(|line| line.contains("worker::") || line.contains("js_sys"))
        {
            broken.push(format!("{file} names the platform: {}", line.trim()));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn one_file_sends_and_one_tells_the_time() {
    let mut broken = Vec::new();
    for (file, text) in sources("src") {
        // Requests go out to origins in one file; issuers are asked in two others.
        let homes: [(&str, &[&str]); 3] = [
            ("platform::send", &["src/edge/origin.rs"]),
            ("fetch_with_request", &[]),
            (
                "fetch_with_str",
                &["src/edge/key_sets.rs", "src/edge/introspection.rs"],
            ),
        ];
        for (call, homes) in homes {
            if text.contains(call) && !homes.contains(&file.as_str()) {
                broken.push(format!("{file} sends"));
            }
        }
        let tells = ["Date::now", "SystemTime", "Instant::now"]
            .iter()
            .any(|call| text.contains(call));
        if tells && file != "src/edge/clock.rs" {
            broken.push(format!("{file} tells the time"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for (file, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        if lines > LINES_MAX {
            long.push(format!("{file}: {lines} lines"));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// One word for one thing.
#[test]
fn the_words_that_lost_are_not_used() {
    let losers = [
        ("upstream", "origin"),
        ("backend", "origin"),
        ("principal", "caller"),
        ("rejection", "refusal"),
        ("middleware", "stage"),
        ("blocklist", "deny-list"),
        ("whitelist", "allow-list"),
        ("throttl", "limit"),
    ];
    let mut used = Vec::new();
    for (file, text) in sources("src") {
        for (number, line) in text.lines().enumerate() {
            // Header fields have the names that others gave them.
            let lower = ["x-middleware-subrequest", "x-backend", "x-upstream"]
                .iter()
                .fold(line.to_lowercase(), |line, name| line.replace(name, ""));
            for (loser, winner) in losers.iter().filter(|(loser, _)| lower.contains(loser)) {
                used.push(format!(
                    "{file}:{}: `{loser}`; the word here is `{winner}`",
                    number + 1
                ));
            }
        }
    }
    assert!(used.is_empty(), "{}", used.join("\n"));
}

/// A stage is a proof: it is not copied, defaulted or read from outside, and shows no field.
#[test]
fn stages_are_proofs() {
    let mut broken = Vec::new();
    for (file, text) in sources("src/stage") {
        for (number, line) in text.lines().enumerate() {
            let derives = line.contains("derive(") && file != "src/stage/inspected.rs";
            let weak = ["Clone", "Copy", "Default", "Deserialize"]
                .iter()
                .any(|name| line.contains(name));
            if derives && weak {
                broken.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
            if line.starts_with("    pub ")
                && line.ends_with(',')
                && line.contains(": ")
                && !line.contains("fn ")
            {
                broken.push(format!(
                    "{file}:{}: a public field: {}",
                    number + 1,
                    line.trim()
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_problem_of_every_refusal_is_decided_by_name() {
    let text = fs::read_to_string(root().join("src/problem.rs")).unwrap();
    let start = text.find("fn slug_of").unwrap();
    let end = start + text[start..].find("\n}\n").unwrap();
    assert!(
        !text[start..end].contains("_ =>"),
        "a new refusal would be told as something else"
    );
    let details = fs::read_to_string(root().join("src/problem/detail.rs")).unwrap();
    assert!(!details.contains("_ =>"));
}
