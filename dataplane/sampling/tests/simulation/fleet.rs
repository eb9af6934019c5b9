//! The lanes and control of one agent, with the protocol between them.

use std::collections::HashMap;
use std::sync::Arc;

use corelane_sampling::{
    Chunk, Decision, Event, LaneCounts, LaneSamplers, Rater, Rates, SamplingSettings,
};

use super::START_MS;
use super::traffic::{Spread, Trace};

pub(crate) struct Fleet {
    rater: Rater,
    lanes: Vec<(LaneSamplers, LaneCounts)>,
    spread: Spread,
    /// When in each second control asks the lanes.
    tick_ms: u64,
    next_tick_ms: u64,
    /// Rates of the last reply by service; the default has no name.
    told: HashMap<String, f64>,
}

impl Fleet {
    /// A fleet whose control ticks at the beginning of each second.
    pub(crate) fn new(settings: SamplingSettings, lanes: usize, spread: Spread) -> Self {
        let settings = Arc::new(settings);
        let rater = Rater::new(Arc::clone(&settings), lanes);
        let lanes = (0..lanes)
            .map(|lane| {
                let samplers = LaneSamplers::new(Arc::clone(&settings), lane, rater.rates());
                (samplers, LaneCounts::default())
            })
            .collect();
        Self { rater, lanes, spread, tick_ms: 0, next_tick_ms: 0, told: HashMap::new() }
    }

    /// The same, with ticks later in each second.
    pub(crate) fn ticking_at(mut self, tick_ms: u64) -> Self {
        self.tick_ms = tick_ms;
        self
    }

    /// Lets the time pass until `ms` after the start.
    pub(crate) fn pass(&mut self, ms: u64) {
        while self.next_tick_ms + self.tick_ms <= ms {
            self.tick(START_MS + self.next_tick_ms + self.tick_ms);
            self.next_tick_ms += 1000;
        }
    }

    /// Lets the time pass until the trace and decides it on its lane.
    pub(crate) fn decide(&mut self, trace: &Trace, chunk: &Chunk<'_>) -> Decision {
        self.pass(trace.ms);
        let lane = self.spread.lane(trace, self.lanes.len());
        let samplers = &mut self.lanes[lane].0;
        samplers.on_time(START_MS + trace.ms);
        samplers.decide(chunk, trace)
    }

    /// Events of the trace that was decided last.
    pub(crate) fn events(&self, trace: &Trace) -> &[Event] {
        self.lanes[self.spread.lane(trace, self.lanes.len())].0.events()
    }

    pub(crate) fn rates(&self) -> &Rates {
        self.rater.rates()
    }

    /// Rate at which each lane would keep the trace, without a priority.
    pub(crate) fn no_priority_rates(&mut self, trace: &Trace) -> Vec<f64> {
        // This id is kept at any rate.
        let chunk = Chunk { trace_id: 0, ..trace.chunk() };
        let rate = |lane: &mut LaneSamplers| lane.decide(&chunk, trace).root_metric;
        self.lanes.iter_mut().map(|(lane, _)| rate(lane).expect("kept").1).collect()
    }

    /// What a tracer reads from the reply for its service.
    pub(crate) fn tracer_rate(&self, service: &str) -> f64 {
        let default = || self.told.get("").copied().unwrap_or(1.0);
        self.told.get(service).copied().unwrap_or_else(default)
    }

    fn tick(&mut self, now_ms: u64) {
        for (lane, spare) in &mut self.lanes {
            lane.on_time(now_ms);
            *spare = lane.handover(std::mem::take(spare));
            self.rater.absorb(spare);
        }
        if let Some(rates) = self.rater.tick(now_ms) {
            for (lane, _) in &mut self.lanes {
                lane.on_rates(&rates);
            }
            let told = rates.reply().rates().map(|(key, rate)| {
                let service = key.trim_start_matches("service:").split(',').next();
                (service.unwrap_or_default().to_owned(), rate)
            });
            self.told = told.collect();
        }
    }
}
