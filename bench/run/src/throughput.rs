//! Lossless throughput and what a line costs.

use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use load::{Load, LoadSpec, Transport};

use crate::Bench;
use crate::agent::Agent;
use crate::figures::{Figure, Figures};
use crate::scenario::Scenario;
use crate::trial::{self, Trial};

/// The highest lossless rate, its cost, and the null receiver flat out on the same packets.
pub(crate) fn saturated(bench: &Bench, scenario: &Scenario) -> Result<Figures> {
    let agent = Agent::start(bench, scenario)?;
    let flat_out = flat_out(scenario, FLAT_OUT_MS_MAX);
    warm_up(bench, &agent, &flat_out)?;
    let best = lossless(bench, &agent, &flat_out)?;
    drop(agent);
    let null = trial::run_null(bench, &flat_out, 0)?.secs_per_million();
    let lane = best.lane_secs_per_million();
    Ok(Figures::from([
        (Figure::LinesPerSec, best.sent.lines_per_sec()),
        (Figure::CpuSecsPerMillion, best.cpu_secs_per_million()),
        (Figure::LaneSecsPerMillion, lane),
        (Figure::NullSecsPerMillion, null),
        (Figure::RatioToNull, lane / null),
        (Figure::RecordNsPerLine, (lane - null) * 1e3),
    ]))
}

/// The cost at the pace of the scenario, at saturation, and of null receivers at the same pace.
pub(crate) fn paced(bench: &Bench, scenario: &Scenario) -> Result<Figures> {
    let agent = Agent::start(bench, scenario)?;
    let flat_out = flat_out(scenario, FLAT_OUT_MS_PACED);
    warm_up(bench, &agent, &flat_out)?;
    let paced = trial::run(bench, &agent, &scenario.load)?;
    let best = lossless(bench, &agent, &flat_out)?;
    drop(agent);
    let eager = trial::run_null(bench, &scenario.load, 0)?.secs_per_million();
    let moderated = trial::run_null(bench, &scenario.load, MODERATED_US)?.secs_per_million();
    let (cost, saturated) = (paced.cpu_secs_per_million(), best.cpu_secs_per_million());
    Ok(Figures::from([
        (Figure::LinesPerSec, paced.sent.lines_per_sec()),
        (Figure::CpuSecsPerMillion, cost),
        (Figure::LaneSecsPerMillion, paced.lane_secs_per_million()),
        (Figure::SaturatedSecsPerMillion, saturated),
        (Figure::PacedToSaturated, cost / saturated),
        (Figure::NullEagerSecsPerMillion, eager),
        (Figure::NullModeratedSecsPerMillion, moderated),
        (Figure::LostPackets, exact(paced.lost_packets)),
        (Figure::TurnedAwayPackets, exact(paced.sent.dropped_packets)),
    ]))
}

/// The load without its pace, from clients that wait. The search for a rate repeats it up to 18
/// times, so that it is short.
fn flat_out(scenario: &Scenario, duration_ms_max: u64) -> LoadSpec {
    let duration_ms = scenario.load.duration_ms.min(duration_ms_max);
    LoadSpec { rate: 0.0, is_nonblocking: false, duration_ms, ..scenario.load.clone() }
}

/// Sends every context at least twice, slowly enough to lose none, so that tables have grown.
fn warm_up(bench: &Bench, agent: &Agent, spec: &LoadSpec) -> Result<()> {
    let lines_max = 2 * spec.contexts() * u64::from(spec.tag_orders);
    let slow = LoadSpec { rate: WARM_UP_RATE, lines_max, duration_ms: 0, ..spec.clone() };
    trial::run(bench, agent, &slow)?;
    Ok(())
}

/// The fastest trial that lost nothing. Unix sockets hold the sender back, so flat out is the
/// answer; on UDP the rate is searched for.
fn lossless(bench: &Bench, agent: &Agent, spec: &LoadSpec) -> Result<Trial> {
    let destination = agent.destination(spec.transport);
    let attempt = |rate: f64| -> Result<Trial> {
        let spec = LoadSpec { rate, ..spec.clone() };
        let load = trial::prepare(bench, &spec, destination.clone())?;
        lossless_attempt(agent, &load)
    };
    let flat_out = attempt(0.0)?;
    if flat_out.lost_packets == 0 {
        return Ok(flat_out);
    }
    ensure!(
        spec.transport == Transport::Udp,
        "{} packets were lost on a Unix socket, which must not happen",
        flat_out.lost_packets
    );
    let (mut low, mut high) = (0.0, flat_out.sent.lines_per_sec());
    let mut best = None;
    for _ in 0..SEARCH_STEPS {
        let rate = f64::midpoint(low, high);
        let trial = attempt(rate)?;
        if trial.lost_packets == 0 {
            low = rate;
            best = Some(trial);
        } else {
            high = rate;
        }
    }
    best.ok_or_else(|| anyhow::anyhow!("packets were lost at every rate down to {high:.0} lines/s"))
}

/// A trial that is repeated once when it lost something: others share the machine.
fn lossless_attempt(agent: &Agent, load: &Load) -> Result<Trial> {
    let first = trial::run_prepared(agent, load)?;
    if first.lost_packets == 0 {
        return Ok(first);
    }
    thread::sleep(Duration::from_millis(200));
    trial::run_prepared(agent, load)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53 packets")]
const fn exact(count: u64) -> f64 {
    count as f64
}

/// Milliseconds of one flat-out trial.
const FLAT_OUT_MS_MAX: u64 = 5_000;
/// The same where only the cost at saturation is asked for, not the highest rate: on UDP, where the
/// rate is searched for, longer ones would make most of the scenario's time.
const FLAT_OUT_MS_PACED: u64 = 1_500;
/// Lines a second during warm-up.
const WARM_UP_RATE: f64 = 300_000.0;
/// Leaves 1/256 of the flat-out rate.
const SEARCH_STEPS: u32 = 8;
/// Pause of the moderated null receiver: the default of the agent.
const MODERATED_US: u32 = 5_000;
