//! Payloads of every form, read back into one shape.

use std::io::Read as _;

use corelane_encode::{Encoding, Payload, PayloadKind};
use prost::Message as _;

use crate::columns;
use crate::messages::{ColumnarPayload, Metadata, MetricPayload, SketchPayload};

pub(crate) type Origin = (u32, u32, u32);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReadSeries {
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) resources: Vec<(String, String)>,
    pub(crate) kind: u64,
    pub(crate) interval: u64,
    pub(crate) unit: String,
    pub(crate) source_type: String,
    pub(crate) origin: Origin,
    pub(crate) is_no_index: bool,
    pub(crate) points: Vec<(i64, f64)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReadSketch {
    pub(crate) name: String,
    pub(crate) tags: Vec<String>,
    pub(crate) host: String,
    pub(crate) origin: Origin,
    pub(crate) points: Vec<SketchPoint>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SketchPoint {
    pub(crate) timestamp: i64,
    pub(crate) count: i64,
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    /// Not in columnar payloads.
    pub(crate) avg: Option<f64>,
    pub(crate) bins: Vec<(i32, u32)>,
}

/// The body before compression.
pub(crate) fn body(payload: &Payload) -> Vec<u8> {
    let compressed = &payload.body[..];
    let mut body = Vec::new();
    match payload.encoding {
        Encoding::Zstd => body = zstd::decode_all(compressed).unwrap(),
        Encoding::Deflate => {
            flate2::read::ZlibDecoder::new(compressed).read_to_end(&mut body).unwrap();
        }
        Encoding::Gzip => {
            flate2::read::GzDecoder::new(compressed).read_to_end(&mut body).unwrap();
        }
        Encoding::Identity => body.extend_from_slice(compressed),
    }
    assert_eq!(body.len() as u64, payload.uncompressed_bytes);
    body
}

/// Series and distributions of a payload of protobuf form.
pub(crate) fn metrics(payload: &Payload) -> (Vec<ReadSeries>, Vec<ReadSketch>) {
    let body = body(payload);
    let (series, sketches) = match payload.kind {
        PayloadKind::SeriesV2 => (series_v2(&body), Vec::new()),
        PayloadKind::SketchesV2 => (Vec::new(), sketches_v2(&body)),
        PayloadKind::SeriesV3 | PayloadKind::SketchesV3 => {
            columns::read(&ColumnarPayload::decode(&body[..]).unwrap())
        }
        PayloadKind::SeriesV1
        | PayloadKind::EventsIntake
        | PayloadKind::EventsBatch
        | PayloadKind::ServiceChecks
        | PayloadKind::HostMetadata
        | PayloadKind::InventoryMetadata
        | PayloadKind::Traces
        | PayloadKind::TraceStats
        | PayloadKind::Logs => panic!("no protobuf metrics: {payload:?}"),
    };
    let points = series.iter().map(|series| series.points.len()).sum::<usize>()
        + sketches.iter().map(|sketch| sketch.points.len()).sum::<usize>();
    assert_eq!(payload.points, points as u64);
    assert_eq!(payload.items, (series.len() + sketches.len()) as u64);
    (series, sketches)
}

fn series_v2(body: &[u8]) -> Vec<ReadSeries> {
    let payload = MetricPayload::decode(body).unwrap();
    let read = |series: crate::messages::MetricSeries| {
        let (origin, is_no_index) = origin(series.metadata);
        ReadSeries {
            name: series.metric,
            tags: series.tags,
            resources: series.resources.into_iter().map(|r| (r.kind, r.name)).collect(),
            kind: series.kind as u64,
            interval: series.interval as u64,
            unit: series.unit,
            source_type: series.source_type_name,
            origin,
            is_no_index,
            points: series.points.iter().map(|point| (point.timestamp, point.value)).collect(),
        }
    };
    payload.series.into_iter().map(read).collect()
}

fn sketches_v2(body: &[u8]) -> Vec<ReadSketch> {
    assert!(body.ends_with(&[0x12, 0]));
    let payload = SketchPayload::decode(body).unwrap();
    let read = |sketch: crate::messages::Sketch| ReadSketch {
        name: sketch.metric,
        tags: sketch.tags,
        host: sketch.host,
        origin: origin(sketch.metadata).0,
        points: sketch
            .dogsketches
            .into_iter()
            .map(|point| {
                assert_eq!(point.k.len(), point.n.len());
                SketchPoint {
                    timestamp: point.ts,
                    count: point.cnt,
                    sum: point.sum,
                    min: point.min,
                    max: point.max,
                    avg: Some(point.avg),
                    bins: point.k.into_iter().zip(point.n).collect(),
                }
            })
            .collect(),
    };
    payload.sketches.into_iter().map(read).collect()
}

fn origin(metadata: Option<Metadata>) -> (Origin, bool) {
    let origin = metadata.unwrap().origin.unwrap();
    assert!([0, 9].contains(&origin.metric_type));
    ((origin.product, origin.category, origin.service), origin.metric_type == 9)
}
