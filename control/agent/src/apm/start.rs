//! Everything that runs where traces are received.

use std::sync::{Arc, Mutex, OnceLock};

use config::Config;

use super::{Apm, LaneTraces, TraceDelivery, TraceListeners, TraceReport};
use crate::agent::StartError;
use crate::exchanges::{Exchanges, Routes};
use crate::products::Product;
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

/// Starts the control half, the proxies and what answers the lanes' requests.
pub(crate) fn start(starting: Starting<'_>) -> Result<Started, StartError> {
    let Starting { config, host, lanes, listeners, seed, way_in, remote } = starting;
    if !Product::Traces.is_on(config) {
        return Ok(Started::default());
    }
    let delivery = Arc::new(TraceDelivery::start(config)?);
    let proxies = ProxyRoutes::start(config, host, way_in).map_err(StartError::Tls)?;
    let proxies = Arc::new(proxies);
    let routes = Routes { proxies: Arc::clone(&proxies), remote: Arc::clone(remote) };
    let (apm, lanes, inlets) =
        Apm::start(config, host, lanes, listeners, seed, Arc::clone(&delivery), &routes.paths())
            .map_err(StartError::Traces)?;
    let exchanges = Exchanges::start(inlets, routes)?;
    Ok(Started {
        report: Some(apm.report()),
        apm: Some(apm),
        lanes: Some(lanes),
        exchanges: Some(exchanges),
        proxies: Some(proxies),
        delivery: Some(delivery),
    })
}
