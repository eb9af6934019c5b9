//! Names, services and tags as the intake takes them. spec: apm-obfuscation §9, apm §6.1, §6.5.
//!
//! Values are bytes, since a tracer may send anything; results are always UTF-8, and so is a value
//! that comes back unchanged.

mod alphabet;
mod letters;
mod name;
mod service;
mod tag;
mod truncate;

use crate::Change;

pub use name::{NAME_BYTES_MAX, UNNAMED_OPERATION, name};
pub use service::{SERVICE_BYTES_MAX, UNNAMED_SERVICE, peer_service, service};
pub use tag::{TAG_CHARS_MAX, tag, tag_value};
pub use truncate::{cut_bytes, cut_str, cut_with_ellipsis, is_exempt_from_cut};

/// What was wrong with a name or a service; each is a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// There was none.
    Empty,
    /// It was cut.
    TooLong,
    /// Nothing of it could be kept.
    Invalid,
}

/// Result of normalising a name or a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Normalized {
    /// Whether the output holds another value.
    pub change: Change,
    /// What is to be counted. Replaced characters alone are no flaw.
    pub flaw: Option<Flaw>,
}
