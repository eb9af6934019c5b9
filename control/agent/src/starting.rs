//! What the parts that a build may leave out start with, and what has started, in every build: one
//! without the feature `traces` or `logs` starts nothing of it.

use std::sync::{Arc, Mutex, OnceLock};

use config::Config;
use context::Keys;

use crate::agent::Role;
use crate::apm::{Apm, LaneTraces, TraceDelivery, TraceListeners, TraceReport};
use crate::delivery::Delivery;
use crate::exchanges::Exchanges;
use crate::ingest::IngestListeners;
use crate::proxies::ProxyRoutes;
use crate::remote::RemoteSlot;
use crate::submissions::Submissions;

/// What traces start with.
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

/// What logs and OTLP start with.
#[derive(Debug)]
pub(crate) struct IngestStart<'a> {
    pub(crate) config: &'a Config,
    pub(crate) host: &'a Arc<str>,
    pub(crate) keys: &'a Keys,
    pub(crate) started_unix_secs: u64,
    pub(crate) role: Role,
    pub(crate) delivery: &'a Arc<Delivery>,
    pub(crate) submissions: &'a Arc<Submissions>,
    pub(crate) listeners: IngestListeners,
}

/// What of traces has started; nothing where traces are off.
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
