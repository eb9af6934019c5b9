//! `cargo x soak`: the demo for a long time, watched from outside.
//!
//! The demo sends, receives and decodes, and fails when something is not accounted for. What it
//! cannot see itself is judged here: resident memory must not grow once it is warm.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::paths::release_binary;
use crate::shell::{announce, cargo, command, run};

/// Between two looks at the process.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
/// Growth that is no leak: allocators keep some pages now and then.
const GROWTH_KIB_MAX: u64 = 2048;

/// Runs the demo for that many seconds.
pub(crate) fn run_soak(secs: &str) -> Result<()> {
    let secs: u64 = secs.parse().with_context(|| format!("`{secs}` is not a number of seconds"))?;
    run(&mut cargo(&["build", "--release", "--bin", "corelane"]))?;
    let mut demo = command(&release_binary().to_string_lossy(), &["demo"]);
    demo.arg("--duration").arg(format!("{secs}s"));
    announce(&demo);
    let mut child = demo.spawn().context("cannot start the demo")?;
    let status_path = format!("/proc/{}/status", child.id());
    let mut resident_kib = Vec::new();
    let outcome = loop {
        if let Some(outcome) = child.try_wait()? {
            break outcome;
        }
        let status = fs::read_to_string(&status_path).unwrap_or_default();
        resident_kib.extend(resident_kib_of(&status));
        sleep(SAMPLE_INTERVAL);
    };
    if !outcome.success() {
        bail!("the demo failed: {outcome}");
    }
    let (early, late) = peaks(&resident_kib).context("too short to judge memory")?;
    println!("resident memory: {early} KiB in the second quarter, {late} KiB in the last");
    if late > early + GROWTH_KIB_MAX {
        bail!("resident memory grew by {} KiB", late - early);
    }
    Ok(())
}

/// Peaks of the second and of the last quarter; the first one is for warming up.
fn peaks(samples: &[u64]) -> Option<(u64, u64)> {
    let quarter = samples.len() / 4;
    let early = samples.get(quarter..quarter * 2)?.iter().max()?;
    let late = samples.get(quarter * 3..)?.iter().max()?;
    Some((*early, *late))
}

fn resident_kib_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_compared_between_quarters() {
        assert_eq!(peaks(&[1, 9, 2, 3, 4, 5, 7, 6]), Some((3, 7)));
        assert_eq!(peaks(&[1, 2, 3]), None);
    }

    #[test]
    fn resident_memory_is_read_from_the_process() {
        assert_eq!(resident_kib_of("Name:\tx\nVmRSS:\t    1234 kB\nThreads:\t2\n"), Some(1234));
        assert_eq!(resident_kib_of("Name:\tx\n"), None);
    }
}
