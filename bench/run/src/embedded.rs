//! What an embedded agent costs its host: the size of its library, and what a program in C
//! (`tests/ffi/c/cost.c`) that is linked with it measures from inside.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::Bench;
use crate::figures::{Figure, Figures, mib};
use crate::scenario::Scenario;
use crate::sink::Sink;

/// The library, beside the program.
const LIBRARY: &str = "libdatadog_agent_native.so";

/// Runs the program, which starts an agent that delivers to a sink.
pub(crate) fn measure(bench: &Bench, scenario: &Scenario) -> Result<Figures> {
    let directory = bench.binary.parent().unwrap_or_else(|| Path::new("."));
    let library = directory.join(LIBRARY);
    let size = std::fs::metadata(&library)
        .with_context(|| format!("cannot read {}", library.display()))?
        .len();
    let sink = Sink::start()?;
    let output = Command::new(&bench.binary)
        .env_clear()
        .env("DD_API_KEY", "0123456789abcdef0123456789abcdef")
        .env("DD_HOSTNAME", "bench")
        .env("DD_DD_URL", sink.url())
        .env("DD_APM_DD_URL", sink.url())
        .envs(&scenario.environment)
        .output()
        .with_context(|| format!("cannot start {}", bench.binary.display()))?;
    if !output.status.success() {
        bail!("the host ended with {}: {}", output.status, text(&output.stderr));
    }
    let mut figures = read(&text(&output.stdout))?;
    figures.insert(Figure::LibraryMib, mib(size));
    Ok(figures)
}

/// Reads the lines that the program prints: a name and a number.
fn read(printed: &str) -> Result<Figures> {
    let mut figures = Figures::new();
    for line in printed.lines() {
        let (name, value) = line.split_once(' ').with_context(|| format!("no figure: {line}"))?;
        let value: f64 = value.trim().parse().with_context(|| format!("no number: {line}"))?;
        let (figure, value) = match name {
            "start_us" => (Figure::EmbeddedStartMs, value / 1e3),
            "idle_added_kib" => (Figure::AddedRssMib, value / 1024.0),
            "idle_cpu_ms_per_10s" => (Figure::IdleCpuMsPerSec, value / 10.0),
            "submit_ns" => (Figure::SubmitNs, value),
            "uds_ns" => (Figure::SendNs, value),
            _ => bail!("an unknown figure: {line}"),
        };
        figures.insert(figure, value);
    }
    Ok(figures)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_becomes_figures() {
        let figures = read("start_us 1500\nidle_added_kib 2048\nuds_ns 900.5\n").unwrap();
        let expected =
            [(Figure::EmbeddedStartMs, 1.5), (Figure::AddedRssMib, 2.0), (Figure::SendNs, 900.5)];
        assert_eq!(figures, Figures::from(expected));
        assert!(read("speed 1").is_err() && read("start_us x").is_err() && read("x").is_err());
    }
}
