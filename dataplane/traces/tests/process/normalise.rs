//! apm §6.1.

use corelane_traces::{Dropped, Features, Malformed, PayloadHead, Settings};
use span::Format;

use crate::support::{
    BOTH, Done, Make, NOW_NS, batch, chunk, processor, run, run_spans, run_with, span,
};

fn is_dropped(done: &Done, reason: Dropped) {
    assert!(done.batch.chunks.is_empty());
    assert_eq!(done.counts().traces_dropped(reason), 1);
    assert_eq!(done.counts().spans_dropped(reason), done.counts().spans_received);
}

fn malformed(done: &Done, reason: Malformed) {
    for other in Malformed::ALL {
        let expected = u64::from(other == reason);
        assert_eq!(done.counts().malformed(other), expected, "{}", other.as_str());
    }
}

#[test]
fn an_empty_chunk_is_dropped() {
    for format in BOTH {
        is_dropped(&run_spans(format, &[]), Dropped::Empty);
    }
}

#[test]
fn spans_of_two_traces_are_dropped_with_their_chunk() {
    let spans = [span(1, 0), Make { trace_id: 78, ..span(2, 1) }];
    is_dropped(&run_spans(Format::V04, &spans), Dropped::ForeignSpan);
    assert_eq!(run_spans(Format::V1, &spans).counts().spans_kept, 2);
}

#[test]
fn ids_of_zero_drop_the_chunk() {
    let spans = [Make { trace_id: 0, ..span(1, 0) }];
    is_dropped(&run_spans(Format::V04, &spans), Dropped::TraceIdZero);
    assert_eq!(run_spans(Format::V1, &spans).counts().spans_kept, 1);
    for format in BOTH {
        is_dropped(&run_spans(format, &[span(1, 0), span(0, 1)]), Dropped::SpanIdZero);
    }
}

#[test]
fn duplicate_span_ids_are_counted() {
    for format in BOTH {
        let done = run_spans(format, &[span(1, 0), span(2, 1), span(2, 1)]);
        malformed(&done, Malformed::DuplicateSpanId);
        assert_eq!(done.counts().spans_kept, 3);
    }
}

#[test]
fn services_are_normalised() {
    let head = PayloadHead { language: "python", ..PayloadHead::default() };
    let cases = [
        ("", "unnamed-python-service", Some(Malformed::ServiceEmpty)),
        ("   ", "unnamed-python-service", Some(Malformed::ServiceInvalid)),
        ("My Shop!", "my_shop", None),
    ];
    for format in BOTH {
        for (service, expected, flaw) in cases {
            let made = [chunk(&[Make { service: service.into(), ..span(1, 0) }])];
            let processor = processor(Settings::default(), sampling::SamplingSettings::default());
            let done = run_with(processor, batch(format, &made), &head);
            assert_eq!(done.text(done.span(0).service), expected);
            if let Some(flaw) = flaw {
                malformed(&done, flaw);
            }
        }
        let done = run_spans(format, &[Make { service: "x".repeat(101), ..span(1, 0) }]);
        assert_eq!(done.text(done.span(0).service), "x".repeat(100));
        malformed(&done, Malformed::ServiceTruncated);
        let done = run_spans(format, &[Make { service: String::new(), ..span(1, 0) }]);
        assert_eq!(done.text(done.span(0).service), "unnamed-service");
    }
}

#[test]
fn peer_and_base_services_are_normalised() {
    use Malformed::{
        BaseServiceInvalid, BaseServiceTruncated, PeerServiceInvalid, PeerServiceTruncated,
    };
    let keys = [
        ("peer.service", PeerServiceTruncated, PeerServiceInvalid),
        ("_dd.base_service", BaseServiceTruncated, BaseServiceInvalid),
    ];
    for format in BOTH {
        for (key, truncated, invalid) in keys {
            let done = run_spans(format, &[span(1, 0).meta(key, &"Y".repeat(120))]);
            assert_eq!(done.meta(0, key), Some("y".repeat(100)));
            malformed(&done, truncated);
            let done = run_spans(format, &[span(1, 0).meta(key, "!!")]);
            assert_eq!(done.meta(0, key), Some(String::new()));
            malformed(&done, invalid);
            assert_eq!(run_spans(format, &[span(1, 0)]).meta(0, key), None);
        }
    }
}

#[test]
fn the_component_may_be_the_name() {
    for format in BOTH {
        let made = [chunk(&[span(1, 0).meta("component", "net/http")])];
        let features = Features::of(["component2name"]);
        let done = run(Settings { features, ..Settings::default() }, batch(format, &made));
        assert_eq!(done.text(done.span(0).name), "net_http");
        let done = run(Settings::default(), batch(format, &made));
        assert_eq!(done.text(done.span(0).name), "http.request");
    }
}

#[test]
fn names_are_normalised_and_stand_in_for_resources() {
    for format in BOTH {
        let done = run_spans(format, &[Make { name: String::new(), ..span(1, 0) }]);
        assert_eq!(done.text(done.span(0).name), "unnamed_operation");
        malformed(&done, Malformed::NameEmpty);
        let done = run_spans(format, &[Make { name: "123".into(), ..span(1, 0) }]);
        malformed(&done, Malformed::NameInvalid);
        let done = run_spans(format, &[Make { name: "n".repeat(101), ..span(1, 0) }]);
        assert_eq!(done.text(done.span(0).name).len(), 100);
        malformed(&done, Malformed::NameTruncated);
        let made = Make { name: "bad-name".into(), resource: String::new(), ..span(1, 0) };
        let done = run_spans(format, &[made]);
        assert_eq!(done.text(done.span(0).resource), "bad_name");
        malformed(&done, Malformed::ResourceEmpty);
    }
}

#[test]
fn a_span_is_not_its_own_parent() {
    let own = Make { trace_id: 9, ..span(9, 9) };
    for format in BOTH {
        assert_eq!(run_spans(format, std::slice::from_ref(&own)).span(0).parent_id, 0);
    }
    // In the formats before v1.0 the trace id must be the same, too.
    assert_eq!(run_spans(Format::V04, &[span(9, 9)]).span(0).parent_id, 9);
    assert_eq!(run_spans(Format::V1, &[span(9, 9)]).span(0).parent_id, 0);
}

#[test]
fn impossible_durations_become_zero() {
    for format in BOTH {
        for duration_ns in [-1, i64::MIN, i64::MAX] {
            let done = run_spans(format, &[Make { duration_ns, ..span(1, 0) }]);
            assert_eq!(done.span(0).duration_ns, 0);
            malformed(&done, Malformed::InvalidDuration);
        }
    }
}

#[test]
fn starts_before_the_year_2000_become_now() {
    for format in BOTH {
        for start_ns in [0, -5, 946_684_799_999_999_999] {
            let done = run_spans(format, &[Make { start_ns, ..span(1, 0) }]);
            assert_eq!(done.span(0).start_ns as u64, NOW_NS - 1_000_000);
            malformed(&done, Malformed::InvalidStart);
        }
        let made = Make { start_ns: 0, duration_ns: NOW_NS as i64 + 1, ..span(1, 0) };
        assert_eq!(run_spans(format, &[made]).span(0).start_ns as u64, NOW_NS);
        let made = Make { start_ns: 946_684_800_000_000_000, ..span(1, 0) };
        assert_eq!(run_spans(format, &[made]).span(0).start_ns, 946_684_800_000_000_000);
    }
}

#[test]
fn long_types_are_cut_between_characters() {
    for format in BOTH {
        let made = Make { span_type: format!("{}é", "t".repeat(99)), ..span(1, 0) };
        let done = run_spans(format, &[made]);
        assert_eq!(done.text(done.span(0).span_type), "t".repeat(99));
        malformed(&done, Malformed::TypeTruncated);
    }
}

#[test]
fn env_is_a_tag_value() {
    for format in BOTH {
        let done = run_spans(format, &[span(1, 0).meta("env", "Pre Prod")]);
        assert_eq!(done.meta(0, "env").as_deref(), Some("pre_prod"));
    }
}

#[test]
fn an_impossible_http_status_is_removed() {
    for format in BOTH {
        for status in ["99", "600", "abc", "", "200.0", "-200"] {
            let done = run_spans(format, &[span(1, 0).meta("http.status_code", status)]);
            assert_eq!(done.meta(0, "http.status_code"), None, "{status}");
            malformed(&done, Malformed::InvalidHttpStatus);
        }
        for status in ["100", "599"] {
            let done = run_spans(format, &[span(1, 0).meta("http.status_code", status)]);
            assert_eq!(done.meta(0, "http.status_code").as_deref(), Some(status));
        }
    }
    // A metric of that name is another key before v1.0.
    let done = run_spans(Format::V04, &[span(1, 0).metric("http.status_code", 42.0)]);
    assert_eq!(done.metric(0, "http.status_code"), Some(42.0));
    let done = run_spans(Format::V1, &[span(1, 0).metric("http.status_code", 42.0)]);
    assert_eq!(done.metric(0, "http.status_code"), None);
}

#[test]
fn names_of_links_are_normalised() {
    for format in BOTH {
        let links = vec![vec![
            ("link.name".to_owned(), "a link!".to_owned()),
            ("other".to_owned(), "a link!".to_owned()),
        ]];
        let done = run_spans(format, &[Make { links, ..span(1, 0) }]);
        let entries = done.entries(done.batch.links[0].attributes);
        let texts: Vec<String> = entries.iter().map(|(_, value)| format!("{value:?}")).collect();
        assert_eq!(texts, [r#"Text("a_link")"#, r#"Text("a link!")"#]);
    }
}
