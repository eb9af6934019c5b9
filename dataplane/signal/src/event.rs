//! Events and service checks, ready for the intake. spec: dogstatsd §11.

use std::sync::Arc;

/// How urgent an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// `normal`, the default.
    #[default]
    Normal,
    /// `low`.
    Low,
}

impl Priority {
    /// Name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// Kind of alert an event stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlertType {
    /// `info`, the default.
    #[default]
    Info,
    /// `error`.
    Error,
    /// `warning`.
    Warning,
    /// `success`.
    Success,
}

impl AlertType {
    /// Name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Success => "success",
        }
    }
}

/// One event. Strings are valid UTF-8; an empty string means "not given".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Title, newlines unescaped.
    pub title: String,
    /// Text, newlines unescaped; may be empty.
    pub text: String,
    /// Unix seconds; the receive time when the client gave none.
    pub timestamp_secs: i64,
    /// Priority.
    pub priority: Priority,
    /// Host name.
    pub host: Arc<str>,
    /// Tags, sorted, without duplicates.
    pub tags: Vec<Arc<str>>,
    /// Alert type.
    pub alert_type: AlertType,
    /// Key under which events are grouped.
    pub aggregation_key: String,
    /// Source type name.
    pub source_type_name: String,
}

/// Status of a service check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum CheckStatus {
    /// 0
    #[default]
    Ok = 0,
    /// 1
    Warning = 1,
    /// 2
    Critical = 2,
    /// 3
    Unknown = 3,
}

/// One service check run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCheck {
    /// Name of the check.
    pub name: String,
    /// Its result.
    pub status: CheckStatus,
    /// Unix seconds; the receive time when the client gave none.
    pub timestamp_secs: i64,
    /// Host name.
    pub host: Arc<str>,
    /// Message as the client sent it; may be empty.
    pub message: String,
    /// Tags, sorted, without duplicates.
    pub tags: Vec<Arc<str>>,
}
