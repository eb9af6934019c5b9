//! No captures: what stands in for them in a build without the local API, which starts them.

use std::sync::Arc;

use capture::Request;
use config::Config;
use entity::OriginSnapshot;
use lane::Command;
use status::{CaptureKind, CaptureStatus};

use crate::products::Product;

/// Records nothing.
#[derive(Debug)]
pub(crate) struct Captures;

/// Nothing is under way.
#[derive(Debug, Default)]
pub(crate) struct CaptureProgress;

/// What a start would come to.
pub(crate) struct StartedCapture {
    pub(crate) path: String,
    pub(crate) command: fn() -> Command,
}

impl Captures {
    pub(crate) fn new(_: &Config, _: Arc<CaptureProgress>) -> Self {
        Self
    }

    pub(crate) fn start(
        &mut self,
        _: CaptureKind,
        _: &Request,
        _: Arc<OriginSnapshot>,
    ) -> Result<StartedCapture, String> {
        Err(Product::LocalApi.missing())
    }

    pub(crate) fn stop(&mut self, _: CaptureKind) -> Result<String, String> {
        Err(Product::LocalApi.missing())
    }

    pub(crate) const fn look(&mut self) {}
}

impl CaptureProgress {
    pub(crate) const fn status(&self, _: CaptureKind) -> Option<CaptureStatus> {
        None
    }
}
