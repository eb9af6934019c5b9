//! Series as JSON. spec: metrics-intake §4.

use signal::{Series, SeriesKind};

use crate::json::{
    put_float, put_integer, put_member, put_name, put_quoted, put_some_member, put_strings,
};
use crate::resources::{Role, device, role};
use crate::stream::{Frame, ItemStream, Out};
use crate::{PayloadKind, Settings};

#[derive(Debug)]
pub(crate) struct SeriesV1 {
    pub(crate) stream: ItemStream,
    item: Vec<u8>,
}

impl SeriesV1 {
    pub(crate) fn new(settings: &Settings) -> Self {
        let frame = Frame {
            header: b"{\"series\":[",
            footer: b"]}".to_vec(),
            ..Frame::new(PayloadKind::SeriesV1, settings)
        };
        Self { stream: ItemStream::new(frame, settings), item: Vec::new() }
    }

    /// Adds a series of which `points` points are finite.
    pub(crate) fn add(&mut self, series: &Series<'_>, points: u64, out: Out<'_>) {
        self.item.clear();
        put_series(&mut self.item, series);
        self.stream.add(b"", b",", &self.item, points, out);
    }
}

fn put_series(out: &mut Vec<u8>, series: &Series<'_>) {
    let context = series.context;
    let tags = &context.tags.tags;
    out.push(b'{');
    put_name(out, "metric");
    put_quoted(out, &[&context.name, series.suffix]);
    put_name(out, "points");
    put_points(out, series);
    put_name(out, "tags");
    // Only the device leaves the tags: this form has no place for other resources.
    put_strings(
        out,
        tags.iter().map(|tag| &**tag).filter(|tag| !matches!(role(tag), Role::Device(_))),
    );
    put_member(out, "host", &context.host);
    put_some_member(out, "device", device(tags));
    put_member(out, "type", kind_name(series.kind));
    put_name(out, "interval");
    put_integer(out, i64::from(series.interval_secs));
    put_some_member(out, "source_type_name", series.source_type_name);
    out.push(b'}');
}

fn put_points(out: &mut Vec<u8>, series: &Series<'_>) {
    out.push(b'[');
    for point in series.points.iter().filter(|point| point.value.is_finite()) {
        if out.last() != Some(&b'[') {
            out.push(b',');
        }
        out.push(b'[');
        put_integer(out, point.timestamp_secs);
        out.push(b',');
        put_float(out, point.value);
        out.push(b']');
    }
    out.push(b']');
}

const fn kind_name(kind: SeriesKind) -> &'static str {
    match kind {
        SeriesKind::Count => "count",
        SeriesKind::Rate => "rate",
        SeriesKind::Gauge => "gauge",
    }
}
