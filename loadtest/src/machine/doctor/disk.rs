//! The disk under a server of ours: every acknowledgement waits for it.

use super::Finding;
use crate::clock::Clock;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;

const MEASURE_US: u64 = 500_000;
const BLOCK: [u8; 4096] = [0x5a; 4096];

/// How fast 4 KiB reach the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Durability {
    pub per_second: f64,
    pub worst_ms: f64,
}

pub(super) fn space(folder: &Path, free: Option<u64>) -> Finding {
    let Some(free) = free else { return Finding::unknown("disk_space", format!("df says nothing of {}", folder.display())) };
    let found = format!("{:.1} GiB free in {}", free as f64 / (1_u64 << 30) as f64, folder.display());
    let fix = "free some, or another folder: --data DIR (doctor), --keep DIR (run)";
    match free >> 30 {
        0 => Finding::spoils("disk_space", found, fix),
        1..5 => Finding::warning("disk_space", found, fix),
        _ => Finding::good("disk_space", found),
    }
}

pub(super) fn durability(folder: &Path, measured: std::io::Result<Durability>) -> Finding {
    let Durability { per_second, worst_ms } = match measured {
        Ok(measured) => measured,
        Err(error) => {
            let found = format!("writing to {}: {error}", folder.display());
            return Finding::spoils("disk_sync", found, "a folder that can be written: --data DIR (doctor), --keep DIR (run)");
        }
    };
    let found = format!("{per_second:.0} fdatasync a second, the slowest took {worst_ms:.1} ms");
    let fix = "a faster disk for --keep DIR; the server acknowledges after fdatasync, so its p99 is the disk's";
    match per_second {
        rate if rate < 20.0 => Finding::spoils("disk_sync", found, fix),
        rate if rate < 200.0 || worst_ms > 100.0 => Finding::warning("disk_sync", found, fix),
        _ => Finding::good("disk_sync", found),
    }
}

/// Without unsafe there is no statvfs; `df -Pk` is POSIX.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let done = Command::new("df").arg("-Pk").arg(folder).output().ok().filter(|done| done.status.success())?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Half a second of 4 KiB writes, each followed by fdatasync.
pub(super) fn measure(folder: &Path) -> std::io::Result<Durability> {
    let path = folder.join(format!(".loadtest-doctor-{}", std::process::id()));
    let measured = write(&path);
    // Where it could not be made there is nothing to remove.
    let _ = std::fs::remove_file(&path);
    measured
}

fn write(path: &Path) -> std::io::Result<Durability> {
    let mut file = std::fs::File::create(path)?;
    // Overwriting: the log of the server grows ahead of its writes too.
    file.write_all(&[0; 4096 * 16])?;
    file.sync_all()?;
    let clock = Clock::start();
    let (mut count, mut worst_us, mut before) = (0_u64, 0, clock.micros());
    while before < MEASURE_US {
        file.seek(SeekFrom::Start(count % 16 * 4096))?;
        file.write_all(&BLOCK)?;
        file.sync_data()?;
        let now = clock.micros();
        worst_us = worst_us.max(now - before);
        (count, before) = (count + 1, now);
    }
    Ok(Durability { per_second: count as f64 / (before as f64 / 1e6), worst_ms: worst_us as f64 / 1000.0 })
}
