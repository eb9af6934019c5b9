//! No proxies: what stands in for them in a build without the feature `proxies`.

use std::sync::{Arc, OnceLock};

use config::Config;
use server::Exchange;
use status::ProxyStatus;

use crate::self_metrics::TraceSeries;
use crate::submissions::Submissions;

/// Passes nothing on.
#[derive(Debug)]
pub(crate) struct ProxyRoutes;

/// Headers that a proxy would pass on.
pub(crate) const EVP_HEADERS: &[&str] = &[];

impl ProxyRoutes {
    pub(crate) fn start(
        _: &Config,
        _: &Arc<str>,
        _: &Arc<OnceLock<Arc<Submissions>>>,
    ) -> Result<Self, forward::TlsError> {
        Ok(Self)
    }

    pub(crate) fn reload(&self, _: &Config) {}

    pub(crate) fn paths(&self) -> Vec<&'static str> {
        Vec::new()
    }

    pub(crate) async fn answer(&self, exchange: Exchange) -> Option<Exchange> {
        Some(exchange)
    }

    pub(crate) async fn finish(&self) {}

    pub(crate) fn status(&self) -> Vec<ProxyStatus> {
        Vec::new()
    }

    pub(crate) fn series(&self, _: u32) -> Vec<TraceSeries> {
        Vec::new()
    }
}
