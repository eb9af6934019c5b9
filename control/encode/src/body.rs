//! A body that others have encoded, compressed as it comes.

use crate::compress::Compressor;
use crate::{Payload, PayloadKind, Settings};

/// Largest body after compression; what the receivers let in is far below it.
const BODY_BYTES_MAX: usize = 64 << 20;

/// A body under way. Nothing comes of it when there is no memory for it.
pub(crate) struct BodyStream {
    compressor: Compressor,
    bytes: u64,
}

impl BodyStream {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { compressor: Compressor::new(settings, BODY_BYTES_MAX), bytes: 0 }
    }

    pub(crate) fn write(&mut self, part: &[u8]) -> Option<()> {
        self.bytes += part.len() as u64;
        self.compressor.write(part).ok()
    }

    pub(crate) fn finish(mut self, kind: PayloadKind, items: u64) -> Option<Payload> {
        Some(Payload {
            kind,
            encoding: self.compressor.encoding(),
            body: self.compressor.finish().ok()?,
            uncompressed_bytes: self.bytes,
            items,
            points: 0,
        })
    }
}
