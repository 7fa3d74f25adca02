//! The dependency edges between our crates are the ones ARCHITECTURE.md draws, and no others.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};

/// crate -> crates of ours it may name. `loadtest` reaches chat and signaling only through their `wire` feature.
const EDGES: [(&str, &[&str]); 6] = [
    ("chat", &[]),
    ("media", &[]),
    ("signaling", &["chat", "media"]),
    ("api", &["chat", "media", "signaling"]),
    ("loadtest", &["chat", "signaling"]),
    ("tests", &["api", "chat", "loadtest", "media", "signaling"]),
];

#[test]
fn crates_know_only_whom_they_may() {
    let metadata = MetadataCommand::new().manifest_path(super::root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata");
    let ours: BTreeSet<_> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let allowed: BTreeMap<_, _> = EDGES.into_iter().collect();
    for package in &metadata.packages {
        let may = allowed.get(package.name.as_str()).unwrap_or_else(|| panic!("{} is not in the list of crates", package.name));
        for dependency in package.dependencies.iter().filter(|dependency| ours.contains(&dependency.name)) {
            let to = dependency.name.as_str();
            let own_tests = dependency.kind == DependencyKind::Development && to == package.name.as_str();
            assert!(own_tests || may.contains(&to), "{} may not depend on {to}", package.name);
        }
    }
}

#[test]
fn the_load_harness_takes_only_the_words_of_the_protocol() {
    let metadata = MetadataCommand::new().manifest_path(super::root().join("Cargo.toml")).no_deps().exec().expect("cargo metadata");
    let loadtest = metadata.packages.iter().find(|package| package.name.as_str() == "loadtest").expect("loadtest is a member");
    for dependency in loadtest.dependencies.iter().filter(|dependency| ["chat", "signaling"].contains(&dependency.name.as_str())) {
        assert_eq!(dependency.features, ["wire"], "{} by its wire feature only", dependency.name);
        assert!(!dependency.uses_default_features, "{} without its server", dependency.name);
    }
}
