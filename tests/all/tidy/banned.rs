//! Calls that would make a run unrepeatable stay in their named files: the clock and randomness.
//! Also: nothing sleeps in a test, and nothing prints from a library.

/// What must not be written, where it may be, and what to use instead.
const RULES: [(&str, &[&str], &str); 9] = [
    ("SystemTime::now", &["chat/src/clock.rs", "loadtest/src/clock.rs", "media/src/clock.rs"], "a Clock handed in"),
    (
        "Instant::now",
        &["chat/src/clock.rs", "loadtest/src/clock.rs", "chat/benches/", "api/benches/", "tests/"],
        "a Clock, or tokio's timeouts",
    ),
    ("OffsetDateTime::now", &[], "a Clock handed in"),
    ("Uuid::now_v7", &["tests/"], "Entropy::id"),
    ("Uuid::new_v4", &["tests/"], "Entropy::id"),
    ("rand::rng(", &["chat/src/entropy.rs", "loadtest/src/seed.rs"], "Entropy"),
    ("getrandom::fill", &["chat/src/entropy.rs", "media/src/entropy.rs"], "Entropy"),
    ("thread::sleep", &["chat/benches/", "tests/src/"], "await an event or advance the clock"),
    ("time::sleep", &[], "await an event, or a deadline named by a machine (`sleep_until`, `interval`, `timeout`)"),
];

#[test]
fn clock_and_randomness_stay_in_their_files() {
    let mut found = Vec::new();
    for (path, text) in super::rust_files() {
        if path == "tests/all/tidy/banned.rs" {
            continue;
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
