//! What the lanes receive traces with.

use std::sync::Arc;
use std::time::Instant;

use lane::{
    Bell, HttpSources, TraceInbox, TraceSettings, TraceSubmissionLimits, TraceSubmitter,
    trace_submission,
};
use receive::HttpListener;
use server::{ExchangeOutlet, Identity, Seats, ServerSettings};

/// What the lanes receive traces with.
pub(crate) struct LaneTraces {
    pub(crate) listeners: Vec<Vec<HttpListener>>,
    /// Places for connections of each listener, over all lanes.
    pub(crate) seats: Vec<Arc<Seats>>,
    pub(crate) server: ServerSettings,
    pub(crate) identity: Arc<Identity>,
    pub(crate) pipeline: TraceSettings,
    /// The lanes' ways to control.
    pub(crate) exchanges: Vec<ExchangeOutlet>,
}

impl LaneTraces {
    /// What one lane receives traces with; its listeners are taken out.
    pub(crate) fn of_lane(&mut self, lane: u16, submissions: Option<TraceInbox>) -> HttpSources {
        let listeners = self.listeners.get_mut(usize::from(lane));
        let listeners = listeners.map(std::mem::take).unwrap_or_default();
        // Lanes have their handles on the listeners in the same order.
        for listener in listeners.iter().skip(self.seats.len()) {
            let is_tcp = listener.address().is_some();
            self.seats.push(self.server.seats(is_tcp, Instant::now()));
        }
        let exchanges = (!self.exchanges.is_empty()).then(|| self.exchanges.remove(0));
        HttpSources {
            listeners,
            seats: self.seats.clone(),
            settings: self.server,
            identity: Arc::clone(&self.identity),
            traces: self.pipeline.clone(),
            exchanges,
            submissions,
        }
    }

    /// Both ends of the ways in without a socket, one for each lane.
    pub(crate) fn ways_in(
        &self,
        bells: impl Iterator<Item = Arc<Bell>>,
    ) -> (Vec<TraceSubmitter>, Vec<TraceInbox>) {
        let limits = TraceSubmissionLimits {
            payload_bytes_max: self.server.request_bytes_max,
            waiting_bytes_max: self.server.in_flight_bytes_max,
        };
        bells.map(|bell| trace_submission(limits, bell)).unzip()
    }
}
