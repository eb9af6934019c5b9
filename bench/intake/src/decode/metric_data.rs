//! The columnar payload: series v3 and sketches v3. spec: metrics-intake §6.

use std::sync::Arc;

use super::columns::{Columns, Dictionaries};
use super::wire::{Cursor, Field};
use super::{DecodeError, host_of, invalid};
use crate::record::as_f64;
use crate::{Metric, MetricKind, Payload, Point, Points, Route, SketchPoint};

const PAYLOAD_METADATA: u32 = 2;
const PAYLOAD_METRIC_DATA: u32 = 3;

const TYPE_NO_INDEX: u64 = 0x100;
const TYPE_HAS_UNIT: u64 = 0x200;
const TYPE_KNOWN: u64 = 0x33f;

/// Bytes of names and tags that one payload may mention, over all its metrics. A few bytes can name
/// a huge dictionary entry again and again; real payloads stay below a tenth of this.
const MENTIONED_BYTES_MAX: usize = 64 << 20;

/// Metrics and points of one payload together; each is far larger in memory than in its columns.
const ELEMENTS_MAX: usize = 1_000_000;

/// Decodes a `Payload` message.
pub(super) fn payload(route: Route, body: &[u8]) -> Result<Payload, DecodeError> {
    let mut payload = Payload::default();
    let mut mentioned_bytes = 0;
    let mut cursor = Cursor::new("Payload", body);
    while !cursor.is_empty() {
        match cursor.field()? {
            Field::Bytes(PAYLOAD_METRIC_DATA, message) => {
                metric_data(route, message, &mut mentioned_bytes, &mut payload)?;
            }
            Field::Bytes(PAYLOAD_METADATA, _) => {
                payload.remarks.push("Payload: has metadata, which agents never write".to_owned());
            }
            Field::Bytes(number, _) | Field::Other(number) => {
                payload.remarks.push(format!("Payload: field {number} is not known"));
            }
        }
    }
    Ok(payload)
}

fn metric_data(
    route: Route,
    message: &[u8],
    mentioned_bytes: &mut usize,
    payload: &mut Payload,
) -> Result<(), DecodeError> {
    let columns = Columns::read(message, &mut payload.remarks)?;
    let dictionaries = Dictionaries::read(&columns, &mut payload.remarks)?;
    let mut reader = Reader::new(&columns);
    let mut element_count = payload.metrics.len();
    while !reader.types.is_empty() {
        let metric = reader.metric(route, &dictionaries)?;
        *mentioned_bytes += metric.name.len() + reader.tag_bytes;
        if *mentioned_bytes > MENTIONED_BYTES_MAX {
            return invalid(format!("names and tags expand to over {MENTIONED_BYTES_MAX} bytes"));
        }
        element_count += 1 + metric.points.len();
        if element_count > ELEMENTS_MAX {
            return invalid(format!("more than {ELEMENTS_MAX} metrics and points"));
        }
        payload.metrics.push(metric);
    }
    reader.finish(&columns, &mut payload.remarks)
}

/// A reference column: deltas against a running value.
#[derive(Debug)]
struct Refs<'a> {
    cursor: Cursor<'a>,
    is_missing: bool,
    last: i64,
}

impl<'a> Refs<'a> {
    fn new(columns: &Columns<'a>, number: usize) -> Self {
        Self { cursor: columns.cursor(number), is_missing: columns.is_missing(number), last: 0 }
    }

    /// The next value; a column that was left out reads as zeros.
    fn next(&mut self) -> Result<i64, DecodeError> {
        if !self.is_missing {
            self.last = self.last.wrapping_add(self.cursor.zigzag()?);
        }
        Ok(self.last)
    }
}

/// Walks the columns with one entry per metric and per point.
#[derive(Debug)]
struct Reader<'a> {
    types: Cursor<'a>,
    names: Refs<'a>,
    tagsets: Refs<'a>,
    resources: Refs<'a>,
    intervals: Cursor<'a>,
    has_intervals: bool,
    point_counts: Cursor<'a>,
    timestamps: Refs<'a>,
    integers: Cursor<'a>,
    floats: Cursor<'a>,
    doubles: Cursor<'a>,
    bin_counts: Cursor<'a>,
    bin_keys: Cursor<'a>,
    bin_values: Cursor<'a>,
    source_type_names: Refs<'a>,
    origins: Refs<'a>,
    units: Refs<'a>,
    tag_bytes: usize,
}

impl<'a> Reader<'a> {
    fn new(columns: &Columns<'a>) -> Self {
        Self {
            types: columns.cursor(10),
            names: Refs::new(columns, 11),
            tagsets: Refs::new(columns, 12),
            resources: Refs::new(columns, 13),
            intervals: columns.cursor(14),
            has_intervals: !columns.is_missing(14),
            point_counts: columns.cursor(15),
            timestamps: Refs::new(columns, 16),
            integers: columns.cursor(17),
            floats: columns.cursor(18),
            doubles: columns.cursor(19),
            bin_counts: columns.cursor(20),
            bin_keys: columns.cursor(21),
            bin_values: columns.cursor(22),
            source_type_names: Refs::new(columns, 23),
            origins: Refs::new(columns, 24),
            units: Refs::new(columns, 26),
            tag_bytes: 0,
        }
    }

    fn metric(&mut self, route: Route, known: &Dictionaries) -> Result<Metric, DecodeError> {
        let bits = self.types.varint()?;
        if bits & !TYPE_KNOWN != 0 {
            return invalid(format!("types: {bits:#x} has unknown bits"));
        }
        let kind = match bits & 0x0f {
            1 => MetricKind::Count,
            2 => MetricKind::Rate,
            3 => MetricKind::Gauge,
            4 => MetricKind::Sketch,
            kind => return invalid(format!("types: metric type {kind} is not known")),
        };
        if (kind == MetricKind::Sketch) != (route == Route::SketchesV3) {
            return invalid(format!("a {} does not belong to {}", kind.name(), route.path()));
        }
        let Some(name) = known.names.entry(self.names.next()?)? else {
            return invalid("nameRefs: a metric has no name entry");
        };
        let tagset = known.tagsets.entry(self.tagsets.next()?)?;
        self.tag_bytes = tagset.map_or(0, |set| set.bytes);
        let resources = known.resources.entry(self.resources.next()?)?;
        let resources = resources.map_or_else(|| Arc::from([]), Arc::clone);
        let interval_secs = self.interval()?;
        let source_type_name = known.source_type_names.entry(self.source_type_names.next()?)?;
        let provenance = known.origins.entry(self.origins.next()?)?.copied();
        let unit =
            if bits & TYPE_HAS_UNIT != 0 { known.units.entry(self.units.next()?)? } else { None };
        let count = self.point_counts.count(self.timestamps.cursor.len().min(ELEMENTS_MAX))?;
        let values = bits & 0x30;
        let points = if kind == MetricKind::Sketch {
            Points::Sketches((0..count).map(|_| self.sketch(values)).collect::<Result<_, _>>()?)
        } else {
            Points::Values((0..count).map(|_| self.point(values)).collect::<Result<_, _>>()?)
        };
        Ok(Metric {
            name: Arc::clone(name),
            kind,
            tags: tagset.map_or_else(|| Arc::from([]), |set| Arc::clone(&set.tags)),
            host: host_of(&resources),
            resources,
            interval_secs,
            unit: unit.map_or_else(|| Arc::from(""), Arc::clone),
            source_type_name: source_type_name.map_or_else(|| Arc::from(""), Arc::clone),
            provenance,
            is_no_index: bits & TYPE_NO_INDEX != 0,
            points,
            route,
        })
    }

    fn interval(&mut self) -> Result<i64, DecodeError> {
        if !self.has_intervals {
            return Ok(0);
        }
        let interval = self.intervals.varint()?;
        i64::try_from(interval).or_else(|_| invalid(format!("intervals: {interval} is too large")))
    }

    fn point(&mut self, values: u64) -> Result<Point, DecodeError> {
        Ok(Point { timestamp_secs: self.timestamps.next()?, value: self.value(values)? })
    }

    /// `sum, min, max` come from the value column, then the count from the integers.
    fn sketch(&mut self, values: u64) -> Result<SketchPoint, DecodeError> {
        let timestamp_secs = self.timestamps.next()?;
        let sum = self.value(values)?;
        let min = self.value(values)?;
        let max = self.value(values)?;
        let count = self.integers.zigzag()?;
        let bin_count = self.bin_counts.count(self.bin_keys.len())?;
        let mut bins = Vec::with_capacity(bin_count);
        let mut key = 0_i64;
        for _ in 0..bin_count {
            key = key.wrapping_add(self.bin_keys.zigzag()?);
            let Ok(key) = i32::try_from(key) else {
                return invalid(format!("sketchBinKeys: {key} does not fit 32 bits"));
            };
            bins.push((key, self.bin_values.varint32()?));
        }
        let avg = if count == 0 { 0.0 } else { sum / as_f64(count) };
        Ok(SketchPoint { timestamp_secs, count, min, max, avg, sum, bins, is_paired: true })
    }

    fn value(&mut self, values: u64) -> Result<f64, DecodeError> {
        Ok(match values {
            0x00 => 0.0,
            0x10 => as_f64(self.integers.zigzag()?),
            0x20 => f64::from(f32::from_le_bytes(self.floats.array()?)),
            _ => f64::from_le_bytes(self.doubles.array()?),
        })
    }

    /// Every column must be used up, and those with one entry per metric must be there.
    fn finish(self, columns: &Columns<'_>, remarks: &mut Vec<String>) -> Result<(), DecodeError> {
        let ends = [
            (11, self.names.cursor),
            (12, self.tagsets.cursor),
            (13, self.resources.cursor),
            (14, self.intervals),
            (15, self.point_counts),
            (16, self.timestamps.cursor),
            (17, self.integers),
            (18, self.floats),
            (19, self.doubles),
            (20, self.bin_counts),
            (21, self.bin_keys),
            (22, self.bin_values),
            (23, self.source_type_names.cursor),
            (24, self.origins.cursor),
            (26, self.units.cursor),
        ];
        for (number, end) in ends {
            if !end.is_empty() {
                let name = Columns::name(number);
                return invalid(format!("{name}: more elements than the metrics need"));
            }
        }
        for number in [12, 13, 14, 23, 24] {
            if !columns.is_missing(10) && columns.is_missing(number) {
                remarks.push(format!("column {} is missing", Columns::name(number)));
            }
        }
        Ok(())
    }
}
