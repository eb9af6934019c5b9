//! No archives for support: what stands in for them in a build without the feature `flares`.

use config::Config;
use status::FlareStatus;

/// Makes none.
#[derive(Debug, Default)]
pub(crate) struct FlareDesk;

impl FlareDesk {
    pub(crate) fn status(&self) -> FlareStatus {
        FlareStatus::default()
    }

    pub(crate) const fn stop(&self) {}
}

/// Its limits, which nothing needs.
pub(crate) const fn planned_bytes(_: &Config) -> u64 {
    0
}
