//! Runs the scenarios of `bench/scenarios` against the built `corelane` binary, compares it with
//! the null receiver on the same packets, and writes figures as data, table and plot.
//!
//! ```text
//! scenario.toml -> round: start agent -> warm up -> load -> counters, CPU, RSS \
//!                         null receiver, same load ----------------------------+-> figures
//! figures of all rounds -> median -> bound met? -> results/<name>.json -> report.md, *.svg
//! ```
//!
//! Not here: any decoding of what the agent sends; the sink answers 202 and drops the body. The
//! agent is seen only from outside: its sockets, `/proc`, and `corelane status --json`. What the
//! stages of the trace pipeline cost is measured in this process, with the agent's crates.

#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

mod agent;
mod counters;
mod embedded;
mod figures;
mod memory;
mod procfs;
mod report;
mod result;
mod scenario;
mod sink;
mod stages;
mod start;
mod svg;
mod throughput;
mod traces;
mod trial;

use result::ScenarioResult;
use scenario::{Kind, Scenario};

/// Runs bench scenarios against the built binary. Ends with status 1 when a bound is not met.
#[derive(Debug, Parser)]
#[command(name = "corelane-bench", version)]
struct Arguments {
    /// Scenario files; without any, only the report is written again from earlier results.
    scenarios: Vec<PathBuf>,
    /// The binary to measure, built for release; for embedded agents the program that holds one.
    #[arg(long, default_value = "target/release/corelane")]
    binary: PathBuf,
    /// Directory for results and report.
    #[arg(long, default_value = "bench/results")]
    results: PathBuf,
    /// Rounds of each scenario; 0 takes the number in the scenario.
    #[arg(long, default_value_t = 0)]
    rounds: u32,
    /// Driver of the lanes: auto, io_uring or epoll. Becomes part of the name of the result.
    #[arg(long)]
    driver: Option<String>,
    /// Processor of the lane and of the null receiver.
    #[arg(long, default_value_t = 0)]
    receiver_cpu: usize,
    /// Processor of the generator.
    #[arg(long, default_value_t = 1)]
    sender_cpu: usize,
}

/// Where things run.
#[derive(Clone, Debug)]
struct Bench {
    binary: PathBuf,
    driver: String,
    receiver_cpu: usize,
    sender_cpu: usize,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut console = io::stderr();
    let bench = Bench {
        binary: arguments.binary.clone(),
        driver: arguments.driver.clone().unwrap_or_else(|| "auto".into()),
        receiver_cpu: arguments.receiver_cpu,
        sender_cpu: arguments.sender_cpu,
    };
    std::fs::create_dir_all(&arguments.results)?;
    let mut is_met = true;
    for path in &arguments.scenarios {
        let scenario = Scenario::read(path)?;
        let rounds = if arguments.rounds > 0 { arguments.rounds } else { scenario.rounds };
        let mut result = ScenarioResult::new(&scenario, arguments.driver.as_deref())?;
        for round in 1..=rounds {
            writeln!(console, "{}: round {round} of {rounds}", result.name)?;
            let figures = run_round(&bench, &scenario)
                .with_context(|| format!("{}, round {round}", path.display()))?;
            result.rounds.push(figures);
        }
        result.conclude(&scenario);
        is_met &= result.is_met();
        result.write(&arguments.results)?;
        write!(console, "{}", report::table(std::slice::from_ref(&result)))?;
    }
    report::write(&arguments.results)?;
    Ok(if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_round(bench: &Bench, scenario: &Scenario) -> Result<figures::Figures> {
    match scenario.kind {
        Kind::Saturated => throughput::saturated(bench, scenario),
        Kind::Paced => throughput::paced(bench, scenario),
        Kind::Memory => memory::measure(bench, scenario),
        Kind::Start => start::measure(bench, scenario),
        Kind::Traces => traces::measure(bench, scenario),
        Kind::Embedded => embedded::measure(bench, scenario),
    }
}
