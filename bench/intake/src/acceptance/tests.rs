mod apm;
mod logs;

use super::{Overwrites, Report, Rule, Rules, check_headers, check_payload};
use crate::{
    Check, Event, Metadata, Metric, MetricKind, Payload, Point, Points, Provenance, Request,
    Resource, Route, SketchPoint,
};

const NOW: i64 = 1_700_000_000;

fn gauge() -> Metric {
    Metric {
        name: "q.len".into(),
        kind: MetricKind::Gauge,
        tags: ["a:b", "env:prod"].map(Into::into).into(),
        host: Some("web-1".into()),
        resources: [Resource { kind: "host".into(), name: "web-1".into() }].into(),
        interval_secs: 10,
        unit: "".into(),
        source_type_name: "".into(),
        provenance: Some(Provenance { product: 10, category: 10, service: 0 }),
        is_no_index: false,
        points: Points::Values(vec![Point { timestamp_secs: NOW, value: 7.0 }]),
        route: Route::SeriesV2,
    }
}

fn point() -> SketchPoint {
    SketchPoint {
        timestamp_secs: NOW,
        count: 3,
        min: 1.0,
        max: 3.0,
        avg: 2.0,
        sum: 6.0,
        bins: vec![(1338, 1), (1383, 1), (1409, 1)],
        is_paired: true,
    }
}

fn sketch(point: SketchPoint) -> Metric {
    Metric {
        kind: MetricKind::Sketch,
        resources: [].into(),
        interval_secs: 0,
        points: Points::Sketches(vec![point]),
        route: Route::SketchesV2,
        ..gauge()
    }
}

fn broken(payload: &Payload, route: Route) -> Vec<Rule> {
    let mut report = Report::new(1);
    check_payload(route, 100, 200, payload, &Rules::default(), NOW, &mut report);
    assert_eq!(report.is_clean(), report.violations().is_empty());
    report.counts().keys().copied().collect()
}

fn of_metric(metric: Metric) -> Vec<Rule> {
    let route = metric.route;
    broken(&Payload { metrics: vec![metric], ..Payload::default() }, route)
}

#[test]
fn sound_metrics_are_accepted() {
    assert_eq!(of_metric(gauge()), []);
    assert_eq!(of_metric(Metric { kind: MetricKind::Rate, ..gauge() }), []);
    assert_eq!(of_metric(sketch(point())), []);
    let v3 = Metric { resources: [].into(), host: None, route: Route::SeriesV3, ..gauge() };
    assert_eq!(of_metric(v3), []);
}

#[test]
fn each_defect_of_a_series_is_named() {
    let resource = |kind: &str, name: &str| Resource { kind: kind.into(), name: name.into() };
    let at = |timestamp_secs, value| Points::Values(vec![Point { timestamp_secs, value }]);
    for (metric, rule) in [
        (Metric { name: "".into(), ..gauge() }, Rule::EmptyName),
        (Metric { tags: ["".into()].into(), ..gauge() }, Rule::EmptyTag),
        (Metric { tags: ["a".into(), "a".into()].into(), ..gauge() }, Rule::DuplicateTag),
        (Metric { tags: ["device:sda".into()].into(), ..gauge() }, Rule::Resource),
        (Metric { resources: [].into(), ..gauge() }, Rule::Resource),
        (Metric { resources: [resource("device", "x")].into(), ..gauge() }, Rule::Resource),
        (
            Metric { resources: [resource("host", "")].into(), route: Route::SeriesV3, ..gauge() },
            Rule::Resource,
        ),
        (Metric { provenance: None, ..gauge() }, Rule::Provenance),
        (Metric { provenance: Some(Provenance::default()), ..gauge() }, Rule::Provenance),
        (Metric { kind: MetricKind::Rate, interval_secs: 0, ..gauge() }, Rule::Interval),
        (Metric { interval_secs: -1, ..gauge() }, Rule::Interval),
        (Metric { points: Points::Values(vec![]), ..gauge() }, Rule::NoPoints),
        (Metric { points: at(NOW, f64::NAN), ..gauge() }, Rule::NotFinite),
        (Metric { points: at(NOW, f64::INFINITY), ..gauge() }, Rule::NotFinite),
        (Metric { points: at(0, 1.0), ..gauge() }, Rule::Timestamp),
        (Metric { points: at(NOW * 1000, 1.0), ..gauge() }, Rule::Timestamp),
    ] {
        assert_eq!(of_metric(metric.clone()), [rule], "{metric:?}");
    }
}

#[test]
fn each_defect_of_a_sketch_is_found() {
    for wrong in [
        SketchPoint { count: 4, ..point() },
        SketchPoint { min: 3.5, ..point() },
        SketchPoint { avg: 9.0, ..point() },
        SketchPoint { max: 30.0, ..point() },
        SketchPoint { min: 0.1, ..point() },
        SketchPoint { is_paired: false, ..point() },
        SketchPoint { bins: vec![], count: 0, ..point() },
        SketchPoint { bins: vec![(1383, 2), (1338, 1)], ..point() },
        SketchPoint { bins: vec![(1338, 2), (1383, 0), (1409, 1)], ..point() },
    ] {
        assert_eq!(of_metric(sketch(wrong.clone())), [Rule::Sketch], "{wrong:?}");
    }
    let infinite = SketchPoint { sum: f64::INFINITY, ..point() };
    assert_eq!(of_metric(sketch(infinite)), [Rule::NotFinite]);
    assert_eq!(of_metric(Metric { interval_secs: 10, ..sketch(point()) }), [Rule::Interval]);
}

#[test]
fn device_stays_a_tag_on_sketches() {
    assert_eq!(of_metric(Metric { tags: ["device:sda".into()].into(), ..sketch(point()) }), []);
}

#[test]
fn sizes_counts_and_emptiness_are_checked() {
    let payload = Payload { metrics: vec![gauge()], ..Payload::default() };
    let mut report = Report::new(7);
    let rules = Rules { points_max: 0, ..Rules::default() };
    check_payload(Route::SeriesV2, 512_001, 5_242_881, &payload, &rules, NOW, &mut report);
    assert_eq!(report.counts()[&Rule::TooLarge], 2);
    assert_eq!(report.counts()[&Rule::TooManyPoints], 1);
    assert!(report.violations().iter().all(|violation| violation.request_id == 7));
    assert_eq!(broken(&Payload::default(), Route::SeriesV2), [Rule::EmptyPayload]);
    assert_eq!(broken(&Payload::default(), Route::Validate), []);
}

#[test]
fn a_narrow_window_of_time_can_be_asked_for() {
    let payload = Payload { metrics: vec![gauge()], ..Payload::default() };
    for (now_secs, is_clean) in [(NOW + 60, true), (NOW + 61, false)] {
        let rules = Rules { past_secs_max: Some(60), now_secs: Some(now_secs), ..Rules::default() };
        let mut report = Report::default();
        check_payload(Route::SeriesV2, 1, 1, &payload, &rules, 0, &mut report);
        assert_eq!(report.is_clean(), is_clean, "{now_secs}");
    }
}

#[test]
fn events_and_checks_are_checked() {
    let event = Event { title: "t".into(), timestamp_secs: NOW, ..Event::default() };
    let check = Check { name: "c".into(), timestamp_secs: NOW, ..Check::default() };
    let sound =
        Payload { events: vec![event.clone()], checks: vec![check.clone()], ..Payload::default() };
    assert_eq!(broken(&sound, Route::Intake), []);
    for wrong in [
        Event { title: String::new(), ..event.clone() },
        Event { priority: "high".into(), ..event.clone() },
        Event { alert_type: "fatal".into(), ..event },
    ] {
        let payload = Payload { events: vec![wrong], ..Payload::default() };
        assert_eq!(broken(&payload, Route::EventsBatch), [Rule::Event]);
    }
    for wrong in
        [Check { name: String::new(), ..check.clone() }, Check { status: 4, ..check.clone() }]
    {
        let payload = Payload { checks: vec![wrong], ..Payload::default() };
        assert_eq!(broken(&payload, Route::CheckRun), [Rule::Check]);
    }
    let many = Payload { checks: vec![check; 101], ..Payload::default() };
    assert_eq!(broken(&many, Route::CheckRun), [Rule::TooManyItems]);
}

#[test]
fn host_metadata_needs_its_minimal_subset() {
    let full = serde_json::json!({
        "internalHostname": "h", "agentVersion": "7.0.0", "os": "linux", "agent-flavor": "agent",
        "meta": {"hostname": "h", "socket-hostname": "h"}, "host-tags": {"system": []},
        "systemStats": {}, "gohai": "{}",
    });
    let of = |document| Payload { metadata: vec![Metadata::Host(document)], ..Payload::default() };
    assert_eq!(broken(&of(full.clone()), Route::Intake), []);
    let mut cut = full.clone();
    cut["gohai"] = serde_json::json!({});
    assert_eq!(broken(&of(cut), Route::Intake), [Rule::HostMetadata]);
    let mut cut = full;
    cut["meta"] = serde_json::json!({});
    assert_eq!(broken(&of(cut), Route::Intake), [Rule::HostMetadata]);
}

#[test]
fn headers_are_checked() {
    let headers = [
        ("content-type", "application/x-protobuf"),
        ("user-agent", "datadog-agent/7.0.0"),
        ("dd-agent-version", "7.0.0"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let sound = Request { route: Some(Route::SeriesV2), headers, ..Request::default() };
    let count = |request: &Request| {
        let mut report = Report::default();
        check_headers(request, &mut report);
        report.violations().len()
    };
    assert_eq!(count(&sound), 0);
    assert_eq!(count(&Request { route: Some(Route::SeriesV1), ..sound.clone() }), 1);
    assert_eq!(count(&Request { headers: vec![], ..sound }), 3);
}

#[test]
fn a_second_value_for_a_timestamp_is_found_across_payloads() {
    let mut overwrites = Overwrites::new(10);
    let mut report = Report::default();
    assert_eq!(overwrites.record("key", &gauge(), &mut report), 0);
    let other = Metric { tags: ["a:c".into()].into(), ..gauge() };
    assert_eq!(overwrites.record("key", &other, &mut report), 0);
    assert_eq!(overwrites.record("other key", &gauge(), &mut report), 0);
    assert!(report.is_clean());
    assert_eq!(overwrites.record("key", &gauge(), &mut report), 1);
    assert_eq!(report.counts()[&Rule::Overwrites], 1);
}

#[test]
fn overwrites_remember_a_bounded_past() {
    let mut overwrites = Overwrites::new(4);
    let mut report = Report::default();
    let at = |timestamp_secs| Metric {
        points: Points::Values(vec![Point { timestamp_secs, value: 1.0 }]),
        ..gauge()
    };
    for timestamp_secs in 0..9 {
        assert_eq!(overwrites.record("", &at(timestamp_secs), &mut report), 0);
    }
    assert_eq!(overwrites.record("", &at(5), &mut report), 1, "within the last four");
    assert_eq!(overwrites.record("", &at(0), &mut report), 0, "forgotten");
}

#[test]
fn a_report_describes_a_hundred_and_counts_all() {
    let mut report = Report::default();
    for _ in 0..250 {
        report.add(Rule::EmptyName, String::new);
    }
    assert_eq!((report.violations().len(), report.counts()[&Rule::EmptyName]), (100, 250));
}
