//! No local API: what stands in for it in a build without the feature `local-api`.

use std::sync::Arc;

use config::Config;

use crate::agent::{Role, StartError};
use crate::source::Shared;

/// The API that would run.
#[derive(Debug)]
pub(crate) enum LocalApi {}

/// Starts nothing.
pub(crate) fn start(_: &Config, _: Role, _: &Arc<Shared>) -> Result<Option<LocalApi>, StartError> {
    Ok(None)
}
