//! Payloads in every version of the protocol. spec: apm §5.

mod v04;
mod v05;
mod v10;

use super::TraceVersion;
use super::msgpack::Writer;
use super::shop::{Dialect, Trace};

/// What a payload says about the process that sends it.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) dialect: Dialect,
    pub(super) runtime_id: String,
    pub(super) container_id: String,
}

/// The body of one payload.
pub(super) fn body(version: TraceVersion, sender: &Sender, traces: &[Trace]) -> Vec<u8> {
    let mut out = Writer::new(sender.dialect.is_wide);
    match version {
        TraceVersion::V04 => v04::payload(&mut out, sender, traces),
        TraceVersion::V05 => v05::payload(&mut out, traces),
        TraceVersion::V07 => v04::tracer_payload(&mut out, sender, traces),
        TraceVersion::V10 => return v10::payload(sender, traces),
    }
    out.bytes
}

/// The lower half of a trace id, which is all that a span has in versions before v1.0.
const fn lower_bits(id: u128) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is sent as a tag")]
    let lower = id as u64;
    lower
}
