//! The dependency edges between our crates are the ones ARCHITECTURE.md draws, and no others.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// crate -> crates of ours it may name. `loadtest` reaches chat and signaling only through their `wire` feature.
const EDGES: [(&str, &[&str]); 6] = [
    ("chat", &[]),
    ("media", &[]),
    ("signaling", &["chat", "media"]),
    ("api", &["chat", "media", "signaling"]),
    ("loadtest", &["chat", "signaling"]),
    ("tests", &["api", "chat", "media", "signaling"]),
];

/// Packages of the workspace as `cargo metadata` prints them. (The crate of that name would switch on a feature of
/// serde_json for the whole workspace, and every build of one package alone would compile the world again.)
fn packages() -> Vec<Value> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .current_dir(super::root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[test]
fn crates_know_only_whom_they_may() {
    let packages = packages();
    let ours: BTreeSet<_> = packages.iter().map(|package| text(package, "name")).collect();
    let allowed: BTreeMap<_, _> = EDGES.into_iter().collect();
    for package in &packages {
        let name = text(package, "name");
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the list of crates"));
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = text(dependency, "name");
            let own_tests = to == name && text(dependency, "kind") == "dev";
            assert!(!ours.contains(to) || own_tests || may.contains(&to), "{name} may not depend on {to}");
        }
    }
}

#[test]
fn the_load_harness_takes_only_the_words_of_the_protocol() {
    let packages = packages();
    let loadtest = packages.iter().find(|package| text(package, "name") == "loadtest").expect("loadtest is a member");
    for dependency in loadtest["dependencies"].as_array().into_iter().flatten() {
        if ["chat", "signaling"].contains(&text(dependency, "name")) {
            assert_eq!(dependency["features"], serde_json::json!(["wire"]), "by its wire feature only");
            assert_eq!(dependency["uses_default_features"], false, "without its server");
        }
    }
}
