//! Calls that would make a run unrepeatable stay in their named files: the clock and randomness.
//! And nothing sleeps in a test.

/// What must not be written, where it may be, and what to use instead.
const RULES: [(&str, &[&str], &str); 7] = [
    ("SystemTime::now", &["chat/src/clock.rs", "loadtest/src/clock.rs", "media/src/clock.rs"], "a Clock handed in"),
    (
        "Instant::now",
        &["chat/src/clock.rs", "loadtest/src/clock.rs", "chat/benches/", "api/benches/", "tests/"],
        "a Clock, or tokio's timeouts",
    ),
    ("OffsetDateTime::now", &[], "a Clock handed in"),
    ("Uuid::now_v7", &["tests/"], "Entropy::id"),
    ("Uuid::new_v4", &["tests/", "api/src/db/tests.rs"], "Entropy::id"),
    ("rand::rng(", &["chat/src/entropy.rs", "loadtest/src/seed.rs"], "Entropy"),
    ("getrandom::fill", &["chat/src/entropy.rs", "media/src/entropy.rs"], "Entropy"),
];

const SLEEPS: [&str; 2] = ["thread::sleep(", "time::sleep("];

fn is_test_file(path: &str) -> bool {
    path.starts_with("tests/all/") || path.contains("/tests/") || path.ends_with("tests.rs")
}

#[test]
fn clock_and_randomness_stay_in_their_files() {
    let mut found = Vec::new();
    for (path, text) in super::rust_files() {
        if path == "tests/all/tidy/banned.rs" {
            continue;
        }
        let tests_from = if is_test_file(&path) { 0 } else { text.find("#[cfg(test)]").unwrap_or(text.len()) };
        if SLEEPS.iter().any(|sleep| text[tests_from..].contains(sleep)) {
            found.push(format!("{path}: a test sleeps; await an event or advance the clock"));
        }
        for (call, files, instead) in RULES {
            if files.iter().any(|file| path.starts_with(file)) {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                if line.contains(call) && !line.trim_start().starts_with("//") {
                    found.push(format!("{path}:{}: {call} is not for here; use {instead}", index + 1));
                }
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
