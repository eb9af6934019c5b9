use proptest::prelude::*;

use super::decode;
use crate::{Metric, MetricKind, Payload, Point, Provenance, Resource, Route, SketchPoint};

const TS: i64 = 1_700_000_000;
const DOGSTATSD: Provenance = Provenance { product: 10, category: 10, service: 0 };

/// spec: metrics-intake §11.1
const SERIES_V2: &str = "0a490a0d0a04686f737412057765622d31120a706167652e76696577731a08656e763a70\
726f641a03613a62220f09cdcccccccccc10401080e2cfaa0628023a00400a4a060a04200a280a";
/// spec: metrics-intake §11.2
const SKETCHES_V2: &str = "0a590a036c617412057765622d312208656e763a70726f643a390880e2cfaa06100319\
000000000000f03f2100000000000008402900000000000000403100000000000018403a06f414ce15821642030101014206\
0a04200a280a1200";
/// spec: metrics-intake §11.3
const SERIES_V3: &str = "1ab6010a1c0a706167652e766965777305712e6c656e076c61742e617667027570120d0865\
6e763a70726f6403613a621a050402020202220b04686f7374057765622d312a01013201023a01044a030a0a0052053213a3\
04035a04020202026204020200036a040200000072040a0a0a0a7a040101010182010880c49fd50c0000008a01010e920104\
0000003f9a0108cdcccccccccc1040ba010400000000c2010402000000ca010c0b6d696c6c697365636f6e64d2010102";
/// spec: metrics-intake §11.4
const EVENTS: &str = "0a2b0a01741201781880e2cfaa0622066e6f726d616c2a057765622d313208656e763a70726f64\
3a04696e666f";

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn tags(metric: &Metric) -> Vec<&str> {
    metric.tags.iter().map(|tag| &**tag).collect()
}

fn read(route: Route, body: &[u8]) -> Payload {
    let payload = decode(route, body).unwrap();
    assert!(payload.remarks.is_empty(), "{:?}", payload.remarks);
    payload
}

/// A length-delimited field.
pub(super) fn field(number: u32, content: &[u8]) -> Vec<u8> {
    let mut out = varint(u64::from(number << 3 | 2));
    out.extend(varint(content.len() as u64));
    out.extend(content);
    out
}

pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut out = vec![];
    while value > 0x7f {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
    out
}

/// A payload of one message with these columns.
fn columns(columns: &[(u32, &[u8])]) -> Vec<u8> {
    let message: Vec<u8> =
        columns.iter().flat_map(|(number, content)| field(*number, content)).collect();
    field(3, &message)
}

fn refusal(route: Route, body: &[u8]) -> String {
    decode(route, body).unwrap_err().to_string()
}

#[test]
fn series_v2_vector() {
    let payload = read(Route::SeriesV2, &bytes(SERIES_V2));
    let [metric] = &payload.metrics[..] else { panic!("{payload:?}") };
    assert_eq!(
        (&*metric.name, metric.kind, metric.interval_secs),
        ("page.views", MetricKind::Rate, 10)
    );
    assert_eq!(tags(metric), ["a:b", "env:prod"]);
    assert_eq!(metric.host.as_deref(), Some("web-1"));
    assert_eq!(metric.points.values(), [Point { timestamp_secs: TS, value: 4.2 }]);
    assert_eq!(metric.provenance, Some(DOGSTATSD));
    assert_eq!((&*metric.unit, &*metric.source_type_name, metric.is_no_index), ("", "", false));
}

#[test]
fn sketches_v2_vector() {
    let payload = read(Route::SketchesV2, &bytes(SKETCHES_V2));
    let [metric] = &payload.metrics[..] else { panic!("{payload:?}") };
    assert_eq!((&*metric.name, metric.kind), ("lat", MetricKind::Sketch));
    assert_eq!((tags(metric), metric.host.as_deref()), (vec!["env:prod"], Some("web-1")));
    let [point] = metric.points.sketches() else { panic!("{metric:?}") };
    let expected = SketchPoint {
        timestamp_secs: TS,
        count: 3,
        min: 1.0,
        max: 3.0,
        avg: 2.0,
        sum: 6.0,
        bins: vec![(1338, 1), (1383, 1), (1409, 1)],
        is_paired: true,
    };
    assert_eq!(point, &expected);
    assert_eq!(metric.provenance, Some(DOGSTATSD));
}

#[test]
fn series_v3_vector() {
    let payload = read(Route::SeriesV3, &bytes(SERIES_V3));
    let seen: Vec<_> = payload
        .metrics
        .iter()
        .map(|metric| {
            let value = metric.points.values()[0].value;
            (&*metric.name, metric.kind, value, tags(metric), &*metric.unit)
        })
        .collect();
    let expected = [
        ("page.views", MetricKind::Rate, 4.2, vec!["a:b", "env:prod"], ""),
        ("q.len", MetricKind::Gauge, 7.0, vec!["env:prod"], ""),
        ("lat.avg", MetricKind::Gauge, 0.5, vec!["env:prod"], "millisecond"),
        ("up", MetricKind::Gauge, 0.0, vec![], ""),
    ];
    assert_eq!(seen, expected);
    for metric in &payload.metrics {
        assert_eq!(metric.host.as_deref(), Some("web-1"));
        assert_eq!(metric.interval_secs, 10);
        assert_eq!(metric.provenance, Some(DOGSTATSD));
        assert_eq!(metric.points.timestamps().collect::<Vec<_>>(), [TS]);
        assert_eq!(metric.source_type_name.len(), 0);
    }
}

#[test]
fn events_vector() {
    let payload = read(Route::EventsBatch, &bytes(EVENTS));
    let [event] = &payload.events[..] else { panic!("{payload:?}") };
    assert_eq!((event.title.as_str(), event.text.as_str(), event.timestamp_secs), ("t", "x", TS));
    assert_eq!((event.priority.as_str(), event.alert_type.as_str()), ("normal", "info"));
    assert_eq!((event.host.as_str(), &event.tags[..]), ("web-1", &["env:prod".to_owned()][..]));
}

/// spec: metrics-intake §11.5, the columns written by hand.
#[test]
fn hand_written_columns() {
    let body = columns(&[
        (1, b"\x01m\x01n"),
        (2, b"\x01a\x01b\x01c"),
        (3, &[0x04, 0x02, 0x02, 0x04, 0x02, 0x04]),
        (10, &[0x13, 0x13]),
        (11, &[2, 2]),
        (12, &[2, 2]),
        (13, &[0, 0]),
        (14, &[0, 0]),
        (15, &[1, 3]),
        (16, &[0xd0, 0x0f, 0, 0xd0, 0x0f, 0xd0, 0x0f]),
        (17, &[2, 4, 6, 8]),
        (23, &[0, 0]),
        (24, &[0, 0]),
    ]);
    let payload = read(Route::SeriesV3, &body);
    let [first, second] = &payload.metrics[..] else { panic!("{payload:?}") };
    assert_eq!((tags(first), tags(second)), (vec!["a", "b"], vec!["a", "c"]));
    assert_eq!(first.points.timestamps().collect::<Vec<_>>(), [1000]);
    assert_eq!(second.points.timestamps().collect::<Vec<_>>(), [1000, 2000, 3000]);
    assert_eq!(second.points.values()[2], Point { timestamp_secs: 3000, value: 4.0 });
    assert_eq!((first.host.as_deref(), first.provenance), (None, None));
}

#[test]
fn sketches_v3_take_sum_min_max_then_count() {
    let all = |value: u8| vec![value];
    let body = columns(&[
        (1, b"\x03lat"),
        (10, &all(0x14)),
        (11, &all(2)),
        (12, &all(0)),
        (13, &all(0)),
        (14, &all(0)),
        (15, &all(1)),
        (16, &[0xd0, 0x0f]),
        (17, &[6, 2, 4, 4]),
        (20, &all(2)),
        (21, &[0xf4, 0x14, 0x5a]),
        (22, &[1, 1]),
        (23, &all(0)),
        (24, &all(0)),
    ]);
    let payload = read(Route::SketchesV3, &body);
    let [point] = payload.metrics[0].points.sketches() else { panic!("{payload:?}") };
    assert_eq!((point.sum, point.min, point.max, point.count, point.avg), (3.0, 1.0, 2.0, 2, 1.5));
    assert_eq!(point.bins, [(1338, 1), (1383, 1)]);
    let error = refusal(Route::SeriesV3, &body);
    assert!(error.contains("a sketch does not belong"), "{error}");
}

#[test]
fn several_messages_and_missing_columns_are_read() {
    let one = columns(&[(1, b"\x01m"), (10, &[0x83, 0x02]), (11, &[2]), (15, &[1]), (16, &[2])]);
    let payload = decode(Route::SeriesV3, &[one.clone(), one].concat()).unwrap();
    assert_eq!(payload.metrics.len(), 2);
    assert!(payload.metrics.iter().all(|metric| metric.is_no_index && metric.interval_secs == 0));
    assert!(payload.remarks.iter().any(|remark| remark == "column intervals is missing"));
}

/// The older form: the second set includes the first, deltas run on through the negative id.
#[test]
fn a_tag_set_can_include_an_earlier_one() {
    let with_sets = |sets: &[u8]| {
        columns(&[
            (1, b"\x01m"),
            (2, b"\x01a\x01b\x01c"),
            (3, sets),
            (10, &[0x03]),
            (11, &[2]),
            (12, &[4]),
            (15, &[1]),
            (16, &[2]),
        ])
    };
    // {1, 2} and {-1, 3}
    let payload =
        decode(Route::SeriesV3, &with_sets(&[0x04, 0x02, 0x02, 0x04, 0x01, 0x08])).unwrap();
    assert_eq!(tags(&payload.metrics[0]), ["a", "b", "c"]);
    let error = refusal(Route::SeriesV3, &with_sets(&[0x02, 0x02, 0x02, 0x03]));
    assert!(error.contains("dictTagsets: there is no entry 2"), "{error}");
    // Each set includes the one before it three times.
    let mut bomb = vec![0x02, 0x02];
    for set in 1_u8..30 {
        bomb.extend([0x06, 2 * set - 1, 0, 0]);
    }
    let error = refusal(Route::SeriesV3, &with_sets(&bomb));
    assert!(error.contains("more than 1000000 tags"), "{error}");
}

#[test]
fn contradicting_columns_are_refused_by_name() {
    let base: [(u32, &[u8]); 9] = [
        (1, b"\x01m"),
        (10, &[0x13]),
        (11, &[2]),
        (12, &[0]),
        (13, &[0]),
        (14, &[10]),
        (15, &[1]),
        (16, &[2]),
        (17, &[2]),
    ];
    assert!(decode(Route::SeriesV3, &columns(&base)).is_ok());
    for (number, content, expected) in [
        (10, &[0x15][..], "metric type 5"),
        (10, &[0x53][..], "unknown bits"),
        (11, &[4][..], "dictNameStr: there is no entry 2"),
        (11, &[0][..], "has no name entry"),
        (11, &[2, 0][..], "nameRefs: more elements"),
        (12, &[2][..], "dictTagsets: there is no entry 1"),
        (13, &[2][..], "dictResourceLen: there is no entry 1"),
        (15, &[2][..], "numPoints: counts 2 elements"),
        (15, &[][..], "numPoints: ends inside"),
        (16, &[2, 2][..], "timestamps: more elements"),
        (17, &[][..], "valsSint64: ends inside"),
        (17, &[2, 2][..], "valsSint64: more elements"),
        (1, b"\x02m", "dictNameStr: ends inside"),
        (1, b"\x01\xff", "entry 1 is not UTF-8"),
    ] {
        let changed =
            base.map(|column| if column.0 == number { (number, content) } else { column });
        let error = refusal(Route::SeriesV3, &columns(&changed));
        assert!(error.contains(expected), "{error}, not {expected}");
    }
    let twice = [&base[..], &[(10, &[0x13][..])]].concat();
    assert!(refusal(Route::SeriesV3, &columns(&twice)).contains("types appears twice"));
}

#[test]
fn a_dictionary_entry_named_too_often_is_refused() {
    let name = [varint(1_000_000), vec![b'x'; 1_000_000]].concat();
    let count = 1000;
    let mut names = vec![0; count];
    names[0] = 2;
    let body =
        columns(&[(1, &name), (10, &vec![0x03; count]), (11, &names), (15, &vec![0; count])]);
    let error = refusal(Route::SeriesV3, &body);
    assert!(error.contains("expand to over"), "{error}");
}

#[test]
fn series_v1_with_device() {
    let body =
        br#"{"series":[{"metric":"page.views","points":[[1700000000,4.2]],"tags":["env:prod"],
        "host":"web-1","device":"sda1","type":"rate","interval":10,"source_type_name":"System"}]}"#;
    let payload = read(Route::SeriesV1, body);
    let [metric] = &payload.metrics[..] else { panic!("{payload:?}") };
    assert_eq!((metric.kind, metric.resource("device")), (MetricKind::Rate, Some("sda1")));
    assert_eq!(metric.resources[0], Resource { kind: "host".into(), name: "web-1".into() });
    assert_eq!(metric.points.values(), [Point { timestamp_secs: TS, value: 4.2 }]);
    assert_eq!(&*metric.source_type_name, "System");
    assert!((metric.total() - 42.0).abs() < 1e-9);
}

#[test]
fn json_events_checks_and_metadata() {
    let events = br#"{"apiKey":"","events":{"api":[{"msg_title":"t","msg_text":"x",
        "timestamp":1700000000,"host":"web-1","tags":["env:prod"]}]},"internalHostname":"web-1"}"#;
    let payload = read(Route::Intake, events);
    assert_eq!((payload.events[0].title.as_str(), payload.events[0].source.as_str()), ("t", "api"));
    let checks = br#"[{"check":"agent.up","host_name":"web-1","timestamp":1700000000,"status":0,
        "message":"","tags":null}]"#;
    let payload = read(Route::CheckRun, checks);
    assert_eq!((payload.checks[0].name.as_str(), payload.checks[0].status), ("agent.up", 0));
    let host = br#"{"internalHostname":"web-1","meta":{"hostname":"web-1"},"gohai":"{}"}"#;
    let payload = read(Route::Intake, host);
    assert!(matches!(payload.metadata[0], crate::Metadata::Host(_)));
}

#[test]
fn events_with_a_key_in_the_body_are_remarked() {
    let body = br#"{"apiKey":"secret","events":{"nagios":[{"msg_title":"t","msg_text":"",
        "timestamp":1,"host":""}]},"internalHostname":"h"}"#;
    let remarks = decode(Route::Intake, body).unwrap().remarks;
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    assert!(!remarks.concat().contains("secret"));
}

#[test]
fn unreadable_bodies_are_refused() {
    for (route, body) in [
        (Route::SeriesV2, &b"\x0a\x05abc"[..]),
        (Route::SeriesV2, b"\x0a\x02\x28\x09"),
        (Route::SeriesV2, b"\x0a\x02\x28\x00"),
        (Route::SeriesV2, b"\x0a\x03\x12\x01\xff"),
        (Route::SeriesV1, b"{}"),
        (Route::SeriesV1, br#"{"series":[{"metric":"m","points":[[1.5,1]],"type":"rate"}]}"#),
        (Route::SeriesV1, br#"{"series":[{"metric":"m","points":[[1,1]],"type":"set"}]}"#),
        (Route::SeriesV1, br#"{"series":[{"metric":"m","points":[[1,null]],"type":"rate"}]}"#),
        (Route::CheckRun, b"[{}]"),
        (Route::Intake, b"[]"),
        (Route::Intake, br#"{"events":3}"#),
        (Route::Metadata, b"7"),
    ] {
        assert!(decode(route, body).is_err(), "{route:?} {body:?}");
    }
    let deep = [b'['].repeat(100_000);
    assert!(decode(Route::Intake, &deep).is_err());
}

#[test]
fn a_message_of_countless_empty_items_is_refused() {
    let body = [0x0a, 0].repeat(1_000_001);
    assert!(refusal(Route::SketchesV2, &body).contains("more than 1000000 items"));
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(
        route in proptest::sample::select(&Route::ALL[..]),
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Ok(payload) = decode(route, &body) {
            prop_assert!(payload.point_count() <= body.len());
        }
    }

    #[test]
    fn damaged_vectors_get_an_answer(
        vector in proptest::sample::select(vec![
            (Route::SeriesV2, SERIES_V2), (Route::SketchesV2, SKETCHES_V2),
            (Route::SeriesV3, SERIES_V3), (Route::SketchesV3, SERIES_V3),
            (Route::EventsBatch, EVENTS),
        ]),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (route, hex) = vector;
        let mut body = bytes(hex);
        for (index, byte) in damage {
            let index = index.index(body.len());
            body[index] = byte;
        }
        for body in [&body[..], &body[..cut.index(body.len())]] {
            if let Ok(payload) = decode(route, body) {
                let mut report = crate::Report::default();
                let rules = crate::Rules::default();
                let size = body.len();
                crate::acceptance::check_payload(
                    route, size, size, &payload, &rules, TS, &mut report,
                );
                for metric in &payload.metrics {
                    crate::acceptance::Overwrites::new(10).record("", metric, &mut report);
                }
            }
        }
    }

    #[test]
    fn random_columns_get_an_answer(
        parts in proptest::collection::vec(
            (1_u32..28, proptest::collection::vec(0_u8..6, 0..6)), 0..20),
        types in proptest::collection::vec(proptest::sample::select(vec![1_u8, 0x12, 0x23, 0x33, 4, 0x14]), 0..4),
        route in proptest::sample::select(vec![Route::SeriesV3, Route::SketchesV3]),
    ) {
        let mut all: Vec<(u32, &[u8])> =
            parts.iter().map(|(number, content)| (*number, &content[..])).collect();
        all.sort_unstable_by_key(|(number, _)| *number);
        all.dedup_by_key(|(number, _)| *number);
        all.retain(|(number, _)| ![1, 10].contains(number));
        all.extend([(1, &b"\x01a\x02bc\x00"[..]), (10, &types[..])]);
        let body = columns(&all);
        if let Ok(payload) = decode(route, &body) {
            prop_assert_eq!(payload.metrics.len(), types.len());
        }
    }
}
