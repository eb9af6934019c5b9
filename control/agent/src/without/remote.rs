//! No remote configuration: what stands in for it in a build without the feature `remote-config`.

use std::sync::Arc;

use bytes::Bytes;
use config::Config;
use server::Answer;
use status::RemoteStatus;

use crate::products::Product;
use crate::source::Shared;

/// Says that there is none.
#[derive(Debug)]
pub(crate) struct RemoteSlot;

impl RemoteSlot {
    pub(crate) fn new(_: &Config, _: &str) -> Self {
        Self
    }

    pub(crate) const fn is_on(&self) -> bool {
        false
    }

    pub(crate) fn start(&self, _: &Config, _: &Arc<Shared>) {}

    pub(crate) const fn request_bytes_max(&self) -> usize {
        0
    }

    pub(crate) async fn client_configs(&self, _: Bytes, _: &str) -> Answer {
        Answer::not_found()
    }

    pub(crate) fn set_api_key(&self, _: &str) {}

    pub(crate) fn status(&self) -> Option<RemoteStatus> {
        let disabled_reason = Product::RemoteConfig.missing();
        Some(RemoteStatus { disabled_reason, ..RemoteStatus::default() })
    }

    pub(crate) fn stop(&self) {}
}

/// Its limits, which nothing needs.
pub(crate) const fn planned_bytes(_: &Config) -> u64 {
    0
}
