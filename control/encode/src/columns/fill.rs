//! Appends series and distributions to the columns.

use signal::{Context, Provenance, Series, SketchSeries};

use super::values::{ValueKind, as_single, as_whole};
use super::{Columns, HAS_UNIT, NO_INDEX, Row};
use crate::finite::is_finite_sketch;
use crate::resources::{Role, device, role};
use crate::wire::{put_varint, zigzag};

/// Type of a distribution; series have theirs in `SeriesKind`.
const SKETCH: u64 = 4;
/// Longest varint of a reference, a length or a count below 2^32.
const REF_BYTES_MAX: usize = 5;
/// Longest varint.
const VARINT_BYTES_MAX: usize = 10;
/// One entry in each column that has one per metric, a new origin, and a new resource set with a
/// host and the words `host` and `device`.
const ROW_BYTES_MAX: usize = 160;

impl Columns {
    /// Appends a series of which `points` points are finite.
    pub(crate) fn push_series(&mut self, series: &Series<'_>, points: u64) {
        let values =
            || series.points.iter().map(|point| point.value).filter(|value| value.is_finite());
        let value_kind = ValueKind::of(values());
        let mut kind = series.kind as u64 | value_kind as u64;
        if series.is_no_index {
            kind |= NO_INDEX;
        }
        if !series.unit.is_empty() {
            kind |= HAS_UNIT;
        }
        let row = Row {
            kind,
            name: self.intern_name(&series.context.name, series.suffix),
            tagset: self.tagset_of_series(series.context),
            resources: self.resources_of_series(series.context),
            interval_secs: u64::from(series.interval_secs),
            source_type: self.source_types.intern(series.source_type_name.as_bytes()),
            origin: self.intern_origin(series.context.provenance),
            unit: self.units.intern(series.unit.as_bytes()),
            points,
        };
        self.put_row(&row);
        for point in series.points.iter().filter(|point| point.value.is_finite()) {
            self.timestamps.put(point.timestamp_secs);
        }
        for value in values() {
            self.put_value(value_kind, value);
        }
    }

    /// Appends a distribution of which `points` points are finite. Its resource tags stay tags.
    pub(crate) fn push_sketch(&mut self, series: &SketchSeries<'_>, points: u64) {
        let finite = || {
            series
                .points
                .iter()
                .filter(|point| is_finite_sketch(point.sketch))
                .map(|point| (point.timestamp_secs, point.sketch))
        };
        let value_kind = ValueKind::of(
            finite().flat_map(|(_, sketch)| [sketch.sum(), sketch.min(), sketch.max()]),
        );
        let row = Row {
            kind: SKETCH | value_kind as u64,
            name: self.intern_name(&series.context.name, ""),
            tagset: self.tagset(series.context, |_| true),
            resources: self.host_only(&series.context.host),
            interval_secs: 0,
            source_type: 0,
            origin: self.intern_origin(series.context.provenance),
            unit: 0,
            points,
        };
        self.put_row(&row);
        for (timestamp, sketch) in finite() {
            self.timestamps.put(timestamp);
            for value in [sketch.sum(), sketch.min(), sketch.max()] {
                self.put_value(value_kind, value);
            }
            put_varint(&mut self.sint64, zigzag(sketch.count()));
            put_varint(&mut self.bin_counts, sketch.bins().len() as u64);
            let mut last = 0;
            for bin in sketch.bins().iter() {
                put_varint(&mut self.bin_keys, zigzag(i64::from(bin.key) - last));
                put_varint(&mut self.bin_samples, u64::from(bin.count));
                last = i64::from(bin.key);
            }
        }
    }

    /// Most bytes that [`Columns::push_series`] adds to the columns.
    pub(crate) fn series_bytes_max(&self, series: &Series<'_>) -> usize {
        self.context_bytes_max(series.context)
            + series.suffix.len()
            + series.unit.len()
            + series.source_type_name.len()
            + series.points.len() * (VARINT_BYTES_MAX + size_of::<f64>())
    }

    /// Most bytes that [`Columns::push_sketch`] adds to the columns.
    pub(crate) fn sketch_bytes_max(&self, series: &SketchSeries<'_>) -> usize {
        // A key is an i16: its difference takes at most three bytes.
        let bin_bytes_max = 3 + REF_BYTES_MAX;
        let bins: usize = series.points.iter().map(|point| point.sketch.bins().len()).sum();
        let point_bytes_max = 2 * VARINT_BYTES_MAX + 3 * size_of::<f64>() + REF_BYTES_MAX;
        self.context_bytes_max(series.context)
            + series.points.len() * point_bytes_max
            + bins * bin_bytes_max
    }

    fn context_bytes_max(&self, context: &Context) -> usize {
        let mut bytes = ROW_BYTES_MAX + context.name.len() + context.host.len();
        if self.tagset_by_key.find(context.tags.key).is_none() || context.tags.has_resource_tags {
            // String and reference; a resource has two strings, two references and splits off.
            let tags = &context.tags.tags;
            bytes += tags.iter().map(|tag| tag.len() + 4 * REF_BYTES_MAX).sum::<usize>();
        }
        bytes
    }

    fn put_value(&mut self, kind: ValueKind, value: f64) {
        match kind {
            ValueKind::Zero => {}
            ValueKind::Sint64 => {
                put_varint(&mut self.sint64, zigzag(as_whole(value).unwrap_or_default()));
            }
            ValueKind::Float32 => {
                let single = as_single(value).unwrap_or_default();
                self.float32.extend_from_slice(&single.to_le_bytes());
            }
            ValueKind::Float64 => self.float64.extend_from_slice(&value.to_le_bytes()),
        }
    }

    fn intern_name(&mut self, name: &str, suffix: &str) -> u32 {
        if suffix.is_empty() {
            return self.names.intern(name.as_bytes());
        }
        self.scratch.clear();
        self.scratch.extend_from_slice(name.as_bytes());
        self.scratch.extend_from_slice(suffix.as_bytes());
        self.names.intern(&self.scratch)
    }

    fn tagset_of_series(&mut self, context: &Context) -> u32 {
        let keeps_all = !context.tags.has_resource_tags;
        self.tagset(context, |tag| keeps_all || role(tag) == Role::Tag)
    }

    /// The number of the tags of `context` that `keep` keeps. One set of columns keeps by one rule,
    /// so that the key of the whole set finds what is left of it.
    fn tagset(&mut self, context: &Context, keep: impl Fn(&str) -> bool) -> u32 {
        if context.tags.tags.is_empty() {
            return 0;
        }
        if let Some(number) = self.tagset_by_key.find(context.tags.key) {
            return number;
        }
        self.ids.clear();
        for tag in context.tags.tags.iter().filter(|tag| keep(tag)) {
            // The empty tag has no number; dropping it changes nothing a reader could see.
            let id = self.tags.intern(tag.as_bytes());
            if id != 0 {
                self.ids.push(id);
            }
        }
        let number = self.intern_tagset();
        self.tagset_by_key.insert(context.tags.key, number);
        number
    }

    fn resources_of_series(&mut self, context: &Context) -> u32 {
        if !context.tags.has_resource_tags {
            return self.host_only(&context.host);
        }
        let tags = &context.tags.tags;
        self.pairs.clear();
        self.push_resource("host", &context.host);
        self.push_resource("device", device(tags));
        for tag in tags {
            if let Role::Resource { kind, name } = role(tag) {
                self.push_resource(kind, name);
            }
        }
        self.intern_resources()
    }

    /// The set that holds only the host, 0 when it is empty.
    fn host_only(&mut self, host: &str) -> u32 {
        if host.is_empty() {
            return 0;
        }
        if self.host.1 == 0 || self.host.0 != host.as_bytes() {
            self.pairs.clear();
            self.push_resource("host", host);
            self.host.1 = self.intern_resources();
            self.host.0.clear();
            self.host.0.extend_from_slice(host.as_bytes());
        }
        self.host.1
    }

    fn push_resource(&mut self, kind: &str, name: &str) {
        if !name.is_empty() {
            let kind = self.resource_strings.intern(kind.as_bytes());
            let name = self.resource_strings.intern(name.as_bytes());
            self.pairs.push((kind, name));
        }
    }

    fn intern_origin(&mut self, origin: Provenance) -> u32 {
        match self.origin {
            Some((last, number)) if last == origin => number,
            Some(_) | None => {
                self.scratch.clear();
                for part in [origin.product, origin.category, origin.service] {
                    put_varint(&mut self.scratch, u64::from(part));
                }
                let number = self.origins.intern(&self.scratch);
                self.origin = Some((origin, number));
                number
            }
        }
    }
}
