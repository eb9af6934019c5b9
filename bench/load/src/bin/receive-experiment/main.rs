//! Compares ways to read DogStatsD sockets: `recvmmsg` and `io_uring`, eager and moderated.
//!
//! Receiver and generator are two threads pinned to two processors. Every case runs once per round,
//! so that a slow spell of a shared machine falls on all of them; the table gives medians.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use clap::Parser;
use load::null::{Null, NullProgress, Received};
use load::{Load, Progress, Sent};

mod cases;
mod table;
mod wakes;

use cases::Case;

#[derive(Debug, Parser)]
#[command(about = "Compare ways to read DogStatsD sockets")]
struct Arguments {
    /// Rounds over all cases.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Milliseconds of one case.
    #[arg(long, default_value_t = 1_000)]
    case_ms: u64,
    /// Processor of the receiver.
    #[arg(long, default_value_t = 0)]
    receiver_cpu: usize,
    /// Processor of the generator.
    #[arg(long, default_value_t = 1)]
    sender_cpu: usize,
    /// Only cases whose name contains this text.
    #[arg(long, default_value = "")]
    only: String,
    /// File for one CSV row per run.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// One run of one case.
#[derive(Debug)]
struct Outcome {
    case: String,
    round: u32,
    sent: Sent,
    received: Received,
    /// Share of both processors that was idle.
    idle_share: f64,
}

impl Outcome {
    fn write_csv(&self, out: &mut impl io::Write) -> io::Result<()> {
        let (sent, received) = (&self.sent, &self.received);
        writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{},{},{:.2}",
            self.case,
            self.round,
            sent.total.lines,
            sent.total.packets,
            sent.dropped_packets,
            received.packets,
            received.kernel_drops,
            received.cpu_ns,
            sent.cpu_ns,
            received.busy_ns,
            received.reads,
            received.waits,
            self.idle_share,
        )
    }
}

const CSV_HEADER: &str = "case,round,lines_sent,packets_sent,packets_turned_away,packets_received,\
    kernel_drops,receiver_cpu_ns,sender_cpu_ns,busy_ns,reads,waits,idle_share";

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let cases: Vec<Case> = cases::all(&arguments)
        .into_iter()
        .filter(|case| case.name.contains(&arguments.only))
        .collect();
    let mut data = arguments.data.as_ref().map(File::create).transpose()?;
    if let Some(data) = &mut data {
        writeln!(data, "{CSV_HEADER}")?;
    }
    let mut outcomes = Vec::new();
    let mut console = io::stderr();
    for round in 0..arguments.rounds {
        for case in &cases {
            let outcome = run(case, round).with_context(|| case.name.clone())?;
            if let Some(data) = &mut data {
                outcome.write_csv(data)?;
            }
            outcomes.push(outcome);
        }
        writeln!(console, "round {} of {}", round + 1, arguments.rounds)?;
    }
    table::write(&mut io::stdout(), &cases, &outcomes)?;
    wakes::measure(&arguments, &mut io::stdout())?;
    Ok(())
}

fn run(case: &Case, round: u32) -> Result<Outcome> {
    let null = Null::bind(case.null.clone())?;
    let mut spec = case.load.clone();
    spec.destination = null.address()?;
    let load = Load::prepare(spec)?;
    let (stop_load, stop_null) = (AtomicBool::new(false), AtomicBool::new(false));
    let idle_before = Idle::read()?;
    let (sent, received) = if case.is_prefilled {
        let sent = load.run(&stop_load, &Progress::default())?;
        stop_null.store(true, Ordering::Relaxed);
        (sent, null.run(&stop_null, &NullProgress::default())?)
    } else {
        thread::scope(|scope| -> Result<_> {
            let receiver = scope.spawn(|| null.run(&stop_null, &NullProgress::default()));
            let sent = load.run(&stop_load, &Progress::default());
            stop_null.store(true, Ordering::Relaxed);
            let received = receiver.join().map_err(|_| anyhow!("the receiver panicked"))??;
            Ok((sent?, received))
        })?
    };
    let idle_share = Idle::read()?.share_since(&idle_before);
    Ok(Outcome { case: case.name.clone(), round, sent, received, idle_share })
}

/// Idle and total ticks of all processors, from `/proc/stat`.
struct Idle {
    idle: f64,
    total: f64,
}

impl Idle {
    fn read() -> Result<Self> {
        let text = std::fs::read_to_string("/proc/stat")?;
        let line = text.lines().next().context("/proc/stat is empty")?;
        let ticks: Vec<f64> =
            line.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        let idle = ticks.get(3).copied().unwrap_or(0.0) + ticks.get(4).copied().unwrap_or(0.0);
        Ok(Self { idle, total: ticks.iter().take(8).sum() })
    }

    fn share_since(&self, earlier: &Self) -> f64 {
        (self.idle - earlier.idle) / (self.total - earlier.total).max(1.0)
    }
}
