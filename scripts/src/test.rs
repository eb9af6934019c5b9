//! `cargo x test`: everything that the tests need, then the tests, then the totals.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::bindings::{self, BINDINGS_VARIABLE, Build, bindings_dir};
use crate::clients::{self, CLIENTS_VARIABLE, clients_dir};
use crate::packages::{self, C_COMPILER};
use crate::paths::{release_binary, workspace_root};
use crate::shell::{cargo, run, run_watched};

/// Environment variable with the path of the binary that the whole-product tests start.
const BINARY_VARIABLE: &str = "CORELANE_BINARY";
/// How a test begins what it says about what it leaves out.
const SKIPPED: &str = "skipped: ";
/// The directory of the whole-product tests.
const PRODUCT_TESTS: &str = "tests";

/// Every test of the workspace.
pub(crate) fn run_all() -> Result<()> {
    packages::install_missing(&[C_COMPILER])?;
    prepare_product()?;
    run_tests(&["--workspace"])
}

/// The tests of one crate, by the name of its directory.
pub(crate) fn run_area(area: &str) -> Result<()> {
    let manifest = manifest_of(area)?;
    if area == PRODUCT_TESTS {
        prepare_product()?;
    }
    run_tests(&["--manifest-path", &manifest])
}

fn prepare_product() -> Result<()> {
    clients::install()?;
    bindings::make_all(Build::Development)?;
    run(&mut cargo(&["build", "--release", "--bin", "corelane"]))
}

/// The manifest in the directory of that name, from the workspace's directory.
fn manifest_of(area: &str) -> Result<String> {
    ["dataplane/", "control/", "bench/", ""]
        .iter()
        .map(|group| format!("{group}{area}/Cargo.toml"))
        .find(|manifest| workspace_root().join(manifest).is_file())
        .with_context(|| format!("no crate in a directory named `{area}`"))
}

fn run_tests(selection: &[&str]) -> Result<()> {
    let started_at = Instant::now();
    let mut totals = Totals::default();
    let mut command = cargo(&["test", "--no-fail-fast"]);
    command.args(selection);
    command.env(BINARY_VARIABLE, release_binary()).env(CLIENTS_VARIABLE, clients_dir());
    command.env(BINDINGS_VARIABLE, bindings_dir());
    let is_success = run_watched(&mut command, |line| totals.read_line(line))?;

    println!("\nall {} test binaries together:", totals.binary_count);
    for line in &totals.skipped {
        println!("{line}");
    }
    for name in &totals.failed_names {
        println!("test {name} ... FAILED");
    }
    let outcome = if is_success { "ok" } else { "FAILED" };
    println!(
        "test result: {outcome}. {} passed; {} failed; {} ignored; finished in {:.2}s",
        totals.passed_count,
        totals.failed_count,
        totals.ignored_count,
        started_at.elapsed().as_secs_f64()
    );
    if !is_success {
        bail!("tests failed or did not build");
    }
    Ok(())
}

/// Sums over the closing lines of all test binaries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    binary_count: u64,
    passed_count: u64,
    failed_count: u64,
    ignored_count: u64,
    failed_names: Vec<String>,
    /// What tests say about what they leave out on this machine.
    skipped: Vec<String>,
}

impl Totals {
    fn read_line(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("test ").and_then(|l| l.strip_suffix(" ... FAILED")) {
            self.failed_names.push(name.to_owned());
        }
        // A line of ours may begin behind what the test runner has begun.
        if let Some(at) = line.find(SKIPPED) {
            self.skipped.extend(line.get(at..).map(str::to_owned));
        }
        let Some(result) = line.strip_prefix("test result: ") else { return };
        self.binary_count += 1;
        self.passed_count += count_before(result, " passed");
        self.failed_count += count_before(result, " failed");
        self.ignored_count += count_before(result, " ignored");
    }
}

/// The number that stands right before `word`; 0 when there is none.
fn count_before(text: &str, word: &str) -> u64 {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_is_the_name_of_a_directory() {
        assert_eq!(manifest_of("parse").expect("a crate"), "dataplane/parse/Cargo.toml");
        assert_eq!(manifest_of(PRODUCT_TESTS).expect("a crate"), "tests/Cargo.toml");
        assert!(manifest_of("nowhere").is_err());
    }

    #[test]
    fn totals_add_up_over_test_binaries() {
        let mut totals = Totals::default();
        for line in [
            "running 3 tests",
            "test a::b ... ok",
            "test a::c ... FAILED",
            "test a::d ... skipped: programs of musl: no target",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; \
             finished in 0.00s",
            "",
            "test result: ok. 40 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out",
        ] {
            totals.read_line(line);
        }
        let expected = Totals {
            binary_count: 2,
            passed_count: 42,
            failed_count: 1,
            ignored_count: 2,
            failed_names: vec!["a::c".to_owned()],
            skipped: vec!["skipped: programs of musl: no target".to_owned()],
        };
        assert_eq!(totals, expected);
    }
}
