//! One load into the agent, and the same into the null receiver.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use load::null::{Null, NullProgress, NullSpec, Received};
use load::{Load, LoadSpec, Progress, Sent, Transport};

use crate::Bench;
use crate::agent::Agent;
use crate::counters::Counters;

/// What one load did to the agent.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) sent: Sent,
    /// Packets sent and neither received nor turned away at the sender.
    pub(crate) lost_packets: u64,
    /// Processor time of all threads.
    pub(crate) cpu_ns: u64,
    /// Processor time of the lane; that of all threads when lanes are not to be told apart.
    pub(crate) lane_ns: u64,
}

impl Trial {
    /// Processor seconds of the agent per million lines.
    pub(crate) fn cpu_secs_per_million(&self) -> f64 {
        per_million(self.cpu_ns, self.sent.total.lines)
    }

    /// Processor seconds of the lane per million lines.
    pub(crate) fn lane_secs_per_million(&self) -> f64 {
        per_million(self.lane_ns, self.sent.total.lines)
    }
}

/// Nanoseconds over lines, as seconds per million.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn per_million(ns: u64, lines: u64) -> f64 {
    ns as f64 / 1e3 / lines.max(1) as f64
}

/// Sends the load to the agent and waits until it has read what arrived.
pub(crate) fn run(bench: &Bench, agent: &Agent, spec: &LoadSpec) -> Result<Trial> {
    let load = prepare(bench, spec, agent.destination(spec.transport))?;
    run_prepared(agent, &load)
}

/// As [`run`], with packets that were built before.
pub(crate) fn run_prepared(agent: &Agent, load: &Load) -> Result<Trial> {
    let transport = load.spec().transport;
    let before = agent.counters()?;
    let times_before = agent.times()?;
    let sent = load.run(&AtomicBool::new(false), &Progress::default())?;
    let received = wait_received(agent, transport, &before, sent.total.packets)?;
    let times = agent.times()?;
    let cpu_ns = times.total_since(&times_before);
    Ok(Trial {
        lost_packets: sent.total.packets.saturating_sub(received),
        cpu_ns,
        lane_ns: times.lanes_since(&times_before).unwrap_or(cpu_ns),
        sent,
    })
}

/// Packets for the agent.
pub(crate) fn prepare(bench: &Bench, spec: &LoadSpec, destination: String) -> Result<Load> {
    let cpus = vec![bench.sender_cpu];
    Ok(Load::prepare(LoadSpec { destination, cpus, ..spec.clone() })?)
}

/// Sends the same load to a null receiver on the processor of the lane.
pub(crate) fn run_null(bench: &Bench, spec: &LoadSpec, drain_every_us: u32) -> Result<NullTrial> {
    let directory = tempfile::tempdir()?;
    let listen = match spec.transport {
        Transport::Udp => "127.0.0.1:0".to_owned(),
        Transport::UdsDatagram | Transport::UdsStream => {
            directory.path().join("null.sock").display().to_string()
        }
    };
    let null = Null::bind(NullSpec {
        // A stream has no null receiver: datagrams of the same size stand in for it.
        transport: datagrams(spec.transport),
        listen,
        batch: 64,
        drain_every_us,
        cpu: Some(bench.receiver_cpu),
        ..NullSpec::default()
    })?;
    let spec = LoadSpec { transport: datagrams(spec.transport), ..spec.clone() };
    let load = prepare(bench, &spec, null.address()?)?;
    let stop = AtomicBool::new(false);
    let (sent, received) = thread::scope(|scope| -> Result<_> {
        let receiving = scope.spawn(|| null.run(&stop, &NullProgress::default()));
        let sent = load.run(&AtomicBool::new(false), &Progress::default());
        stop.store(true, Ordering::Relaxed);
        let received = receiving.join().map_err(|_| anyhow!("the null receiver panicked"))??;
        Ok((sent?, received))
    })?;
    Ok(NullTrial { sent, received })
}

/// What one load cost the null receiver.
#[derive(Clone, Debug)]
pub(crate) struct NullTrial {
    sent: Sent,
    received: Received,
}

impl NullTrial {
    /// Processor seconds per million lines received.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(crate) fn secs_per_million(&self) -> f64 {
        let packets = self.received.packets.max(1) as f64;
        let lines_per_packet = self.sent.total.lines as f64 / self.sent.total.packets.max(1) as f64;
        self.received.cpu_ns as f64 / 1e3 / (packets * lines_per_packet)
    }
}

const fn datagrams(transport: Transport) -> Transport {
    match transport {
        Transport::Udp => Transport::Udp,
        Transport::UdsDatagram | Transport::UdsStream => Transport::UdsDatagram,
    }
}

/// Packets received since `before`, once all of `expected` are there or no more arrive.
fn wait_received(
    agent: &Agent,
    transport: Transport,
    before: &Counters,
    expected: u64,
) -> Result<u64> {
    let name = match transport {
        Transport::Udp => "udp_packets",
        Transport::UdsDatagram => "uds_packets",
        Transport::UdsStream => "stream_packets",
    };
    let count = |counters: &Counters| {
        counters.value(name).ok_or_else(|| anyhow!("the status has no counter `{name}`"))
    };
    let base = count(before)?;
    let mut received = 0;
    let mut changed = Instant::now();
    loop {
        let now = count(&agent.counters()?)?.saturating_sub(base);
        if now > received {
            changed = Instant::now();
        }
        received = now;
        if received >= expected || changed.elapsed() > QUIET_MAX {
            return Ok(received);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Without a new packet for so long, the rest is lost.
const QUIET_MAX: Duration = Duration::from_millis(500);
