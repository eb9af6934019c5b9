//! What a pause costs by itself, without any packet.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use load::null::Pause;
use load::{CpuTime, pin_to_cpu};

use crate::Arguments;
use crate::table::median;

/// Alternates timers and ticks over the rounds and writes a table.
pub(crate) fn measure(arguments: &Arguments, out: &mut impl Write) -> Result<()> {
    pin_to_cpu(arguments.receiver_cpu)?;
    let mut costs: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); PAUSES.len()];
    for _ in 0..arguments.rounds {
        for ((pause, asked_ms), (cpu, lasted)) in PAUSES.iter().zip(&mut costs) {
            let (cpu_us, lasted_ms) =
                one(*pause, Duration::from_millis(*asked_ms), arguments.case_ms)?;
            cpu.push(cpu_us);
            lasted.push(lasted_ms);
        }
    }
    write_table(out, costs)?;
    Ok(())
}

/// Processor microseconds and milliseconds that pass, for each pause.
fn one(pause: Pause, asked: Duration, case_ms: u64) -> Result<(f64, f64)> {
    let pauser = pause.pauser(asked)?;
    pauser.wait();
    let (cpu_before, started) = (CpuTime::of_thread(), Instant::now());
    let mut count = 0.0;
    while started.elapsed() < Duration::from_millis(case_ms) {
        pauser.wait();
        count += 1.0;
    }
    let cpu = Duration::from_nanos(CpuTime::of_thread().since(cpu_before).total_ns);
    Ok((cpu.as_secs_f64() * 1e6 / count, started.elapsed().as_secs_f64() * 1e3 / count))
}

fn write_table(out: &mut impl Write, costs: Vec<(Vec<f64>, Vec<f64>)>) -> io::Result<()> {
    writeln!(out, "\n| pause | asked ms | lasted ms | CPU microseconds (min..max) |")?;
    writeln!(out, "|---|--:|--:|--:|")?;
    for ((pause, asked_ms), (cpu, lasted)) in PAUSES.iter().zip(costs) {
        let least = cpu.iter().copied().fold(f64::INFINITY, f64::min);
        let most = cpu.iter().copied().fold(0.0, f64::max);
        writeln!(
            out,
            "| {pause:?} | {asked_ms} | {:.1} | {:.1} ({least:.1}..{most:.1}) |",
            median(lasted),
            median(cpu),
        )?;
    }
    Ok(())
}

/// Ticks asked for, and timers of the length that these turn out to have at 250 ticks a second.
const PAUSES: [(Pause, u64); 6] = [
    (Pause::Timer, 1),
    (Pause::Timer, 5),
    (Pause::Timer, 8),
    (Pause::Tick, 1),
    (Pause::Timer, 12),
    (Pause::Tick, 5),
];
