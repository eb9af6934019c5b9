//! The kinds of payloads, and the paths they go to.

use std::fmt;

/// Kind of a debugger payload. The numbers are part of the C interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum DebuggerType {
    /// State of a probe: received, installed, emitting, failed.
    Diagnostics = 0,
    /// A snapshot with captured values.
    Snapshots = 1,
    /// A snapshot without captures: the line of a log probe.
    Logs = 2,
}

/// What an endpoint is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// [`DebuggerType::Diagnostics`].
    Diagnostics,
    /// [`DebuggerType::Snapshots`].
    Snapshots,
    /// [`DebuggerType::Logs`].
    Logs,
    /// Symbol databases.
    SymDb,
}

impl Track {
    /// Path at the intake. It is the same for all: the intake tells them apart by their content.
    #[must_use]
    pub const fn direct_path(self) -> &'static str {
        "/api/v2/debugger"
    }

    /// Route of an agent.
    #[must_use]
    pub const fn agent_path(self) -> &'static str {
        match self {
            Self::Diagnostics => "/debugger/v1/diagnostics",
            Self::Snapshots | Self::Logs => AGENT_V2_PATH,
            Self::SymDb => "/symdb/v1/input",
        }
    }

    /// `DD-EVP-ORIGIN` of a request straight to the intake; an agent sets its own.
    pub(crate) const fn origin(self) -> &'static str {
        match self {
            Self::Diagnostics | Self::Snapshots | Self::Logs => "agent-debugger",
            Self::SymDb => "agent-symdb",
        }
    }

    /// How errors name it.
    pub(crate) const fn kind(self) -> &'static str {
        match self {
            Self::Diagnostics | Self::Snapshots | Self::Logs => "debugger",
            Self::SymDb => "symdb",
        }
    }
}

/// The route that old agents lack.
pub(crate) const AGENT_V2_PATH: &str = "/debugger/v2/input";

impl From<DebuggerType> for Track {
    fn from(kind: DebuggerType) -> Self {
        match kind {
            DebuggerType::Diagnostics => Self::Diagnostics,
            DebuggerType::Snapshots => Self::Snapshots,
            DebuggerType::Logs => Self::Logs,
        }
    }
}

impl fmt::Display for DebuggerType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Diagnostics => "diagnostics",
            Self::Snapshots => "snapshots",
            Self::Logs => "logs",
        })
    }
}
