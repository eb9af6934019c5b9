//! Samples with a timestamp of their own. spec: dogstatsd §9, §15.4 A11.

use std::time::{SystemTime, UNIX_EPOCH};

use intake::{MetricKind, Point};
use signal::Counter;

use crate::deliver::{deliver, names, only};

#[test]
fn timestamped_samples_keep_their_time() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let then = i64::try_from(now).expect("a clock before the end of time") - 100;
    let packets =
        [format!("m:60|g|T{then}"), format!("n:60|c|@0.5|T{then}"), format!("o:1|d|T{then}")];
    let packets: Vec<&str> = packets.iter().map(String::as_str).collect();
    let finished = deliver(|_, settings| settings, &packets);
    assert_eq!(names(&finished), ["m", "n"]);
    let gauge = only(&finished, "m");
    assert_eq!(gauge.points.values(), [Point { timestamp_secs: then, value: 60.0 }]);
    let count = only(&finished, "n");
    assert_eq!((count.kind, count.interval_secs), (MetricKind::Rate, 10));
    // 60 / 0.5 over an interval of 10 s would be 12; the reference says 6: the weight is not used.
    assert_eq!(count.points.timestamps().collect::<Vec<_>>(), [then]);
    assert_eq!(finished.snapshot.total(Counter::DroppedTimedType), 1);
    assert_eq!(finished.snapshot.total(Counter::RecordedTimed), 2);
}

#[test]
fn without_the_pipeline_the_timestamp_is_not_read() {
    let finished = deliver(
        |_, settings| settings.set("dogstatsd_no_aggregation_pipeline", false),
        &["m:60|g|T17", "n:5|c|Tnonsense"],
    );
    let at = only(&finished, "m").points.timestamps().next().expect("a point");
    assert!(at > 1_000_000_000, "aggregated now, not at {at}");
    assert_eq!(finished.snapshot.total(Counter::Recorded), 2);
}
