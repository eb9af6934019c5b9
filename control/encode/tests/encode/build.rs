//! Owned series and distributions to feed encoders with.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use corelane_encode::{EncodeStats, MetricsEncoder, Payload, Settings};
use signal::{
    Context, ContextKey, Point, Provenance, Series, SeriesKind, SketchPoint, SketchSeries, TagSet,
};
use sketch::Sketch;

pub(crate) const NOW: i64 = 1_700_000_000;

#[derive(Clone, Debug)]
pub(crate) struct OwnedSeries {
    pub(crate) context: Arc<Context>,
    pub(crate) suffix: String,
    pub(crate) kind: SeriesKind,
    pub(crate) interval_secs: u32,
    pub(crate) unit: String,
    pub(crate) source_type_name: String,
    pub(crate) is_no_index: bool,
    pub(crate) points: Vec<Point>,
}

#[derive(Clone, Debug)]
pub(crate) struct OwnedSketch {
    pub(crate) context: Arc<Context>,
    pub(crate) points: Vec<(i64, Sketch)>,
}

/// A context with its tags in the order given.
pub(crate) fn context(name: &str, host: &str, tags: &[&str]) -> Arc<Context> {
    context_of(name, host, tags, Provenance::DOGSTATSD)
}

pub(crate) fn context_of(
    name: &str,
    host: &str,
    tags: &[&str],
    provenance: Provenance,
) -> Arc<Context> {
    let tags = TagSet {
        key: hash(tags),
        has_resource_tags: tags
            .iter()
            .any(|tag| tag.starts_with("device:") || tag.starts_with("dd.internal.resource:")),
        tags: tags.iter().map(|&tag| Arc::from(tag)).collect(),
    };
    Arc::new(Context {
        key: ContextKey(hash(&[name, host]) ^ tags.key),
        name: name.into(),
        tags: Arc::new(tags),
        host: host.into(),
        provenance,
        origin: "".into(),
    })
}

fn hash(parts: &[&str]) -> u128 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    u128::from(hasher.finish()) * 0x1_0000_0001
}

/// A series with interval 10 and one point a second from `NOW`.
pub(crate) fn series(context: Arc<Context>, kind: SeriesKind, values: &[f64]) -> OwnedSeries {
    let points =
        (NOW..).zip(values).map(|(timestamp_secs, &value)| Point { timestamp_secs, value });
    OwnedSeries {
        context,
        suffix: String::new(),
        kind,
        interval_secs: 10,
        unit: String::new(),
        source_type_name: String::new(),
        is_no_index: false,
        points: points.collect(),
    }
}

pub(crate) fn sketch_of(samples: &[f64]) -> Sketch {
    let mut sketch = Sketch::default();
    for &sample in samples {
        sketch.insert(sample, 1.0);
    }
    sketch
}

/// Runs everything through one encoder.
pub(crate) fn encode(
    settings: &Settings,
    series: &[OwnedSeries],
    sketches: &[OwnedSketch],
) -> (Vec<Payload>, EncodeStats) {
    let mut payloads = Vec::new();
    let mut encoder = MetricsEncoder::new(settings, |payload| payloads.push(payload));
    feed(&mut encoder, series, sketches);
    let stats = encoder.finish();
    check_stats(&payloads, &stats);
    (payloads, stats)
}

pub(crate) fn feed(
    sink: &mut impl signal::SeriesSink,
    series: &[OwnedSeries],
    sketches: &[OwnedSketch],
) {
    for owned in series {
        sink.series(Series {
            context: &owned.context,
            suffix: &owned.suffix,
            kind: owned.kind,
            interval_secs: owned.interval_secs,
            unit: &owned.unit,
            source_type_name: &owned.source_type_name,
            is_no_index: owned.is_no_index,
            points: &owned.points,
        });
    }
    for owned in sketches {
        let points: Vec<SketchPoint<'_>> = owned
            .points
            .iter()
            .map(|(timestamp_secs, sketch)| SketchPoint { timestamp_secs: *timestamp_secs, sketch })
            .collect();
        sink.sketch(SketchSeries { context: &owned.context, points: &points });
    }
}

pub(crate) fn check_stats(payloads: &[Payload], stats: &EncodeStats) {
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.payloads, payloads.len() as u64);
    assert_eq!(stats.items_out, payloads.iter().map(|payload| payload.items).sum::<u64>());
    assert_eq!(stats.points_out, payloads.iter().map(|payload| payload.points).sum::<u64>());
    assert_eq!(stats.bytes_in, payloads.iter().map(|p| p.uncompressed_bytes).sum::<u64>());
    assert_eq!(stats.bytes_out, payloads.iter().map(|p| p.body.len() as u64).sum::<u64>());
}
