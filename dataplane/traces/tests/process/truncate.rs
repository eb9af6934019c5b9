//! apm §6.5.

use corelane_traces::{Features, Settings};
use span::Format;

use crate::support::{BOTH, Make, Typed, batch, chunk, run, run_spans, span};

#[test]
fn resources_are_cut_without_a_sign() {
    for format in BOTH {
        let made = Make { resource: format!("{}é", "r".repeat(4999)), ..span(1, 0) };
        let done = run_spans(format, &[made]);
        assert_eq!(done.text(done.span(0).resource), "r".repeat(4999));
        let features = Features::of(["big_resource"]);
        let made = Make { resource: "r".repeat(15_001), ..span(1, 0) };
        let settings = Settings { features, ..Settings::default() };
        let done = run(settings, batch(format, &[chunk(&[made])]));
        assert_eq!(done.text(done.span(0).resource).len(), 15_000);
    }
}

#[test]
fn keys_and_values_are_cut_with_a_sign() {
    let long = "k".repeat(201);
    let cut = format!("{}...", "k".repeat(200));
    for format in BOTH {
        let done = run_spans(format, &[span(1, 0).meta(&long, &"v".repeat(25_001))]);
        assert_eq!(done.meta(0, &cut), Some(format!("{}...", "v".repeat(25_000))));
        let done = run_spans(format, &[span(1, 0).metric(&long, 1.5)]);
        assert_eq!(done.metric(0, &cut), Some(1.5));
        let (key, value) = ("k".repeat(200), "v".repeat(25_000));
        let done = run_spans(format, &[span(1, 0).meta(&key, &value)]);
        assert_eq!(done.meta(0, &key), Some(value));
    }
}

#[test]
fn structured_data_is_not_cut() {
    for format in BOTH {
        for suffix in ["json", "msgpack", "protobuf"] {
            let key = format!("_dd.{}.{suffix}", "k".repeat(250));
            let done = run_spans(format, &[span(1, 0).meta(&key, &"v".repeat(25_001))]);
            assert_eq!(done.meta(0, &key).map(|value| value.len()), Some(25_001));
        }
    }
}

#[test]
fn binary_data_is_not_cut_before_v1() {
    let key = "k".repeat(201);
    let made = span(1, 0).typed(&key, Typed::Bytes(vec![7; 30_000]));
    let done = run_spans(Format::V04, &[made]);
    assert_eq!(done.value(0, &key), Some(Typed::Bytes(vec![7; 30_000])));
}
