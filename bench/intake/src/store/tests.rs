use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::{Keep, LATEST_MAX, Store};
use crate::acceptance::Report;
use crate::{Exchange, Payload, Request, Route, decode};

fn series(name: &str, value: f64, timestamp_secs: i64) -> Payload {
    let body = format!(
        r#"{{"series":[{{"metric":"{name}","points":[[{timestamp_secs},{value}]],
            "tags":["env:prod"],"host":"h","type":"rate","interval":10}}]}}"#
    );
    decode(Route::SeriesV1, body.as_bytes()).unwrap()
}

fn record(store: &Store, payload: Payload, body_hash: Option<u64>) -> Exchange {
    let request = Request {
        route: Some(Route::SeriesV1),
        status: Some(202),
        is_accepted: true,
        ..Request::default()
    };
    store.record(request, payload, Report::default(), body_hash)
}

#[test]
fn totals_follow_the_requests() {
    let store = Store::new(Keep::All);
    record(&store, series("a", 1.5, 10), None);
    record(&store, series("a", 2.0, 20), None);
    record(&store, series("b", 1.0, 10), None);
    assert!((store.total_of("a") - 35.0).abs() < 1e-9);
    let totals = store.totals();
    assert_eq!((totals.points, totals.series, totals.contexts), (3, 3, 2));
    assert_eq!(totals.requests[&("series_v1", 202)], 3);
    assert!((totals.by_name["a"].counted - 35.0).abs() < 1e-9);
    assert_eq!(store.metrics_named("b").len(), 1);
    assert!(store.read(|contents| contents.total_tagged("b", "env:prod")) > 9.0);
    store.reset();
    assert_eq!((store.metrics().len(), store.totals().points), (0, 0));
}

#[test]
fn waiting_ends_with_the_request_that_was_waited_for() {
    let store = Arc::new(Store::new(Keep::All));
    let other = Arc::clone(&store);
    let waiting = thread::spawn(move || {
        other.wait_until(Duration::from_secs(30), |contents| contents.totals.points == 2)
    });
    record(&store, series("a", 1.0, 10), None);
    record(&store, series("a", 1.0, 20), None);
    assert!(waiting.join().unwrap());
    assert!(!store.wait_until(Duration::from_millis(1), |contents| contents.totals.points == 3));
}

#[test]
fn overwritten_points_are_counted() {
    let store = Store::new(Keep::Totals);
    record(&store, series("a", 1.0, 10), None);
    let exchange = record(&store, series("a", 2.0, 10), None);
    assert_eq!((exchange.violations.len(), store.totals().overwrites), (1, 1));
    assert_eq!(store.totals().violation_count(), 1);
}

#[test]
fn a_body_whose_answer_was_lost_counts_once() {
    let store = Store::new(Keep::All);
    record(&store, series("a", 1.0, 10), Some(5));
    let again = record(&store, series("a", 1.0, 10), Some(5));
    assert!(again.request.is_resent);
    assert_eq!((store.totals().points, store.totals().resent), (1, 1));
    store.mark_answered(5);
    let overwritten = record(&store, series("a", 1.0, 10), Some(5));
    assert!(!overwritten.request.is_resent);
    assert_eq!(store.totals().overwrites, 1);
}

#[test]
fn totals_alone_stay_small() {
    let store = Store::new(Keep::Totals);
    for index in 0..2 * LATEST_MAX {
        record(&store, series("a", 1.0, i64::try_from(index).unwrap()), None);
    }
    store.read(|contents| {
        assert!(contents.metrics.is_empty());
        assert_eq!(contents.requests.len(), LATEST_MAX);
        assert_eq!(contents.totals.points, 2 * LATEST_MAX as u64);
    });
}
