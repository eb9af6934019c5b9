//! The hot path: packets in, parsed, resolved, recorded.

use std::sync::Arc;

use context::{LineKey, prefetch, prefetch_pointer};
use parse::{
    Line, Lines, Message, Metric, MetricKind, Options, Refused, Values, is_metric, parse_metric,
};
use signal::{CellValue, ContextId, Counter};

use super::Stamps;
use crate::pending::{Pending, RUN_LENGTH, Run};
use crate::record::{RecordOptions, empty_value, record};
use crate::{Packet, Shard, ShardSettings};

impl Shard {
    /// Parses, resolves and records the packets of a batch.
    pub fn on_packets<'a>(&mut self, packets: impl Iterator<Item = Packet<'a>>) {
        let mut run = Run::new();
        let mut peer: Option<&Arc<str>> = None;
        let mut salt = self.salt(None);
        for packet in packets {
            if packet.peer != peer {
                // The lines of a run share their sender, which only a miss needs.
                self.record_run(&mut run, peer);
                peer = packet.peer;
                salt = self.salt(peer);
            }
            let stamp_us = self.stamps.of(packet.stamp_us);
            let mut lines = Lines::new(packet.bytes, packet.is_eol_required);
            let mut messages = 0;
            for line in &mut lines {
                messages += 1;
                if !is_metric(line.bytes) {
                    self.take_message(line.bytes, peer);
                    continue;
                }
                match parse_metric(&line, self.options(), &mut self.packed) {
                    Ok(metric) => {
                        self.push(&mut run, line.bytes, &metric, salt, stamp_us);
                        if run.is_full() {
                            self.record_run(&mut run, peer);
                        }
                    }
                    Err(refused) => self.refuse(refused),
                }
            }
            self.tally.add(Counter::Messages, messages);
            if lines.is_unterminated() {
                self.tally.add(Counter::Messages, 1);
                self.tally.add(Counter::Unterminated, 1);
            }
        }
        self.record_run(&mut run, peer);
    }

    /// Takes an event or a service check.
    #[cold]
    fn take_message(&mut self, line: &[u8], peer: Option<&Arc<str>>) {
        match Message::parse(&Line::new(line), self.options(), &mut self.packed) {
            Ok(Message::Event(event)) => self.take_event(&event, peer),
            Ok(Message::ServiceCheck(check)) => self.take_check(&check, peer),
            Ok(Message::Metric(_)) => {}
            Err(refused) => self.refuse(refused),
        }
    }

    #[cold]
    const fn refuse(&mut self, refused: Refused) {
        self.tally.add(refusal_counter(refused), 1);
    }

    /// What the lines of one sender have in common, as part of their keys.
    fn salt(&self, peer: Option<&Arc<str>>) -> u128 {
        let peer = peer.map_or(0, |peer| self.contexts.keys().hash(peer.as_bytes()));
        peer.wrapping_mul(PEER_FACTOR)
            .wrapping_add(u128::from(self.epoch).wrapping_mul(EPOCH_FACTOR))
    }

    #[inline]
    pub(crate) const fn options(&self) -> Options {
        Options {
            has_timestamps: self.settings.has_timestamps,
            has_client_origin: self.settings.origin.is_client_used,
        }
    }

    /// Adds a parsed line to the run and starts loading its place in the index.
    #[inline]
    fn push<'a>(
        &mut self,
        run: &mut Run<'a>,
        line: &'a [u8],
        metric: &Metric<'a>,
        salt: u128,
        stamp_us: u32,
    ) {
        let fields = &metric.fields;
        let client = fields.client.map(|it| [it.local_data, it.external_data, it.cardinality]);
        let mut key = self.contexts.keys().line(metric.name, fields.tags, client, salt);
        if metric.kind == MetricKind::Distribution {
            key = LineKey(key.0.wrapping_add(DISTRIBUTION_SALT));
        }
        self.contexts.prefetch(key);
        let packed_end = u32::try_from(self.packed.len()).unwrap_or(u32::MAX);
        let packed_first = match metric.values {
            Values::Numbers { count } => packed_end - count,
            Values::Number(_) | Values::Member(_) => packed_end,
        };
        let pending = Pending {
            key,
            line,
            values: metric.values,
            packed_first,
            rate: metric.rate,
            timestamp_secs: metric.timestamp_secs,
            stamp_us,
            kind: metric.kind,
            is_copy: false,
        };
        let count = pending.count();
        run.push(pending);
        self.tally.add(Counter::MetricLines, 1);
        self.tally.add(Counter::Samples, u64::from(count));
        let is_histogram = matches!(metric.kind, MetricKind::Histogram | MetricKind::Timing);
        if self.settings.distribution_copy_prefix.is_some() && is_histogram {
            let key = LineKey(key.0.wrapping_add(COPY_SALT));
            self.contexts.prefetch(key);
            self.tally.add(Counter::CopiedToDistribution, u64::from(count));
            run.push(Pending { key, kind: MetricKind::Distribution, is_copy: true, ..pending });
        }
    }

    /// Finds the contexts of a run, then records it.
    fn record_run(&mut self, run: &mut Run<'_>, peer: Option<&Arc<str>>) {
        let mut ids = [None; RUN_LENGTH];
        for (line, id) in run.lines().iter().zip(&mut ids) {
            *id = self.contexts.find(line.key);
            if let Some(cell) = id.and_then(|id| self.open.cell(id)) {
                prefetch(cell);
            }
        }
        if self.contexts.alive() > CACHED_CONTEXTS {
            let known = || ids.iter().take(run.lines().len()).flatten();
            known().for_each(|id| self.prefetch_behind(*id));
            known().for_each(|id| self.prefetch_samples(*id));
        }
        let mut packed = std::mem::take(&mut self.packed);
        for (line, id) in run.lines().iter().zip(ids) {
            self.record_line(line, id, line.numbers(&packed), peer);
        }
        packed.clear();
        self.packed = packed;
        run.clear();
    }

    /// Starts loading what recording needs besides the cell: the state of its type, or, at the
    /// first sample in this bucket, the context.
    #[inline]
    fn prefetch_behind(&self, id: ContextId) {
        let Some(cell) = self.open.cell(id) else { return };
        match &cell.value {
            CellValue::Empty => self.contexts.prefetch_slot(id),
            CellValue::Gauge { .. } | CellValue::Counter { .. } => {}
            CellValue::Set(members) => prefetch(&**members),
            CellValue::Histogram(histogram) => prefetch(&**histogram),
            CellValue::Distribution(sketch) => prefetch(&**sketch),
        }
    }

    /// Starts loading where that state will take the sample.
    #[inline]
    fn prefetch_samples(&self, id: ContextId) {
        match self.open.cell(id).map(|cell| &cell.value) {
            Some(CellValue::Histogram(histogram)) => {
                let samples = &histogram.samples;
                prefetch_pointer(samples.as_ptr().wrapping_add(samples.len()));
            }
            Some(CellValue::Distribution(sketch)) => prefetch_pointer(sketch.bins().as_ptr()),
            _ => {}
        }
    }

    #[inline]
    fn record_line(
        &mut self,
        line: &Pending<'_>,
        id: Option<ContextId>,
        numbers: &[f64],
        peer: Option<&Arc<str>>,
    ) {
        let cell = id.and_then(|id| self.open.cell(id));
        let is_open = cell.is_some_and(|cell| !matches!(cell.value, CellValue::Empty));
        let id = match id {
            Some(id) if is_open && line.timestamp_secs == 0 => id,
            _ => match self.open_cell(line, id, numbers, peer) {
                Some(id) => id,
                None => return,
            },
        };
        let options = self.settings.record_options();
        record(self.open.cell_mut(id), line, numbers, options, &mut self.tally);
    }

    /// The context of a line whose cell is empty or not known: the first line of a context in this
    /// bucket, or a line not seen before. `None` when nothing is left to record: it was refused, or
    /// it had a timestamp and was taken.
    #[cold]
    fn open_cell(
        &mut self,
        line: &Pending<'_>,
        id: Option<ContextId>,
        numbers: &[f64],
        peer: Option<&Arc<str>>,
    ) -> Option<ContextId> {
        let (id, context) = self.context_of(line, id, peer)?;
        if line.timestamp_secs != 0 {
            self.take_timed(line, &context, numbers);
            return None;
        }
        let cell = self.open.cell_mut(id);
        if matches!(cell.value, CellValue::Empty) {
            let is_number = line.kind != MetricKind::Set;
            if is_number && !numbers.iter().any(|number| number.is_finite()) {
                self.tally.add(Counter::DroppedNotFinite, u64::from(line.count()));
                return None;
            }
            cell.context = Some(context);
            cell.value = empty_value(line.kind);
        }
        Some(id)
    }
}

impl Stamps {
    #[inline]
    fn of(self, unix_us: u64) -> u32 {
        u32::try_from(unix_us.saturating_sub(self.bucket_start_us)).unwrap_or(u32::MAX)
    }
}

impl ShardSettings {
    #[inline]
    const fn record_options(&self) -> RecordOptions {
        RecordOptions { rate_min: self.rate_min, cell_samples_max: self.cell_samples_max }
    }
}

const fn refusal_counter(refused: Refused) -> Counter {
    match refused {
        Refused::Format => Counter::RefusedFormat,
        Refused::NameOrValue => Counter::RefusedNameOrValue,
        Refused::Type => Counter::RefusedType,
        Refused::Value => Counter::RefusedValue,
        Refused::Rate => Counter::RefusedRate,
        Refused::Timestamp => Counter::RefusedTimestamp,
        Refused::Event => Counter::RefusedEvent,
        Refused::Check => Counter::RefusedCheck,
    }
}

/// With more contexts than this what cells lead to is seldom in a cache.
const CACHED_CONTEXTS: usize = 20_000;

// Odd constants without structure (fractional digits of e): they keep the roles apart.
const PEER_FACTOR: u128 = 0xb7e1_5162_8aed_2a6a_bf71_5880_9cf4_f3c7;
const EPOCH_FACTOR: u128 = 0x62e7_160f_38b4_da56_a784_d904_5190_cfef;
const DISTRIBUTION_SALT: u128 = 0x324e_7738_926c_fbe5_f4bf_8d8d_8c31_d763;
const COPY_SALT: u128 = 0xda06_c80a_bb11_85eb_4f7c_7b57_57f5_9585;
