//! Properties that tests and fuzz targets share.

use crate::client::{AggregatorSettings, ClientAggregator, ClientDecoding, ClientPayload};
use crate::payload::{ContainerTags, StatsHeader, encode_payloads};
use crate::sketch::Sketch;

/// Any bytes decode to a sketch or an error; a sketch reads again as what was written.
///
/// # Panics
/// One of these is not so.
pub fn check_sketch(bytes: &[u8]) {
    let Ok(sketch) = Sketch::decode(bytes) else { return };
    assert!(sketch.bins().1.len() <= crate::BIN_LIMIT, "a sketch has too many bins");
    let mut encoded = Vec::new();
    sketch.encode(&mut encoded);
    let Ok(decoded) = Sketch::decode(&encoded) else { unreachable!("what is written can be read") };
    assert_eq!(decoded, sketch, "a sketch changed on the wire");
}

/// Any body decodes to a payload or an error; what it counts leaves the aggregator once, also when
/// the body comes twice.
///
/// # Panics
/// One of these is not so.
pub fn check_client_stats(body: &[u8]) {
    let mut sliced = ClientDecoding::default();
    let end = loop {
        match sliced.step(body, 1) {
            Ok(true) => break Ok(sliced.payload),
            Ok(false) => {}
            Err(error) => break Err(error),
        }
    };
    let whole = ClientPayload::decode(body);
    assert_eq!(end, whole, "slices change the result");
    let Ok(payload) = whole else { return };
    let now_ns = payload.buckets.first().map_or(0, |bucket| bucket.start_ns);
    let mut aggregator = ClientAggregator::new(AggregatorSettings::default(), now_ns);
    let hits = payload.hits();
    aggregator.add::<&str>(now_ns, payload.clone(), &[]);
    aggregator.add::<&str>(now_ns, payload, &[]);
    let closed = aggregator.flush(now_ns, true);
    let groups = closed.iter().flat_map(|bucket| bucket.groups());
    let counted = groups.fold(0_u64, |sum, group| sum.saturating_add(group.cell.hits));
    assert_eq!(counted, hits.saturating_mul(2), "hits are counted once");
    assert_eq!(aggregator.tally().dropped_hits, 0, "one body is within the limits");
    let header = StatsHeader { is_client_computed: true, ..StatsHeader::default() };
    let mut group_count = 0;
    for bucket in &closed {
        let tags_of = |_: &str| ContainerTags::Failed;
        encode_payloads(
            &header,
            std::slice::from_ref(bucket),
            || 0.0,
            tags_of,
            |body| {
                group_count += body.group_count;
            },
        );
    }
    let expected: usize = closed.iter().map(crate::Bucket::group_count).sum();
    assert_eq!(group_count, expected, "every group is sent once");
}
