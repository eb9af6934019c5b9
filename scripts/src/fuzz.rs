//! `cargo x fuzz`: live fuzzing with coverage on the stable toolchain, without extra tools.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::paths::{target_dir, workspace_root};
use crate::shell::{cargo, command, output_of, run};

/// What makes the compiler count which edges an input reaches, for libFuzzer to read.
const COVERAGE_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 -Cdebug-assertions=yes -Coverflow-checks=yes";

/// Fuzzes one target. New inputs go to the target directory, which also keeps what broke.
pub(crate) fn run_target(target: &str, secs: &str) -> Result<()> {
    let committed = workspace_root().join("fuzz").join("corpus").join(target);
    if !committed.is_dir() {
        bail!("no fuzz target `{target}`: the directories of fuzz/corpus are the targets");
    }
    let secs: u32 = secs.parse().with_context(|| format!("`{secs}` is not a number of seconds"))?;
    let found = target_dir().join("fuzz").join("corpus").join(target);
    let broken = target_dir().join("fuzz").join("artifacts").join(target);
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&broken)?;

    // With a named host, build scripts and procedural macros stay without instrumentation.
    let mut fuzzer = cargo(&["run", "--release", "-p", "corelane-fuzz", "--features", "libfuzzer"]);
    fuzzer.args(["--target", &host_triple()?, "--bin", target, "--target-dir"]);
    fuzzer.arg(target_dir().join("fuzz")).arg("--").arg(&found).arg(&committed);
    fuzzer.arg(format!("-max_total_time={secs}")).arg("-timeout=10").arg("-rss_limit_mb=2048");
    fuzzer.arg(format!("-artifact_prefix={}/", broken.display()));
    run(fuzzer.env("RUSTFLAGS", COVERAGE_FLAGS))
}

fn host_triple() -> Result<String> {
    let about = output_of(&mut command("rustc", &["-vV"]))?;
    let about = String::from_utf8_lossy(&about).into_owned();
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("`rustc -vV` names no host")
}
