//! Series as one protobuf message each. spec: metrics-intake §3.

use signal::{Point, Series};

use crate::proto::{ItemPrefix, put_metadata};
use crate::resources::{Role, device, role};
use crate::stream::{Frame, ItemStream, Out};
use crate::wire::{
    VARINT, field_len, put_bytes, put_key, put_len, put_some_double, put_some_str, put_some_varint,
    put_varint, some_double_len, some_varint_len,
};
use crate::{PayloadKind, Settings};

const RESOURCES: u32 = 1;
const METRIC: u32 = 2;
const TAGS: u32 = 3;
const POINTS: u32 = 4;
const TYPE: u32 = 5;
const UNIT: u32 = 6;
const SOURCE_TYPE_NAME: u32 = 7;
const INTERVAL: u32 = 8;
const METADATA: u32 = 9;

const RESOURCE_TYPE: u32 = 1;
const RESOURCE_NAME: u32 = 2;
const POINT_VALUE: u32 = 1;
const POINT_TIMESTAMP: u32 = 2;

#[derive(Debug)]
pub(crate) struct SeriesV2 {
    pub(crate) stream: ItemStream,
    item: Vec<u8>,
    prefix: ItemPrefix,
}

impl SeriesV2 {
    pub(crate) fn new(settings: &Settings) -> Self {
        let frame = Frame {
            limits: settings.series_limits,
            points_max: settings.series_points_max,
            ..Frame::new(PayloadKind::SeriesV2, settings)
        };
        Self {
            stream: ItemStream::new(frame, settings),
            item: Vec::new(),
            prefix: ItemPrefix::new(),
        }
    }

    /// Adds a series of which `points` points are finite.
    pub(crate) fn add(&mut self, series: &Series<'_>, points: u64, out: Out<'_>) {
        self.item.clear();
        put_series(&mut self.item, series);
        let prefix = self.prefix.of(self.item.len());
        self.stream.add(prefix, prefix, &self.item, points, out);
    }
}

/// Appends the fields in the order of the Go agent.
fn put_series(out: &mut Vec<u8>, series: &Series<'_>) {
    let context = series.context;
    put_resource(out, "host", &context.host);
    let tags = &context.tags.tags;
    if context.tags.has_resource_tags {
        let device = device(tags);
        if !device.is_empty() {
            put_resource(out, "device", device);
        }
        for tag in tags {
            if let Role::Resource { kind, name } = role(tag) {
                put_resource(out, kind, name);
            }
        }
    }
    put_len(out, METRIC, context.name.len() + series.suffix.len());
    out.extend_from_slice(context.name.as_bytes());
    out.extend_from_slice(series.suffix.as_bytes());
    for tag in tags {
        if !context.tags.has_resource_tags || role(tag) == Role::Tag {
            put_bytes(out, TAGS, tag.as_bytes());
        }
    }
    for point in series.points {
        if point.value.is_finite() {
            put_point(out, point);
        }
    }
    put_some_varint(out, TYPE, series.kind as u64);
    put_some_str(out, UNIT, series.unit);
    put_bytes(out, SOURCE_TYPE_NAME, series.source_type_name.as_bytes());
    put_key(out, INTERVAL, VARINT);
    put_varint(out, u64::from(series.interval_secs));
    put_metadata(out, METADATA, context.provenance, series.is_no_index);
}

fn put_resource(out: &mut Vec<u8>, kind: &str, name: &str) {
    let len = field_len(RESOURCE_TYPE, kind.len()) + field_len(RESOURCE_NAME, name.len());
    put_len(out, RESOURCES, len);
    put_bytes(out, RESOURCE_TYPE, kind.as_bytes());
    put_bytes(out, RESOURCE_NAME, name.as_bytes());
}

fn put_point(out: &mut Vec<u8>, point: &Point) {
    let timestamp = point.timestamp_secs.cast_unsigned();
    let len =
        some_double_len(POINT_VALUE, point.value) + some_varint_len(POINT_TIMESTAMP, timestamp);
    put_len(out, POINTS, len);
    put_some_double(out, POINT_VALUE, point.value);
    put_some_varint(out, POINT_TIMESTAMP, timestamp);
}
