//! `cargo x bench`: one scenario, run by the bench crate against the release binary,
//! or the program that holds the embedded library.

use anyhow::{Result, bail};

use crate::embedded;
use crate::paths::{release_binary, workspace_root};
use crate::shell::{cargo, run};

/// Runs one scenario of `bench/scenarios`. Fails when a bound of the scenario is not met.
pub(crate) fn run_scenario(scenario: &str) -> Result<()> {
    let path = format!("bench/scenarios/{scenario}.toml");
    if !workspace_root().join(&path).is_file() {
        bail!("no scenario {path}");
    }
    let binary = match scenario {
        "embedded" => embedded::make_host(scenario, &[])?,
        "embedded-metrics" => embedded::make_host(scenario, &["--no-default-features"])?,
        _ => {
            run(&mut cargo(&["build", "--release", "--bin", "corelane"]))?;
            release_binary()
        }
    };
    let mut bench = cargo(&["run", "--release", "-p", "corelane-bench", "--", &path, "--binary"]);
    run(bench.arg(binary))
}
