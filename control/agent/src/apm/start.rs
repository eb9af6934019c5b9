//! Everything that runs where traces are received.

use std::sync::Arc;

use super::{Apm, TraceDelivery};
use crate::agent::StartError;
use crate::exchanges::{Exchanges, Routes};
use crate::products::Product;
use crate::proxies::ProxyRoutes;
use crate::starting::{Started, Starting};

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
