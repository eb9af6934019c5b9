//! Resident memory over the life of many contexts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use load::Progress;

use crate::Bench;
use crate::agent::Agent;
use crate::figures::{Figure, Figures, mib};
use crate::scenario::Scenario;
use crate::trial;

/// Idle, highest under load (flushes included), and after everything expired.
pub(crate) fn measure(bench: &Bench, scenario: &Scenario) -> Result<Figures> {
    let agent = Agent::start(bench, scenario)?;
    thread::sleep(IDLE_AFTER);
    let idle = agent.resident_bytes()?;
    let load = trial::prepare(bench, &scenario.load, agent.destination(scenario.load.transport))?;
    let stop = AtomicBool::new(false);
    let highest = thread::scope(|scope| -> Result<u64> {
        let sending = scope.spawn(|| load.run(&stop, &Progress::default()));
        let mut highest = Ok(0);
        while !sending.is_finished() && highest.is_ok() {
            thread::sleep(SAMPLE_EVERY);
            highest = highest.and_then(|before| Ok(agent.resident_bytes()?.max(before)));
        }
        stop.store(true, Ordering::Relaxed);
        sending.join().map_err(|_| anyhow!("the generator panicked"))??;
        highest
    })?;
    let contexts = agent.counters()?.value("contexts_alive");
    let mut figures = Figures::from([
        (Figure::RssIdleMib, mib(idle)),
        (Figure::RssLoadedMib, mib(highest_until_quiet(&agent, highest)?)),
    ]);
    if let Some(contexts) = contexts {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53 contexts")]
        figures.insert(Figure::Contexts, contexts as f64);
    }
    if scenario.expiry_secs > 0 {
        thread::sleep(Duration::from_secs(scenario.expiry_secs));
        figures.insert(Figure::RssExpiredMib, mib(agent.resident_bytes()?));
    }
    Ok(figures)
}

/// Goes on sampling until the flush after the load has gone out.
fn highest_until_quiet(agent: &Agent, mut highest: u64) -> Result<u64> {
    let requests = agent.requests();
    let started = Instant::now();
    let mut flushed = None;
    while started.elapsed() < FLUSH_WITHIN
        && flushed.is_none_or(|at: Instant| at.elapsed() < FLUSH_LASTS)
    {
        thread::sleep(SAMPLE_EVERY);
        highest = highest.max(agent.resident_bytes()?);
        if agent.requests() > requests {
            flushed.get_or_insert_with(Instant::now);
        }
    }
    Ok(highest)
}

const IDLE_AFTER: Duration = Duration::from_secs(2);
const SAMPLE_EVERY: Duration = Duration::from_millis(20);
/// A bucket and a flush interval at most.
const FLUSH_WITHIN: Duration = Duration::from_secs(26);
const FLUSH_LASTS: Duration = Duration::from_secs(3);
