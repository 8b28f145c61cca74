//! Attacks that must not compile: each file in `tests/refused/` tries one, and names in its first
//! line the compiler's error that stops it. A reworded message is no hole; another error is.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, and a table is long"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo put this test and the library it is about.
fn deps() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_owned()
}

/// Compiles one file against the library; what the compiler said.
fn compile(file: &Path) -> (bool, String) {
    let deps = deps();
    let output = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()))
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--cap-lints",
            "allow",
        ])
        .args(["--crate-name", file.file_stem().unwrap().to_str().unwrap()])
        .arg("--out-dir")
        .arg(std::env::temp_dir())
        .arg("--extern")
        .arg(format!(
            "edgeward={}",
            deps.join("libedgeward.rlib").display()
        ))
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg(file)
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

#[test]
fn no_way_around_a_stage_compiles() {
    let mut holes = Vec::new();
    for file in cases() {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text
            .strip_prefix("//! ")
            .and_then(|text| text.split(':').next())
            .unwrap();
        let (compiled, said) = compile(&file);
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if compiled {
            holes.push(format!("{name} compiles"));
        } else if !said.contains(&format!("error[{code}]")) {
            holes.push(format!(
                "{name} is stopped by something else than {code}:\n{said}"
            ));
        } else if said.matches("error[").count() != 1 {
            holes.push(format!("{name} has another error beside {code}:\n{said}"));
        }
    }
    assert!(holes.is_empty(), "{}", holes.join("\n"));
    assert!(cases().len() >= 15, "a case was lost");
}

#[test]
fn what_a_case_is_compiled_with_compiles_what_is_right() {
    let (compiled, said) =
        compile(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/right_order.rs"));
    assert!(compiled, "{said}");
}
