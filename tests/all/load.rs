//! The load harness as its users run it: the canonical workload at a small size, and a generator that is starved.
//! Figures are not judged here, only that the harness tells the truth about them.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::process::{Server, binary};

const VIOLATIONS: [&str; 14] = [
    "lost",
    "phantom",
    "duplicated",
    "reordered",
    "corrupted",
    "misdelivered",
    "stale_access",
    "gaps",
    "forked",
    "clock",
    "ghost_calls",
    "oversold",
    "undersold",
    "money",
];

fn loadtest() -> Command {
    Command::new(binary().with_file_name("loadtest"))
}

fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the report was written");
    serde_json::from_str(&text).expect("the report is JSON")
}

fn number(report: &Value, path: &str) -> u64 {
    report.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} is a number in {report:#}"))
}

fn clean(report: &Value) {
    for class in VIOLATIONS {
        assert_eq!(number(report, &format!("/counts/{class}")), 0, "{class} in {:#}", report["reasons"]);
    }
    let not_opened: u64 = report["not_opened"].as_object().expect("a map").values().filter_map(Value::as_u64).sum();
    assert_eq!(number(report, "/counts/asked"), number(report, "/counts/opened") + not_opened, "asked = opened + not opened");
}

#[test]
fn the_canonical_workload_is_clean_and_its_seed_repeats_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |name: &str, seed: &str| {
        let json = folder.path().join(name);
        let status = loadtest()
            .args(["--size", "0.1", "--duration", "4s", "--verify", "--tui", "off", "--seed", seed, "--json"])
            .arg(&json)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("the harness starts");
        (status.code(), read(&json))
    };
    let (code, first) = run("first.json", "7");
    // 3 and 5: this machine is shared; missing an objective, or saying that the generator was the limit, is no error of the harness.
    assert!(matches!(code, Some(0 | 3 | 5)), "exit {code:?}: {:#}", first["reasons"]);
    assert_eq!(Some(number(&first, "/exit_code") as i32), code);
    clean(&first);
    assert!(number(&first, "/counts/sent") > 100);
    assert_eq!(number(&first, "/counts/sent"), number(&first, "/counts/acked"));
    assert_eq!(number(&first, "/counts/sent"), number(&first, "/counts/delivered"));
    let (_, again) = run("again.json", "7");
    let (_, other) = run("other.json", "8");
    assert_eq!(first["schedule_hash"], again["schedule_hash"]);
    assert_ne!(first["schedule_hash"], other["schedule_hash"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_starved_generator_says_that_its_figures_are_invalid() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let json: PathBuf = folder.path().join("report.json");
    let minted = server.wenzhen(&["admin", "mint-tokens", "--count", "20"]);
    let people = folder.path().join("people.jsonl");
    std::fs::write(&people, &minted.stdout).expect("a file is written");
    let mut harness = loadtest()
        .args(["run", "text", "--target", &server.url(""), "--rate", "50/s", "--warmup", "1s", "--duration", "6s", "--tui", "off"])
        .arg("--tokens")
        .arg(&people)
        .arg("--json")
        .arg(&json)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the harness starts");
    let mut lines = BufReader::new(harness.stderr.take().expect("piped")).lines();
    let steady = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("steady")));
    assert!(steady.is_some(), "a line a second names the phase");
    // Two seconds in which the generator gets no processor.
    let pause = format!("kill -STOP {0} && sleep 2 && kill -CONT {0}", harness.id());
    assert!(Command::new("sh").args(["-c", &pause]).status().expect("sh runs").success());
    lines.for_each(drop);
    let code = harness.wait().expect("our own child").code();
    let report = read(&json);
    clean(&report);
    assert_eq!((report["verdict"].as_str(), code), (Some("invalid"), Some(5)), "{:#}", report["reasons"]);
    assert!(report["generator"]["lag_p99_ms"].as_f64().expect("a number") > 500.0);
}
