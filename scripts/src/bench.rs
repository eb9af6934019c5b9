//! `cargo x bench` and `cargo x soak`: scenarios, run by the bench crate.

use anyhow::{Result, bail};

use crate::paths::workspace_root;
use crate::shell::{cargo, run};

/// Runs one scenario of `bench/scenarios`.
pub(crate) fn run_scenario(scenario: &str) -> Result<()> {
    start(scenario, &[])
}

/// Runs the soak scenario for that long.
pub(crate) fn soak(secs: &str) -> Result<()> {
    start("soak", &["--seconds", secs])
}

fn start(scenario: &str, options: &[&str]) -> Result<()> {
    let directory = workspace_root().join("bench").join("scenarios");
    if !directory.join(scenario).with_extension("toml").is_file() {
        bail!("no scenario bench/scenarios/{scenario}.toml");
    }
    run(&mut cargo(&["build", "--release", "--bin", "corelane"]))?;
    let mut bench = cargo(&["run", "--release", "-p", "corelane-bench", "--", "run", scenario]);
    run(bench.args(options))
}
