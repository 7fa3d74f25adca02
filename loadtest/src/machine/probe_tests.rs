use super::*;
use crate::machine::made::Made;

const STAT: &str = "cpu  100 0 100 700 0 0 0 100 9 9\ncpu0 0 0 0 0 0 0 0 0 0 0\n";
const LATER: &str = "cpu  150 0 150 760 0 0 0 140 99 9\ncpu0 0 0 0 0 0 0 0 0 0 0\n";

fn process(made: &Made, pid: &str, ticks: u64, rss_kib: u64) {
    made.file(&format!("proc/{pid}/status"), &format!("Name:\tx\nVmRSS:\t  {rss_kib} kB\nCpus_allowed_list:\t0-1,4\n"));
    // The name of a process may hold spaces and brackets.
    made.file(&format!("proc/{pid}/stat"), &format!("7 (a) b) S 1 1 1 0 -1 0 0 0 0 0 {ticks} 10 0 0 20 0 1 0 5\n"));
    made.file(&format!("proc/{pid}/fd/0"), "");
}

#[test]
fn a_sample_is_the_difference_to_the_last_one() {
    let made = Made::new();
    made.file("proc/loadavg", "1.25 1 1 1/1 1\n");
    made.file("proc/stat", STAT);
    process(&made, "self", 100, 1000);
    process(&made, "7", 200, 5000);
    let mut probe = Probe::start(made.root(), Clock::start(), Some(7));
    let first = probe.sample();
    assert_eq!((first.load1, first.steal, first.generator_cpu, first.server_cpu), (Some(1.25), None, None, None));
    assert_eq!(first.server.map(|server| (server.rss_bytes, server.cores)), Some((5000 * 1024, 3)));
    made.file("proc/stat", LATER);
    process(&made, "7", 260, 4000);
    let second = probe.sample();
    assert_eq!(second.steal, Some(0.2), "40 of 200 ticks");
    assert!(second.server_cpu > Some(0.0) && second.generator_cpu == Some(0.0), "{second:?}");
    assert_eq!(probe.server_rss_max_bytes(), Some(5000 * 1024));
    let mut row = Second::default();
    second.fill(&mut row);
    assert_eq!((row.load1, row.steal, row.server_rss_bytes), (1.25, 0.2, 4000 * 1024));
    assert!(row.server_files > 0);
}

#[test]
fn a_restarted_server_keeps_what_the_first_process_used() {
    let made = Made::new();
    process(&made, "7", 190, 5000);
    process(&made, "8", 40, 5000);
    let mut probe = Probe::start(made.root(), Clock::start(), Some(7));
    probe.sample();
    probe.set_server(Some(8));
    assert_eq!(probe.sample().server_cpu, None, "nothing to compare with");
    assert_eq!(probe.server_cpu_seconds(), 2.0 + 0.5);
}

#[test]
fn a_process_that_is_not_here_is_none() {
    let made = Made::new();
    let sample = Probe::start(made.root(), Clock::start(), Some(7)).sample();
    assert_eq!(sample, Sample::default());
}

#[test]
fn this_process_is_seen_in_the_real_proc() {
    let found = usage(&Root::default(), "self").expect("this is Linux");
    assert!(found.rss_bytes > 1 << 20 && found.files > 2 && found.cores > 0, "{found:?}");
}
