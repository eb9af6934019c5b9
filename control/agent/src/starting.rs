//! What the trace pipeline starts with and what has started, in every build: one without the
//! feature `traces` starts nothing.

use std::sync::{Arc, Mutex, OnceLock};

use config::Config;

use crate::apm::{Apm, LaneTraces, TraceDelivery, TraceListeners, TraceReport};
use crate::exchanges::Exchanges;
use crate::proxies::ProxyRoutes;
use crate::remote::RemoteSlot;
use crate::submissions::Submissions;

/// What it starts with.
#[derive(Debug)]
pub(crate) struct Starting<'a> {
    pub(crate) config: &'a Arc<Config>,
    pub(crate) host: &'a Arc<str>,
    pub(crate) lanes: usize,
    pub(crate) listeners: &'a mut TraceListeners,
    /// A secret of this process.
    pub(crate) seed: u64,
    /// The way to the lanes, which come later.
    pub(crate) way_in: &'a Arc<OnceLock<Arc<Submissions>>>,
    pub(crate) remote: &'a Arc<RemoteSlot>,
}

/// What has started; nothing where traces are off.
#[derive(Default)]
pub(crate) struct Started {
    pub(crate) apm: Option<Apm>,
    /// For the lanes.
    pub(crate) lanes: Option<LaneTraces>,
    pub(crate) exchanges: Option<Exchanges>,
    pub(crate) proxies: Option<Arc<ProxyRoutes>>,
    pub(crate) delivery: Option<Arc<TraceDelivery>>,
    pub(crate) report: Option<Arc<Mutex<TraceReport>>>,
}
