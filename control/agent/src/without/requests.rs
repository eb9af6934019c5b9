//! No captures of requests: what stands in for them in a build without the feature `traces`.

use capture::{Progress, Request, Summary};
use config::Config;

use super::MakeCommand;
use crate::products::Product;

/// Records nothing.
pub(super) struct Requests;

impl Requests {
    pub(super) const fn new(_: &Config) -> Self {
        Self
    }

    pub(super) fn start(&mut self, _: &Request, _: u64) -> Result<(Progress, MakeCommand), String> {
        Err(Product::Traces.missing())
    }

    pub(super) const fn stop(&mut self) -> Option<Summary> {
        None
    }

    pub(super) const fn take_ended(&mut self) -> Option<Summary> {
        None
    }
}
