//! Time to bound sockets, and size of the binary.

use anyhow::{Context as _, Result};

use crate::Bench;
use crate::agent::Agent;
use crate::figures::{Figure, Figures, median, mib};
use crate::scenario::Scenario;

/// The median of some starts.
pub(crate) fn measure(bench: &Bench, scenario: &Scenario) -> Result<Figures> {
    let times = (0..STARTS)
        .map(|_| Ok(Agent::start(bench, scenario)?.start_to_bound().as_secs_f64() * 1e3))
        .collect::<Result<Vec<f64>>>()?;
    let binary = std::fs::metadata(&bench.binary)
        .with_context(|| format!("cannot read {}", bench.binary.display()))?;
    Ok(Figures::from([
        (Figure::StartToBoundMs, median(times)),
        (Figure::BinaryMib, mib(binary.len())),
    ]))
}

const STARTS: u32 = 10;
