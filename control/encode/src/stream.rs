//! Items that were encoded one by one, packed into payloads and handed out.

use crate::compress::Compressor;
use crate::packer::{Packer, Refused};
use crate::{EncodeStats, Limits, Payload, PayloadKind, Settings};

/// Where finished payloads go.
pub(crate) type Out<'a> = &'a mut dyn FnMut(Payload);

/// What surrounds the items of one body, and how many it may hold.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: PayloadKind,
    pub(crate) limits: Limits,
    pub(crate) header: &'static [u8],
    pub(crate) footer: Vec<u8>,
    pub(crate) items_max: u64,
    pub(crate) points_max: u64,
}

impl Frame {
    /// Only the generic size limits, nothing around the items.
    pub(crate) const fn new(kind: PayloadKind, settings: &Settings) -> Self {
        Self {
            kind,
            limits: settings.limits,
            header: b"",
            footer: Vec::new(),
            items_max: u64::MAX,
            points_max: u64::MAX,
        }
    }
}

/// A sequence of payloads of one kind.
#[derive(Debug)]
pub(crate) struct ItemStream {
    kind: PayloadKind,
    packer: Packer,
    items_max: u64,
    points_max: u64,
    pub(crate) stats: EncodeStats,
}

impl ItemStream {
    pub(crate) fn new(frame: Frame, settings: &Settings) -> Self {
        let compressor = Compressor::new(settings, frame.limits.compressed_bytes_max);
        Self {
            kind: frame.kind,
            packer: Packer::new(compressor, frame.limits, frame.header, frame.footer),
            items_max: frame.items_max,
            points_max: frame.points_max,
            stats: EncodeStats::default(),
        }
    }

    /// Adds an item behind `first` when it begins a payload and behind `next` otherwise. An item
    /// over the limits is dropped and counted; false then.
    pub(crate) fn add(
        &mut self,
        first: &[u8],
        next: &[u8],
        item: &[u8],
        points: u64,
        out: Out<'_>,
    ) -> bool {
        if points > self.points_max {
            self.stats.too_big(points);
            return false;
        }
        if self.packer.items() >= self.items_max || self.packer.points() + points > self.points_max
        {
            self.finish(out);
        }
        let mut result = self.add_to_body(first, next, item, points);
        // A shorter prefix may make the difference for an item that is close to the limit.
        let may_fit_alone = result == Err(Refused::Full) || next.len() > first.len();
        if result.is_err() && may_fit_alone && !self.is_empty() {
            self.finish(out);
            result = self.add_to_body(first, next, item, points);
        }
        if result.is_err() {
            self.stats.too_big(points);
        }
        result.is_ok()
    }

    /// Hands out what was added since the last payload.
    pub(crate) fn finish(&mut self, out: Out<'_>) {
        match self.packer.finish() {
            Some(Ok(packed)) => {
                let payload = Payload {
                    kind: self.kind,
                    encoding: self.packer.encoding(),
                    body: packed.body,
                    uncompressed_bytes: packed.uncompressed_bytes as u64,
                    items: packed.items,
                    points: packed.points,
                };
                self.stats.made(&payload);
                out(payload);
            }
            Some(Err(lost)) => {
                self.stats.items_too_big += lost.items;
                self.stats.points_too_big += lost.points;
            }
            None => {}
        }
    }

    /// Whether the next item begins a payload.
    pub(crate) const fn is_empty(&self) -> bool {
        self.packer.items() == 0
    }

    fn add_to_body(
        &mut self,
        first: &[u8],
        next: &[u8],
        item: &[u8],
        points: u64,
    ) -> Result<(), Refused> {
        let prefix = if self.is_empty() { first } else { next };
        self.packer.add(prefix, item, points)
    }
}
