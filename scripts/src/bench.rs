//! `cargo x bench`: one scenario, run by the bench crate against the release binary.

use anyhow::{Result, bail};

use crate::paths::{release_binary, workspace_root};
use crate::shell::{cargo, run};

/// Runs one scenario of `bench/scenarios`. Fails when a bound of the scenario is not met.
pub(crate) fn run_scenario(scenario: &str) -> Result<()> {
    let path = format!("bench/scenarios/{scenario}.toml");
    if !workspace_root().join(&path).is_file() {
        bail!("no scenario {path}");
    }
    run(&mut cargo(&["build", "--release", "--bin", "corelane"]))?;
    let mut bench = cargo(&["run", "--release", "-p", "corelane-bench", "--", &path, "--binary"]);
    run(bench.arg(release_binary()))
}
