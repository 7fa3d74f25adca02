use super::finding::Level;
use super::*;
use crate::machine::made::Made;
use std::path::Path;

/// A machine on which nothing spoils a run of 10,000 users.
fn quiet() -> Made {
    let made = Made::new();
    made.file("proc/self/limits", "Limit Soft Hard\nMax open files            65536                1048576              files\n");
    made.file("proc/self/status", "Name:\tx\nVmRSS:\t 10 kB\nCpus_allowed_list:\t0-3\n");
    made.file("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    made.file("proc/sys/net/core/somaxconn", "4096\n");
    made.file("proc/sys/net/ipv4/tcp_max_syn_backlog", "2048\n");
    made.file("proc/net/netstat", "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 0 0\nIpExt: A\nIpExt: 5\n");
    made.file("proc/meminfo", "MemTotal: 16000000 kB\nMemAvailable: 12000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
    made.file("proc/loadavg", "0.10 0.2 0.3 1/100 5\n");
    made.file("proc/stat", "cpu  1 0 1 90 0 0 0 0 0 0\n");
    made.file("proc/self/cgroup", "3:cpu,cpuacct:/a/b\n0::/a/b\n");
    made.file("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    made.file("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    made
}

fn asked() -> Doctor {
    let target = vec!["http://127.0.0.1:8080".to_owned()];
    Doctor { users: 10_000, workers: 1, target, src_net: None, server_pid: None, data: None, pin: false, json: false }
}

fn find(made: &Made, asked: &Doctor, check: &str) -> Finding {
    still(&made.root(), asked).into_iter().find(|finding| finding.check == check).expect("the check exists")
}

#[test]
fn a_quiet_machine_is_a_go() {
    let found = Diagnosis::new(still(&quiet().root(), &asked()));
    assert!(found.findings.iter().all(|finding| finding.level == Level::Good && finding.fix.is_empty()), "{}", found.text());
    assert_eq!((found.go, found.exit_code()), (true, 0));
    assert!(found.text().ends_with("GO, with 0 warnings\n"));
}

#[test]
fn a_machine_without_proc_spoils_nothing_and_claims_nothing() {
    let found = Diagnosis::new(still(&Made::new().root(), &asked()));
    assert!(found.go, "{}", found.text());
    assert!(found.findings.iter().any(|finding| finding.check == "files" && finding.level == Level::Unknown));
}

/// File of the tree, its text, the check that must notice, how bad it is, and what the fix must say.
const SPOILED: [(&str, &str, &str, Level, &str); 15] = [
    ("proc/self/limits", "Max open files 1024 1048576 files\n", "files", Level::Spoils, "ulimit -n 10200"),
    ("proc/self/limits", "Max open files 4096 4096 files\n", "files", Level::Spoils, "--workers 3"),
    ("proc/sys/net/ipv4/ip_local_port_range", "50000 59000\n", "ports", Level::Spoils, "--src-net 127.16.0.0/12"),
    ("proc/sys/net/core/somaxconn", "128\n", "somaxconn", Level::Warning, "sysctl -w net.core.somaxconn=4096"),
    ("proc/sys/net/ipv4/tcp_max_syn_backlog", "128\n", "syn_backlog", Level::Warning, "net.ipv4.tcp_max_syn_backlog=4096"),
    ("proc/net/netstat", "TcpExt: A ListenOverflows\nTcpExt: 1 77\n", "listen_overflow", Level::Warning, "--connect-rate"),
    ("proc/loadavg", "2.00 1 1 1/1 1\n", "load", Level::Warning, "top"),
    ("proc/loadavg", "3.90 1 1 1/1 1\n", "load", Level::Spoils, "top"),
    ("proc/meminfo", "MemAvailable: 600000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n", "memory", Level::Spoils, "--users 2"),
    ("proc/meminfo", "MemAvailable: 12000000 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n", "swap", Level::Warning, "swapoff -a"),
    ("proc/self/status", "Cpus_allowed_list:\t3\n", "cores", Level::Spoils, "two cores"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n", "clock", Level::Warning, "echo tsc"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n", "huge_pages", Level::Warning, "echo madvise"),
    ("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n", "frequency", Level::Warning, "-g performance"),
    ("sys/fs/cgroup/a/cpu.max", "50000 100000\n", "cpu_quota", Level::Spoils, "limits.cpu"),
];

#[test]
fn each_thing_that_spoils_a_run_is_named_with_its_fix() {
    for (file, text, check, level, fix) in SPOILED {
        let made = quiet();
        made.file(file, text);
        let found = find(&made, &asked(), check);
        assert_eq!(found.level, level, "{file}: {found:?}");
        assert!(found.fix.contains(fix), "{file}: {found:?}");
        let others = still(&made.root(), &asked()).into_iter().filter(|other| other.level >= Level::Warning).count();
        assert_eq!(others, 1, "{file} spoils one check only");
    }
}

#[test]
fn tracked_connections_need_room() {
    let made = quiet();
    made.file("proc/sys/net/netfilter/nf_conntrack_max", "16384\n");
    made.file("proc/sys/net/netfilter/nf_conntrack_count", "100\n");
    let found = find(&made, &asked(), "conntrack");
    assert_eq!((found.level, found.fix.as_str()), (Level::Spoils, "sysctl -w net.netfilter.nf_conntrack_max=32768"));
}

#[test]
fn a_quota_of_the_older_control_groups_counts_as_well() {
    let made = quiet();
    made.file("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
    made.file("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
    assert_eq!(find(&made, &asked(), "cpu_quota").level, Level::Good);
    made.file("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "150000\n");
    made.file("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    let found = find(&made, &asked(), "cpu_quota");
    assert!(found.level == Level::Warning && found.found.contains("1.50 cores"), "{found:?}");
}

#[test]
fn memory_is_what_the_control_group_leaves() {
    let made = quiet();
    made.file("sys/fs/cgroup/a/b/memory.max", "700000000\n");
    made.file("sys/fs/cgroup/a/b/memory.current", "100000000\n");
    assert_eq!(find(&made, &asked(), "memory").level, Level::Spoils);
    made.remove("sys/fs/cgroup/a/b/memory.max");
    assert_eq!(find(&made, &asked(), "memory").level, Level::Good);
}

#[test]
fn a_server_of_ours_needs_all_files_in_one_process() {
    let made = quiet();
    made.file("proc/self/limits", "Max open files 20000 20000 files\n");
    let many = Doctor { users: 30_000, workers: 2, src_net: "127.16.0.0/12".parse().ok(), ..asked() };
    assert_eq!(find(&made, &many, "files").level, Level::Good, "two workers of 15,000, the server is not ours to start");
    let ours = Doctor { target: Vec::new(), ..many };
    let found = find(&made, &ours, "files");
    assert!(found.level == Level::Spoils && found.fix.ends_with("--users 19800"), "{found:?}");
}

#[test]
fn cores_shared_with_a_running_server_are_noticed() {
    let made = quiet();
    made.file("proc/7/status", "Cpus_allowed_list:\t2-3\n");
    let with_pid = Doctor { server_pid: Some(7), ..asked() };
    let found = find(&made, &with_pid, "shared_cores");
    assert!(found.level == Level::Warning && found.fix.contains("taskset -a -c -p 0,1 7"), "{found:?}");
    made.file("proc/7/status", "Cpus_allowed_list:\t5\n");
    assert_eq!(find(&made, &with_pid, "shared_cores").level, Level::Good);
    let gone = Doctor { server_pid: Some(8), ..asked() };
    assert_eq!(find(&made, &gone, "shared_cores").level, Level::Unknown);
}

#[test]
fn steal_is_judged_by_its_part() {
    assert_eq!(cores::steal(Some(0.0)).level, Level::Good);
    assert_eq!(cores::steal(Some(0.02)).level, Level::Warning);
    assert_eq!(cores::steal(Some(0.2)).level, Level::Spoils);
    assert_eq!(cores::steal(None).level, Level::Unknown);
}

#[test]
fn the_disk_is_judged_by_room_and_rate_and_really_measured() {
    let folder = Path::new("/somewhere");
    let levels = [Some(8 << 30), Some(2 << 30), Some(1 << 20), None].map(|free| disk::space(folder, free).level);
    assert_eq!(levels, [Level::Good, Level::Warning, Level::Spoils, Level::Unknown]);
    let rate = |per_second| disk::durability(folder, Ok(disk::Durability { per_second, worst_ms: 1.0 })).level;
    assert_eq!([rate(5000.0), rate(100.0), rate(5.0)], [Level::Good, Level::Warning, Level::Spoils]);
    let measured = disk::measure(&std::env::temp_dir()).unwrap();
    assert!(measured.per_second > 0.0 && measured.worst_ms > 0.0, "{measured:?}");
    assert!(disk::free_bytes(&std::env::temp_dir()).is_some_and(|free| free > 0));
    assert_eq!(disk::durability(folder, disk::measure(folder)).level, Level::Spoils, "a folder that is not there");
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_a_no_go_for_people_and_scripts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let found = examine(&quiet().root(), &Doctor { target: vec![url.clone()], ..asked() }).await;
    assert_eq!((found.go, found.exit_code(), found.findings[0].check.as_str()), (false, 2, "target"));
    assert!(found.text().starts_with("SPOILS  target") && found.text().contains("fix: start it"), "{}", found.text());
    assert!(found.warnings().iter().any(|warning| warning.contains("refused")), "{:?}", found.warnings());
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!((&json["go"], &json["findings"][0]["level"]), (&serde_json::json!(false), &serde_json::json!("spoils")));
}

#[test]
fn the_command_line_of_the_doctor() {
    use clap::Parser;
    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        doctor: Doctor,
    }
    let line = Line::try_parse_from(["x", "--users", "5", "--target", "http://a,http://b", "--src-net", "127.16.0.0/12"]).unwrap();
    assert_eq!((line.doctor.target.len(), line.doctor.src_net.map(|net| net.hosts())), (2, Some((1 << 20) - 2)));
    assert!(Line::try_parse_from(["x", "--src-net", "nonsense"]).is_err());
}
