//! No traces: what stands in for them in a build without the feature `traces`. Most of it cannot be
//! made, so that the compiler knows that what would use it is never reached.

use std::sync::Arc;
use std::time::Instant;

use config::Config;
use forward::ForwardStats;
use lane::{Bell, HttpSources, TraceHandover, TraceInbox, TraceOrders, TraceSubmitter};
use receive::SocketFile;
use sampling::RemoteSampling;
use status::TraceStatus;

use crate::agent::StartError;
use crate::listen::ListenerReport;
use crate::self_metrics::TraceSeries;
use crate::starting::{Started, Starting};

/// The control half.
#[derive(Debug)]
pub(crate) enum Apm {}

/// The forwarder of traces and stats.
#[derive(Debug)]
pub(crate) enum TraceDelivery {}

/// What `status` would read.
#[derive(Debug)]
pub(crate) enum TraceReport {}

/// What the lanes would receive traces with.
#[derive(Debug)]
pub(crate) enum LaneTraces {}

/// No listeners.
#[derive(Debug, Default)]
pub(crate) struct TraceListeners {
    pub(crate) files: Vec<SocketFile>,
    pub(crate) reports: Vec<ListenerReport>,
    pub(crate) statsd_port: u16,
}

/// Starts nothing.
pub(crate) fn start(_: Starting<'_>) -> Result<Started, StartError> {
    Ok(Started::default())
}

/// What `status` would say.
pub(crate) fn status(report: &TraceReport) -> TraceStatus {
    match *report {}
}

/// Payloads that a lane has not done with.
pub(crate) const fn pending(handover: &TraceHandover) -> usize {
    match *handover {}
}

impl TraceListeners {
    pub(crate) fn open(_: &Config, _: usize, _: bool) -> Self {
        Self::default()
    }
}

impl Apm {
    pub(crate) fn set_remote_sampling(&mut self, _: &RemoteSampling) {
        match *self {}
    }

    pub(crate) fn set_proxy_paths(&mut self, _: &[&'static str]) {
        match *self {}
    }

    pub(crate) fn take_back(&mut self, _: usize, _: TraceOrders) {
        match *self {}
    }

    pub(crate) fn series(&mut self, _: u32) -> Vec<TraceSeries> {
        match *self {}
    }

    pub(crate) fn take(&mut self, _: TraceHandover, _: Instant, _: u64) {
        match *self {}
    }

    pub(crate) fn round(&mut self, _: Instant, _: u64) -> Vec<TraceOrders> {
        match *self {}
    }

    pub(crate) fn last_orders(&mut self) -> Vec<TraceOrders> {
        match *self {}
    }

    pub(crate) fn is_busy(&self) -> bool {
        match *self {}
    }

    pub(crate) fn finish(&mut self, _: u64) {
        match *self {}
    }

    pub(crate) fn stop(&self) {
        match *self {}
    }
}

impl TraceDelivery {
    pub(crate) fn reload(&self, _: &Config) -> Result<(), String> {
        match *self {}
    }

    pub(crate) fn stats(&self) -> ForwardStats {
        match *self {}
    }
}

impl LaneTraces {
    pub(crate) fn of_lane(&mut self, _: u16, _: Option<TraceInbox>) -> HttpSources {
        match *self {}
    }

    pub(crate) fn ways_in(
        &self,
        _: impl Iterator<Item = Arc<Bell>>,
    ) -> (Vec<TraceSubmitter>, Vec<TraceInbox>) {
        match *self {}
    }
}
