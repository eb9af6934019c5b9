//! What the agent itself reads. spec: remote-config §7
//!
//! Each product is a pure function from its configurations to what they mean; the agent applies
//! that.

pub mod agent_config;
pub mod agent_task;
pub mod apm_sampling;

use bytes::Bytes;

/// One configuration of a product, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// `datadog/<org>/<product>/<id>/<name>`.
    pub path: String,
    /// The id in the path.
    pub id: String,
    /// Version of the file.
    pub version: u64,
    /// The content.
    pub content: Bytes,
}

/// What became of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ApplyState {
    /// Nothing is known.
    #[default]
    Unknown,
    /// It has arrived, and is being applied.
    Unacknowledged,
    /// It is in effect.
    Acknowledged,
    /// It is not, for this reason.
    Error(String),
}

impl ApplyState {
    /// The number on the wire.
    #[must_use]
    pub const fn code(&self) -> u64 {
        match self {
            Self::Unknown => 0,
            Self::Unacknowledged => 1,
            Self::Acknowledged => 2,
            Self::Error(_) => 3,
        }
    }

    /// The reason of an error, else nothing.
    #[must_use]
    pub fn error(&self) -> &str {
        match self {
            Self::Error(reason) => reason,
            Self::Unknown | Self::Unacknowledged | Self::Acknowledged => "",
        }
    }
}
