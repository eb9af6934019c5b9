//! What became of everything that was handed to an encoder.

use crate::Payload;

/// Counts of one encoder since it was made or last asked with `take_stats`.
///
/// Once an encoder is finished, every item and every point is in exactly one place; see
/// [`EncodeStats::is_balanced`]. An item is a series, a sketch, an event, a check or a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeStats {
    /// Items handed in.
    pub items_in: u64,
    /// Items in payloads.
    pub items_out: u64,
    /// Items dropped because one alone breaks a limit.
    pub items_too_big: u64,
    /// Items dropped because no point was left after non-finite ones were dropped.
    pub items_empty: u64,
    /// Items dropped because their kind is disabled.
    pub items_disabled: u64,
    /// Points handed in.
    pub points_in: u64,
    /// Points in payloads.
    pub points_out: u64,
    /// Finite points of items that were too big.
    pub points_too_big: u64,
    /// Points dropped because they are NaN or infinite.
    pub points_not_finite: u64,
    /// Points of items whose kind is disabled.
    pub points_disabled: u64,
    /// Payloads made.
    pub payloads: u64,
    /// Bytes of all payloads before compression.
    pub bytes_in: u64,
    /// Bytes of all payloads after compression.
    pub bytes_out: u64,
}

impl EncodeStats {
    /// Whether nothing is unaccounted for: items and points handed in equal those in payloads plus
    /// those dropped by reason.
    #[must_use]
    pub const fn is_balanced(&self) -> bool {
        self.items_in
            == self.items_out + self.items_too_big + self.items_empty + self.items_disabled
            && self.points_in
                == self.points_out
                    + self.points_too_big
                    + self.points_not_finite
                    + self.points_disabled
    }

    /// Points dropped for any reason.
    #[must_use]
    pub const fn points_dropped(&self) -> u64 {
        self.points_too_big + self.points_not_finite + self.points_disabled
    }

    /// Adds the counts of another encoder.
    pub const fn merge(&mut self, other: &Self) {
        self.items_in += other.items_in;
        self.items_out += other.items_out;
        self.items_too_big += other.items_too_big;
        self.items_empty += other.items_empty;
        self.items_disabled += other.items_disabled;
        self.points_in += other.points_in;
        self.points_out += other.points_out;
        self.points_too_big += other.points_too_big;
        self.points_not_finite += other.points_not_finite;
        self.points_disabled += other.points_disabled;
        self.payloads += other.payloads;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }

    pub(crate) const fn arrived(&mut self, points: usize) {
        self.items_in += 1;
        self.points_in += points as u64;
    }

    pub(crate) const fn too_big(&mut self, points: u64) {
        self.items_too_big += 1;
        self.points_too_big += points;
    }

    pub(crate) const fn disabled(&mut self, points: usize) {
        self.arrived(points);
        self.items_disabled += 1;
        self.points_disabled += points as u64;
    }

    pub(crate) const fn made(&mut self, payload: &Payload) {
        self.payloads += 1;
        self.items_out += payload.items;
        self.points_out += payload.points;
        self.bytes_in += payload.uncompressed_bytes;
        self.bytes_out += payload.body.len() as u64;
    }
}
