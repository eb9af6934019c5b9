use proptest::prelude::*;

use crate::decode::decode;
use crate::decode::tests::{field, varint};
use crate::{LatencySketch, Route};

fn text(value: &str) -> Vec<u8> {
    [vec![0xd9, u8::try_from(value.len()).unwrap()], value.as_bytes().to_vec()].concat()
}

fn map(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0xde, 0, u8::try_from(entries.len()).unwrap()];
    for (key, value) in entries {
        out.extend(text(key));
        out.extend(value);
    }
    out
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [vec![0xdc, 0, u8::try_from(items.len()).unwrap()], items.concat()].concat()
}

fn long(value: u64) -> Vec<u8> {
    [vec![0xcf], value.to_be_bytes().to_vec()].concat()
}

fn binary(bytes: &[u8]) -> Vec<u8> {
    [vec![0xc4, u8::try_from(bytes.len()).unwrap()], bytes.to_vec()].concat()
}

fn double(number: u32, value: f64) -> Vec<u8> {
    [varint(u64::from(number << 3 | 1)), value.to_le_bytes().to_vec()].concat()
}

/// The mapping of agents, and contiguous counts from an index on.
fn sketch(counts: &[f64], offset: u64) -> Vec<u8> {
    let counts: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    let store = [field(2, &counts), varint(3 << 3), varint(offset)].concat();
    [field(1, &double(1, 1.01 / 0.99)), field(2, &store), field(3, &[])].concat()
}

fn payload(group: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let bucket = map(&[
        ("Start", long(1_700_000_000_000_000_000)),
        ("Duration", long(10_000_000_000)),
        ("Stats", list(&[map(group)])),
        ("AgentTimeShift", vec![0xff]),
    ]);
    let client = map(&[
        ("Hostname", text("web-1")),
        ("Env", text("prod")),
        ("Stats", list(&[bucket])),
        ("Tags", list(&[text("a:b")])),
        ("ProcessTagsHash", long(u64::MAX)),
        ("Version", vec![0xc0]),
    ]);
    map(&[
        ("AgentHostname", text("agent-1")),
        ("Stats", list(&[client])),
        ("ClientComputed", vec![0xc3]),
        ("SplitPayload", vec![0xc2]),
    ])
}

#[test]
fn a_payload_is_read_with_its_sketches() {
    let body = payload(&[
        ("Service", text("web")),
        ("HTTPStatusCode", vec![0xcd, 0x01, 0xf4]),
        ("Hits", vec![3]),
        ("Errors", vec![0xcc, 1]),
        ("OkSummary", binary(&sketch(&[1.0, 0.0, 1.0], 2 * 690))),
        ("ErrorSummary", binary(&[])),
        ("PeerTags", list(&[text("peer.service:db")])),
        ("IsTraceRoot", vec![2]),
        ("srv_src", text("opt.tag")),
    ]);
    let payload = decode(Route::TraceStats, &body).unwrap();
    assert_eq!(payload.remarks, Vec::<String>::new());
    let stats = payload.stats.unwrap();
    assert_eq!(
        (&*stats.agent_host, stats.is_client_computed, stats.is_split),
        ("agent-1", true, false)
    );
    let client = &stats.clients[0];
    assert_eq!((&*client.hostname, &*client.tags[0]), ("web-1", "a:b"));
    assert_eq!((client.process_tags_hash, client.buckets[0].agent_time_shift_ns), (u64::MAX, -1));
    let group = &client.buckets[0].groups[0];
    assert_eq!((group.hits, group.errors, group.key.http_status), (3, 1, 500));
    assert_eq!((&*group.key.service_source, group.key.trace_root), ("opt.tag", 2));
    assert_eq!(&*group.key.peer_tags[0], "peer.service:db");
    assert_eq!(group.error, None);
    let ok = group.ok.as_ref().unwrap();
    assert_eq!(ok.bins, [(690, 1.0), (691, 0.0), (692, 1.0)]);
    assert!(ok.has_stores);
    // spec: apm §9.5, one millisecond has index 690.
    let median = ok.quantile(0.0).unwrap();
    assert!((median / 1e6 - 1.0).abs() < 0.02, "{median}");
}

#[test]
fn both_forms_of_a_store_are_read() {
    let entry = field(1, &[varint(1 << 3), varint(3), double(2, 4.0)].concat());
    let body = [field(1, &double(1, 1.5)), field(3, &entry), double(4, 2.0)].concat();
    let payload = payload(&[("OkSummary", binary(&body))]);
    let stats = decode(Route::TraceStats, &payload).unwrap().stats.unwrap();
    let sketch = stats.groups().next().unwrap().ok.clone().unwrap();
    let expected = LatencySketch {
        gamma: 1.5,
        zero_count: 2.0,
        negative_bins: vec![(-2, 4.0)],
        ..LatencySketch::default()
    };
    assert_eq!((sketch.count(), sketch), (6.0, expected));
}

#[test]
fn defects_are_refused_or_remarked() {
    for (group, what) in [
        (("Service", vec![0x01]), "a number is not a string"),
        (("Hits", vec![0xff]), "a negative number is not a number from 0"),
        (("OkSummary", binary(&[0x0b])), "DDSketch: field 1 has wire type 3"),
        (("OkSummary", binary(&field(2, &field(2, &[1])))), "not a list of eight bytes"),
        (("Service", binary(&[0xff])), "not UTF-8"),
    ] {
        let error = decode(Route::TraceStats, &payload(&[group])).unwrap_err().to_string();
        assert!(error.contains(what), "{error}, not {what}");
    }
    let body = payload(&[("Hits", vec![1]), ("Hits", vec![2]), ("New", vec![0x91, 0xc0])]);
    let remarks = decode(Route::TraceStats, &body).unwrap().remarks;
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    let trailing = [body, vec![0]].concat();
    assert!(decode(Route::TraceStats, &trailing).is_err());
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let sketch = binary(&sketch(&[1.0], 10));
        let mut body = payload(&[("Service", text("web")), ("OkSummary", sketch)]);
        let at = at.index(body.len());
        body[at] = byte;
        let _is_read = decode(Route::TraceStats, &body).is_ok();
        body.truncate(at);
        let _is_read = decode(Route::TraceStats, &body).is_ok();
    }
}
