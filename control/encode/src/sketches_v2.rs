//! Distributions as one protobuf message each. spec: metrics-intake §7.1.

use signal::{SketchPoint, SketchSeries};

use crate::finite::is_finite_sketch;
use crate::proto::{ItemPrefix, put_metadata};
use crate::stream::{Frame, ItemStream, Out};
use crate::wire::{
    field_len, put_bytes, put_len, put_some_double, put_some_varint, put_varint, some_double_len,
    some_varint_len, varint_len, zigzag,
};
use crate::{PayloadKind, Settings};

const METRIC: u32 = 1;
const HOST: u32 = 2;
const TAGS: u32 = 4;
const DOGSKETCHES: u32 = 7;
const METADATA: u32 = 8;

const TIMESTAMP: u32 = 1;
const COUNT: u32 = 2;
const MIN: u32 = 3;
const MAX: u32 = 4;
const AVG: u32 = 5;
const SUM: u32 = 6;
const KEYS: u32 = 7;
const COUNTS: u32 = 8;

/// An empty `CommonMetadata`, as the Go agent ends every body.
const FOOTER: [u8; 2] = [0x12, 0];

#[derive(Debug)]
pub(crate) struct SketchesV2 {
    pub(crate) stream: ItemStream,
    item: Vec<u8>,
    prefix: ItemPrefix,
}

impl SketchesV2 {
    pub(crate) fn new(settings: &Settings) -> Self {
        let frame =
            Frame { footer: FOOTER.to_vec(), ..Frame::new(PayloadKind::SketchesV2, settings) };
        Self {
            stream: ItemStream::new(frame, settings),
            item: Vec::new(),
            prefix: ItemPrefix::new(),
        }
    }

    /// Adds a distribution of which `points` points are finite.
    pub(crate) fn add(&mut self, series: &SketchSeries<'_>, points: u64, out: Out<'_>) {
        self.item.clear();
        put_sketch(&mut self.item, series);
        let prefix = self.prefix.of(self.item.len());
        self.stream.add(prefix, prefix, &self.item, points, out);
    }
}

fn put_sketch(out: &mut Vec<u8>, series: &SketchSeries<'_>) {
    let context = series.context;
    put_bytes(out, METRIC, context.name.as_bytes());
    put_bytes(out, HOST, context.host.as_bytes());
    for tag in &context.tags.tags {
        put_bytes(out, TAGS, tag.as_bytes());
    }
    for point in series.points.iter().filter(|point| is_finite_sketch(point.sketch)) {
        put_dogsketch(out, point);
    }
    put_metadata(out, METADATA, context.provenance, false);
}

fn put_dogsketch(out: &mut Vec<u8>, point: &SketchPoint<'_>) {
    let sketch = point.sketch;
    let timestamp = point.timestamp_secs.cast_unsigned();
    let count = sketch.count().cast_unsigned();
    let summary =
        [(MIN, sketch.min()), (MAX, sketch.max()), (AVG, sketch.avg()), (SUM, sketch.sum())];
    let bins = sketch.bins();
    let keys_len: usize = bins.iter().map(|bin| varint_len(zigzag(i64::from(bin.key)))).sum();
    let counts_len: usize = bins.iter().map(|bin| varint_len(u64::from(bin.count))).sum();
    let summary_len: usize =
        summary.iter().map(|&(field, value)| some_double_len(field, value)).sum();
    let len = some_varint_len(TIMESTAMP, timestamp)
        + some_varint_len(COUNT, count)
        + summary_len
        + field_len(KEYS, keys_len)
        + field_len(COUNTS, counts_len);
    put_len(out, DOGSKETCHES, len);
    put_some_varint(out, TIMESTAMP, timestamp);
    put_some_varint(out, COUNT, count);
    for (field, value) in summary {
        put_some_double(out, field, value);
    }
    put_len(out, KEYS, keys_len);
    for bin in bins.iter() {
        put_varint(out, zigzag(i64::from(bin.key)));
    }
    put_len(out, COUNTS, counts_len);
    for bin in bins.iter() {
        put_varint(out, u64::from(bin.count));
    }
}
