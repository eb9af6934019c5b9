//! Services of spans and of their peers. spec: apm-obfuscation §9.2.

use super::{Flaw, Normalized, cut_bytes, tag_value};
use crate::Change;

/// Longest service; the rest is cut off.
pub const SERVICE_BYTES_MAX: usize = 100;
/// Service of a span that names none, in no known language.
pub const UNNAMED_SERVICE: &str = "unnamed-service";

/// Normalises the service of a span. A span without a usable one gets `unnamed-<language>-service`,
/// with the tracer's language as its header spells it, or [`UNNAMED_SERVICE`].
#[inline]
pub fn service(value: &[u8], language: &str, out: &mut String) -> Normalized {
    let start = out.len();
    let result = peer_service(value, out);
    let is_missing = match result.change {
        Change::Unchanged => value.is_empty(),
        Change::Written => out.len() == start,
    };
    if !is_missing {
        return result;
    }
    push_fallback(language, out);
    let flaw = if value.is_empty() { Flaw::Empty } else { Flaw::Invalid };
    Normalized { change: Change::Written, flaw: Some(flaw) }
}

/// Normalises the service of a peer or the base service. Without a usable one it is empty.
#[inline]
pub fn peer_service(value: &[u8], out: &mut String) -> Normalized {
    if value.len() > SERVICE_BYTES_MAX {
        return long_service(value, out);
    }
    let start = out.len();
    let change = tag_value(value, out);
    let is_invalid = change.is_written() && out.len() == start;
    Normalized { change, flaw: is_invalid.then_some(Flaw::Invalid) }
}

#[cold]
fn long_service(value: &[u8], out: &mut String) -> Normalized {
    let start = out.len();
    let cut = cut_bytes(value, SERVICE_BYTES_MAX);
    if tag_value(cut, out) == Change::Unchanged {
        // Unchanged means that it is UTF-8.
        out.push_str(str::from_utf8(cut).unwrap_or_default());
    }
    let flaw = if out.len() == start { Flaw::Invalid } else { Flaw::TooLong };
    Normalized { change: Change::Written, flaw: Some(flaw) }
}

#[cold]
fn push_fallback(language: &str, out: &mut String) {
    if language.is_empty() {
        out.push_str(UNNAMED_SERVICE);
        return;
    }
    out.push_str("unnamed-");
    out.push_str(language);
    out.push_str("-service");
}
