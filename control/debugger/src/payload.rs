//! The JSON of payloads, for those who build them. spec: proxies §5.6.
//!
//! Text is borrowed where it can be. Empty collections and false flags are left out. One
//! [`DebuggerPayload`] is one element of the array that is sent.

mod capture;
mod diagnostics;
mod snapshot;

use std::borrow::Cow;

use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Serialize};

pub use capture::{Capture, Captures, StackFrame, Throwable, Value};
pub use diagnostics::{Diagnostics, DiagnosticsException, DiagnosticsStatus};
pub use snapshot::{EvaluationError, Probe, ProbeLocation, Snapshot};

use crate::track::DebuggerType;

/// What `ddsource` is.
pub const SOURCE: &str = "dd_debugger";

/// One payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DebuggerPayload<'a> {
    /// Service of the process.
    pub service: Cow<'a, str>,
    /// [`SOURCE`].
    pub ddsource: Cow<'a, str>,
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    /// What happened.
    pub debugger: DebuggerData<'a>,
    /// The line of a log probe, or what a status means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Cow<'a, str>>,
    /// Tags of the process, joined by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_tags: Option<Cow<'a, str>>,
}

/// A snapshot or the state of a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DebuggerData<'a> {
    /// A probe was hit, or an exception was caught.
    Snapshot(Box<Snapshot<'a>>),
    /// The state of a probe changed.
    Diagnostics(Diagnostics<'a>),
}

impl<'a> DebuggerPayload<'a> {
    /// A snapshot.
    #[must_use]
    pub fn snapshot(service: impl Into<Cow<'a, str>>, snapshot: Snapshot<'a>) -> Self {
        let timestamp = snapshot.timestamp;
        Self::new(service.into(), timestamp, DebuggerData::Snapshot(Box::new(snapshot)))
    }

    /// The state of a probe, with the usual message about it.
    #[must_use]
    pub fn diagnostics(
        service: impl Into<Cow<'a, str>>,
        timestamp: u64,
        diagnostics: Diagnostics<'a>,
    ) -> Self {
        let message = Some(Cow::Owned(diagnostics.message()));
        let data = DebuggerData::Diagnostics(diagnostics);
        Self { message, ..Self::new(service.into(), timestamp, data) }
    }

    /// Snapshots have captures, logs are snapshots without; everything else is diagnostics.
    #[must_use]
    pub fn debugger_type(&self) -> DebuggerType {
        match &self.debugger {
            DebuggerData::Snapshot(snapshot) if snapshot.captures.is_some() => {
                DebuggerType::Snapshots
            }
            DebuggerData::Snapshot(_) => DebuggerType::Logs,
            DebuggerData::Diagnostics(_) => DebuggerType::Diagnostics,
        }
    }

    const fn new(service: Cow<'a, str>, timestamp: u64, debugger: DebuggerData<'a>) -> Self {
        let ddsource = Cow::Borrowed(SOURCE);
        Self { service, ddsource, timestamp, debugger, message: None, process_tags: None }
    }
}

/// The kind of one payload that is JSON already. Fields that are not known here may be in it.
///
/// # Errors
/// If it is no JSON object with a snapshot or diagnostics under `debugger`.
pub fn debugger_type_of_json(json: &[u8]) -> Result<DebuggerType, serde_json::Error> {
    #[derive(Deserialize)]
    struct Outer {
        debugger: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        snapshot: Option<Head>,
        diagnostics: Option<IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct Head {
        captures: Option<IgnoredAny>,
    }
    let inner = serde_json::from_slice::<Outer>(json)?.debugger;
    match (inner.snapshot, inner.diagnostics) {
        (Some(Head { captures: Some(_) }), _) => Ok(DebuggerType::Snapshots),
        (Some(Head { captures: None }), _) => Ok(DebuggerType::Logs),
        (None, Some(_)) => Ok(DebuggerType::Diagnostics),
        (None, None) => Err(serde_json::Error::custom("neither snapshot nor diagnostics")),
    }
}

/// For `skip_serializing_if`, which hands over a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[cfg(test)]
mod tests;
