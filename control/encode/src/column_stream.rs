//! Series and distributions in columns, split into payloads. spec: metrics-intake §6.
//!
//! A columnar body cannot be compressed before its last row is known, so its final size is a guess
//! until then. A payload takes rows while the limits hold for certain (worst case of the codec) or
//! by the ratio that the last large payload reached, with a margin. A payload that is too big all
//! the same is split in two halves of its rows, and those again: limits always hold, and only a row
//! that is too big by itself is lost, and counted.

use bytes::Bytes;
use signal::{Series, SketchSeries};

use crate::columns::Columns;
use crate::compress::{Compressor, Overflow};
use crate::stream::Out;
use crate::wire::{field_len, put_len};
use crate::{EncodeStats, Limits, Payload, PayloadKind, Settings};

/// Field of the payload that holds the columns.
const METRIC_DATA: u32 = 3;
/// Key and length of the 26 columns and of the message around them.
const FRAMING_BYTES_MAX: usize = 27 * (2 + 10);
/// Payloads below this size say nothing about the ratio of large ones.
const RATIO_SAMPLE_BYTES: usize = 64 * 1024;
/// What a ratio is worse by in the next payload than it was in the last, at most, mostly.
const RATIO_MARGIN_PERMILLE: usize = 1150;

/// A sequence of payloads of one kind, one of them in the making.
#[derive(Debug)]
pub(crate) struct ColumnStream {
    kind: PayloadKind,
    limits: Limits,
    points_max: u64,
    seed: u64,
    columns: Columns,
    compressor: Compressor,
    head: Vec<u8>,
    /// Most bytes of the columns: exact when computed last, plus the bounds of the rows since.
    bytes_max: usize,
    /// Expected compressed bytes per 1000 bytes.
    ratio_permille: usize,
    pub(crate) stats: EncodeStats,
}

impl ColumnStream {
    pub(crate) fn series(settings: &Settings, seed: u64) -> Self {
        let kind = PayloadKind::SeriesV3;
        Self::new(kind, settings, settings.series_limits, settings.series_points_max, seed)
    }

    pub(crate) fn sketches(settings: &Settings, seed: u64) -> Self {
        Self::new(PayloadKind::SketchesV3, settings, settings.limits, u64::MAX, seed)
    }

    fn new(
        kind: PayloadKind,
        settings: &Settings,
        limits: Limits,
        points_max: u64,
        seed: u64,
    ) -> Self {
        Self {
            kind,
            limits,
            points_max,
            seed,
            columns: Columns::new(seed),
            compressor: Compressor::new(settings, limits.compressed_bytes_max),
            head: Vec::new(),
            bytes_max: FRAMING_BYTES_MAX,
            ratio_permille: 1000,
            stats: EncodeStats::default(),
        }
    }

    /// Adds a series of which `points` points are finite.
    pub(crate) fn add_series(&mut self, series: &Series<'_>, points: u64, out: Out<'_>) {
        if points > self.points_max {
            self.stats.too_big(points);
            return;
        }
        let mut bytes_max = self.columns.series_bytes_max(series);
        if !self.has_room(bytes_max, points) {
            self.finish(out);
            bytes_max = self.columns.series_bytes_max(series);
        }
        self.bytes_max += bytes_max;
        self.columns.push_series(series, points);
    }

    /// Adds a distribution of which `points` points are finite.
    pub(crate) fn add_sketch(&mut self, series: &SketchSeries<'_>, points: u64, out: Out<'_>) {
        let mut bytes_max = self.columns.sketch_bytes_max(series);
        if !self.has_room(bytes_max, points) {
            self.finish(out);
            bytes_max = self.columns.sketch_bytes_max(series);
        }
        self.bytes_max += bytes_max;
        self.columns.push_sketch(series, points);
    }

    /// Hands out what was added since the last payload.
    pub(crate) fn finish(&mut self, out: Out<'_>) {
        if self.columns.rows() == 0 {
            return;
        }
        let mut columns = std::mem::take(&mut self.columns);
        self.emit(&columns, out);
        columns.clear();
        self.columns = columns;
        self.bytes_max = FRAMING_BYTES_MAX;
    }

    /// Whether a row fits. An empty payload takes any row: whether it fits alone shows at the end.
    fn has_room(&mut self, row_bytes_max: usize, points: u64) -> bool {
        if self.columns.rows() == 0 {
            return true;
        }
        if self.columns.points() + points > self.points_max {
            return false;
        }
        if self.is_within(self.bytes_max.saturating_add(row_bytes_max)) {
            return true;
        }
        self.bytes_max = FRAMING_BYTES_MAX + self.columns.message_bytes();
        self.is_within(self.bytes_max.saturating_add(row_bytes_max))
    }

    fn is_within(&self, bytes: usize) -> bool {
        let compressed_max = self.limits.compressed_bytes_max;
        bytes <= self.limits.uncompressed_bytes_max
            && (self.compressor.bound(bytes) <= compressed_max
                || bytes.saturating_mul(self.ratio_permille) / 1000 <= compressed_max)
    }

    /// Hands out `columns` in one payload, or in as many as it takes.
    fn emit(&mut self, columns: &Columns, out: Out<'_>) {
        let message_bytes = columns.message_bytes();
        let bytes = field_len(METRIC_DATA, message_bytes);
        match self.compress(columns, message_bytes, bytes) {
            Ok(body) => {
                if bytes >= RATIO_SAMPLE_BYTES {
                    let permille = body.len().saturating_mul(RATIO_MARGIN_PERMILLE) / bytes;
                    self.ratio_permille = permille.clamp(1, 1000);
                }
                let payload = Payload {
                    kind: self.kind,
                    encoding: self.compressor.encoding(),
                    body,
                    uncompressed_bytes: bytes as u64,
                    items: columns.rows(),
                    points: columns.points(),
                };
                self.stats.made(&payload);
                out(payload);
            }
            Err(Overflow) if columns.rows() > 1 => {
                self.ratio_permille = (self.ratio_permille * 2).min(1000);
                let (first, second) = columns.split(columns.rows() / 2, self.seed);
                self.emit(&first, out);
                drop(first);
                self.emit(&second, out);
            }
            Err(Overflow) => self.stats.too_big(columns.points()),
        }
    }

    fn compress(
        &mut self,
        columns: &Columns,
        message_bytes: usize,
        bytes: usize,
    ) -> Result<Bytes, Overflow> {
        if bytes > self.limits.uncompressed_bytes_max {
            return Err(Overflow);
        }
        let written = self.write(columns, message_bytes);
        if written.is_err() {
            self.compressor.reset();
            return Err(Overflow);
        }
        self.compressor.finish()
    }

    fn write(&mut self, columns: &Columns, message_bytes: usize) -> Result<(), Overflow> {
        self.head.clear();
        put_len(&mut self.head, METRIC_DATA, message_bytes);
        for (field, column) in columns.parts() {
            if !column.is_empty() {
                put_len(&mut self.head, field, column.len());
                self.compressor.write(&self.head)?;
                self.compressor.write(column)?;
                self.head.clear();
            }
        }
        Ok(())
    }
}
