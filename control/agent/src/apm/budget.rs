//! Memory and processor time that the process may use before traces are refused. spec: apm §11
//!
//! The reference ends itself above its memory; here requests are refused, by name and counted, and
//! the process goes on.

use std::time::{Duration, Instant};

use lane::Shedding;

use crate::resources;

/// Budgets, and whether they are kept.
#[derive(Debug)]
pub(crate) struct Budget {
    memory_bytes_max: u64,
    cpu_percent_max: f64,
    shedding: Option<Shedding>,
    /// Processor time at the beginning of the window.
    since: Option<(Instant, Duration)>,
    cpu_percent: f64,
}

/// Processor time of the process, and its budgets; one of 0 is none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu_percent: f64,
    pub(crate) cpu_percent_max: f64,
    pub(crate) memory_bytes_max: u64,
}

/// Processor time is taken over this long, so that a flush alone refuses nothing.
const WINDOW: Duration = Duration::from_secs(2);
/// Part of a budget below which requests are accepted again.
const RELEASE: f64 = 0.9;

impl Budget {
    /// Budgets of 0 are none.
    pub(crate) const fn new(memory_bytes_max: u64, cpu_percent_max: f64) -> Self {
        Self { memory_bytes_max, cpu_percent_max, shedding: None, since: None, cpu_percent: 0.0 }
    }

    /// Why requests are refused, if they are.
    pub(crate) const fn shedding(&self) -> Option<Shedding> {
        self.shedding
    }

    /// Processor time as of the last window, and the budgets.
    pub(crate) const fn usage(&self) -> Usage {
        let Self { cpu_percent, cpu_percent_max, memory_bytes_max, .. } = *self;
        Usage { cpu_percent, cpu_percent_max, memory_bytes_max }
    }

    /// Looks at the process.
    pub(crate) fn look(&mut self, now: Instant) -> Option<Shedding> {
        if let Some(used) = resources::cpu_time() {
            self.take_cpu(now, used);
        }
        let resident = match self.memory_bytes_max {
            0 => None,
            _ => resources::resident_bytes(),
        };
        self.decide(resident.unwrap_or(0))
    }

    fn take_cpu(&mut self, now: Instant, used: Duration) {
        let Some((since, before)) = self.since else {
            self.since = Some((now, used));
            return;
        };
        let elapsed = now.saturating_duration_since(since);
        if elapsed >= WINDOW {
            let spent = used.saturating_sub(before).as_secs_f64();
            self.cpu_percent = spent / elapsed.as_secs_f64() * 100.0;
            self.since = Some((now, used));
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes of memory are below 2^53")]
    fn decide(&mut self, resident: u64) -> Option<Shedding> {
        let before = self.shedding;
        let is_over = |reason, used: f64, max: f64| {
            max > 0.0 && used > if before == Some(reason) { max * RELEASE } else { max }
        };
        let memory_max = self.memory_bytes_max as f64;
        self.shedding = if is_over(Shedding::Memory, resident as f64, memory_max) {
            Some(Shedding::Memory)
        } else if is_over(Shedding::Cpu, self.cpu_percent, self.cpu_percent_max) {
            Some(Shedding::Cpu)
        } else {
            None
        };
        match self.shedding {
            now if now == before => {}
            Some(Shedding::Memory) => log::warn!(
                "{resident} bytes are resident, more than `apm_config.max_memory` ({memory_max}): \
                 traces are refused"
            ),
            Some(Shedding::Cpu) => log::warn!(
                "{:.0} % of a core are used, more than `corelane.apm.cpu_percent_max` ({}): \
                 traces are refused",
                self.cpu_percent,
                self.cpu_percent_max
            ),
            None => log::info!("traces are accepted again"),
        }
        self.shedding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_refused_above_the_budget_until_a_tenth_below() {
        let mut budget = Budget::new(1000, 0.0);
        assert_eq!(budget.decide(1000), None);
        assert_eq!(budget.decide(1001), Some(Shedding::Memory));
        assert_eq!(budget.decide(901), Some(Shedding::Memory));
        assert_eq!(budget.decide(900), None);
        assert_eq!(Budget::new(0, 0.0).decide(u64::MAX), None);
    }

    #[test]
    fn processor_time_counts_over_a_window() {
        let mut budget = Budget::new(0, 50.0);
        let start = Instant::now();
        budget.take_cpu(start, Duration::ZERO);
        budget.take_cpu(start + WINDOW / 2, Duration::from_secs(1));
        assert_eq!(budget.decide(0), None, "the window is open");
        budget.take_cpu(start + WINDOW, Duration::from_millis(1500));
        assert_eq!(budget.decide(0), Some(Shedding::Cpu));
        budget.take_cpu(start + 2 * WINDOW, Duration::from_millis(2300));
        assert_eq!(budget.decide(0), None);
    }
}
