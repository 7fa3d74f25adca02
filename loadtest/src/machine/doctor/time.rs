//! The clock that every latency is read from.

use super::Finding;
use crate::machine::Root;

const CURRENT: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";
/// Read without entering the kernel, in some 20 ns.
const FAST: [&str; 5] = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "riscv_clocksource"];

pub(super) fn clock_source(root: &Root) -> Finding {
    let Some(name) = root.read(CURRENT).map(|name| name.trim().to_owned()) else {
        return Finding::unknown("clock", "the clock source cannot be read here");
    };
    if FAST.contains(&name.as_str()) {
        return Finding::good("clock", name);
    }
    let found = format!("{name}: reading the time enters the kernel, a microsecond or more at each of four stamps a message");
    Finding::warning("clock", found, format!("echo tsc > /{CURRENT}, if available_clocksource beside it lists tsc"))
}
