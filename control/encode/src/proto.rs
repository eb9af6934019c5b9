//! Pieces that the row-wise protobuf forms share.

use signal::Provenance;

use crate::wire::{put_len, put_some_varint, put_varint, some_varint_len};

const METADATA_ORIGIN: u32 = 1;
/// Reserved number that the Go agent writes for series that are not to be indexed.
const ORIGIN_METRIC_TYPE: u32 = 3;
const ORIGIN_PRODUCT: u32 = 4;
const ORIGIN_CATEGORY: u32 = 5;
const ORIGIN_SERVICE: u32 = 6;
const NO_INDEX: u64 = 9;

/// Appends a `Metadata{Origin}` message as `field`. spec: metrics-intake §3, §5.
pub(crate) fn put_metadata(out: &mut Vec<u8>, field: u32, origin: Provenance, is_no_index: bool) {
    let fields = [
        (ORIGIN_METRIC_TYPE, if is_no_index { NO_INDEX } else { 0 }),
        (ORIGIN_PRODUCT, u64::from(origin.product)),
        (ORIGIN_CATEGORY, u64::from(origin.category)),
        (ORIGIN_SERVICE, u64::from(origin.service)),
    ];
    let len: usize = fields.iter().map(|&(number, value)| some_varint_len(number, value)).sum();
    // At most four fields of six bytes: both lengths take one byte.
    put_len(out, field, 2 + len);
    put_len(out, METADATA_ORIGIN, len);
    for (number, value) in fields {
        put_some_varint(out, number, value);
    }
}

/// A prefix for an item of `len` bytes: key and length of repeated message `1`.
#[derive(Debug)]
pub(crate) struct ItemPrefix {
    bytes: Vec<u8>,
}

impl ItemPrefix {
    pub(crate) const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// The prefix; the buffer is reused.
    pub(crate) fn of(&mut self, len: usize) -> &[u8] {
        self.bytes.clear();
        self.bytes.push(0x0a);
        put_varint(&mut self.bytes, len as u64);
        &self.bytes
    }
}
