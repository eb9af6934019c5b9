//! No traces: what stands in for them in a build without the feature `traces`. Most of it cannot be
//! made, so that the compiler knows that what would use it is never reached.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use config::Config;
use forward::ForwardStats;
use lane::{Bell, HttpSources, TraceHandover, TraceInbox, TraceOrders, TraceSubmitter};
use receive::SocketFile;
use sampling::RemoteSampling;
use status::TraceStatus;

use crate::agent::StartError;
use crate::exchanges::Exchanges;
use crate::listen::ListenerReport;
use crate::proxies::ProxyRoutes;
use crate::remote::RemoteSlot;
use crate::self_metrics::TraceSeries;
use crate::submissions::Submissions;

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

/// What it would start with.
#[derive(Debug)]
#[expect(dead_code, reason = "there is nothing that reads it")]
pub(crate) struct Starting<'a> {
    pub(crate) config: &'a Arc<Config>,
    pub(crate) host: &'a Arc<str>,
    pub(crate) lanes: usize,
    pub(crate) listeners: &'a mut TraceListeners,
    pub(crate) seed: u64,
    pub(crate) way_in: &'a Arc<OnceLock<Arc<Submissions>>>,
    pub(crate) remote: &'a Arc<RemoteSlot>,
}

/// Nothing.
#[derive(Default)]
pub(crate) struct Started {
    pub(crate) apm: Option<Apm>,
    pub(crate) lanes: Option<LaneTraces>,
    pub(crate) exchanges: Option<Exchanges>,
    pub(crate) proxies: Option<Arc<ProxyRoutes>>,
    pub(crate) delivery: Option<Arc<TraceDelivery>>,
    pub(crate) report: Option<Arc<Mutex<TraceReport>>>,
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
