//! `cargo x instructions`: instructions per metric line under callgrind, which do not depend on
//! what else the machine does.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::paths::target_dir;
use crate::shell::{announce, cargo, run};

/// Rounds whose difference is measured: the first round makes the contexts.
const ROUNDS: [u64; 2] = [2, 12];
/// Lines a round, as the example feeds them.
const LINES: u64 = 3_000;

/// Counts and prints the instructions of parse, resolve and record.
pub(crate) fn run_count() -> Result<()> {
    run(&mut cargo(&[
        "build",
        "--release",
        "-p",
        "corelane-metrics",
        "--example",
        "instructions",
    ]))?;
    let counts = ROUNDS.map(count_of);
    let [few, many] = counts;
    let per_line = (many? - few?) as f64 / ((ROUNDS[1] - ROUNDS[0]) * LINES) as f64;
    println!("{per_line:.0} instructions a metric line (parse, resolve, record)");
    Ok(())
}

fn count_of(rounds: u64) -> Result<u64> {
    let program = target_dir().join("release/examples/instructions");
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(rounds.to_string());
    announce(&valgrind);
    let output = valgrind.output().context("cannot start valgrind: is it installed?")?;
    let report = String::from_utf8_lossy(&output.stderr);
    let collected = report.lines().find_map(|line| line.split("Collected :").nth(1));
    collected
        .and_then(|count| count.trim().parse().ok())
        .with_context(|| format!("callgrind gave no count: {report}"))
}
