//! The state of a probe.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::StackFrame;

/// A change in the state of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnostics<'a> {
    /// The probe.
    pub probe_id: Cow<'a, str>,
    /// The process.
    pub runtime_id: Cow<'a, str>,
    /// The process that it was forked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<Cow<'a, str>>,
    /// Version of the probe.
    pub probe_version: u64,
    /// Its state.
    pub status: DiagnosticsStatus,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<DiagnosticsException<'a>>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Cow<'a, str>>,
}

/// State of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DiagnosticsStatus {
    /// Its definition is here.
    Received,
    /// The code is instrumented.
    Installed,
    /// It was hit.
    Emitting,
    /// The code cannot be instrumented.
    Error,
    /// The code must not be instrumented.
    Blocked,
    /// It works, but not as wished.
    Warning,
}

/// What went wrong with a probe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticsException<'a> {
    /// Type of the exception.
    #[serde(rename = "type")]
    pub type_name: Cow<'a, str>,
    /// What it says.
    pub message: Cow<'a, str>,
    /// Where it was thrown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacktrace: Vec<StackFrame<'a>>,
}

impl Diagnostics<'_> {
    /// What people read. Errors and warnings end with the message of the exception, or else with
    /// the details.
    #[must_use]
    pub fn message(&self) -> String {
        let id = &self.probe_id;
        let exception = self.exception.as_ref().map(|exception| &exception.message);
        let why = exception.or(self.details.as_ref()).map_or("", Cow::as_ref);
        match self.status {
            DiagnosticsStatus::Received => format!("Received definition for probe {id}"),
            DiagnosticsStatus::Installed | DiagnosticsStatus::Emitting => {
                format!("Instrumented probe {id}")
            }
            DiagnosticsStatus::Blocked => format!("Instrumentation denied for probe {id}"),
            DiagnosticsStatus::Error => {
                format!("Encountered error while instrumenting probe {id}: {why}")
            }
            DiagnosticsStatus::Warning => format!("Probe {id} warning: {why}"),
        }
    }
}
