//! apm §6 steps 1 to 3, 4 g, i, k, n and o.

use corelane_traces::{InstallSignature, PayloadHead, Settings};
use sampling::SamplingSettings;
use span::{Batch, Format};

use crate::support::{
    BOTH, Done, Make, NOW_NS, batch, chunk, processor, run, run_spans, run_with, span,
};

fn head_run(batch: Batch, head: &PayloadHead<'_>) -> Done {
    run_with(processor(Settings::default(), SamplingSettings::default()), batch, head)
}

#[test]
fn a_payload_without_chunks_is_ignored() {
    for format in BOTH {
        let done = run(Settings::default(), batch(format, &[]));
        assert_eq!((done.counts().payloads_received, done.counts().payloads_empty), (1, 1));
        assert!(done.pieces.is_empty());
    }
}

#[test]
fn the_environment_is_a_tag_value() {
    for format in BOTH {
        let mut made = batch(format, &[chunk(&[span(1, 0)])]);
        made.header.env = made.strings.add("Pre Prod");
        let done = run(Settings::default(), made);
        assert_eq!(done.text(done.batch.header.env), "pre_prod");
    }
}

#[test]
fn headers_complete_the_formats_that_have_no_header() {
    let head = PayloadHead {
        language: "go",
        language_version: "1.26",
        tracer_version: "v2.1",
        container_id: "cid",
        ..PayloadHead::default()
    };
    for format in [Format::V04, Format::V05, Format::V07, Format::V1] {
        let mut made = batch(format, &[chunk(&[span(1, 0)])]);
        if matches!(format, Format::V07 | Format::V1) {
            made.header.language_name = made.strings.add("rust");
            made.header.container_id = made.strings.add("own");
        }
        let done = head_run(made, &head);
        let header = done.batch.header;
        let texts = [header.language_name, header.language_version, header.container_id];
        let expected = match format {
            Format::V07 | Format::V1 => ["rust", "", "own"],
            _ => ["go", "1.26", "cid"],
        };
        assert_eq!(texts.map(|text| done.text(text)), expected);
    }
}

#[test]
fn tags_of_the_container_are_attached_once() {
    let head = PayloadHead { container_tags: "a:1,b:2", ..PayloadHead::default() };
    for format in BOTH {
        let done = head_run(batch(format, &[chunk(&[span(1, 0)])]), &head);
        assert_eq!(done.payload_tag("_dd.tags.container").as_deref(), Some("a:1,b:2"));
        let again = head_run(done.batch, &PayloadHead { container_tags: "c:3", ..head });
        assert_eq!(again.payload_tag("_dd.tags.container").as_deref(), Some("a:1,b:2"));
    }
}

#[test]
fn tags_of_the_process_come_from_the_first_that_has_them() {
    let with =
        || batch(Format::V04, &[chunk(&[]), chunk(&[span(1, 0).meta("_dd.tags.process", "s:1")])]);
    let head = PayloadHead { process_tags: "h:1", ..PayloadHead::default() };
    let done = head_run(with(), &head);
    assert_eq!(done.payload_tag("_dd.tags.process").as_deref(), Some("s:1"));
    let done = head_run(batch(Format::V04, &[chunk(&[span(1, 0)])]), &head);
    assert_eq!(done.payload_tag("_dd.tags.process").as_deref(), Some("h:1"));
    let again = head_run(done.batch, &PayloadHead::default());
    assert_eq!(again.payload_tag("_dd.tags.process").as_deref(), Some("h:1"));
}

#[test]
fn the_payload_takes_over_what_spans_say() {
    let made = [chunk(&[
        span(2, 1).meta("env", "first").meta("version", "1").meta("_dd.hostname", "child"),
        span(3, 1).meta("env", "second").meta("version", "2"),
        span(1, 0).meta("_dd.hostname", "root").meta("version", "3"),
    ])];
    for format in BOTH {
        let done = run(Settings::default(), batch(format, &made));
        let header = done.batch.header;
        let texts = [header.hostname, header.env, header.app_version];
        assert_eq!(texts.map(|text| done.text(text)), ["root", "first", "3"]);
        let mut held = batch(format, &made);
        held.header.hostname = held.strings.add("h");
        held.header.env = held.strings.add("e");
        held.header.app_version = held.strings.add("v");
        let done = run(Settings::default(), held);
        let header = done.batch.header;
        let texts = [header.hostname, header.env, header.app_version];
        assert_eq!(texts.map(|text| done.text(text)), ["h", "e", "v"]);
    }
}

#[test]
fn the_rate_of_the_client_is_noted_at_the_root() {
    for format in BOTH {
        let rate = |made: Make| run_spans(format, &[made]).metric(0, "_dd1.sr.rcusr");
        assert_eq!(rate(span(1, 0).metric("_sample_rate", 0.25)), Some(0.25));
        assert_eq!(rate(span(1, 0).metric("_sample_rate", 1.0).metric("_dd1.sr.rcusr", 0.5)), None);
        assert_eq!(rate(span(1, 0).metric("_dd1.sr.rcusr", 0.5)), None);
    }
}

#[test]
fn global_tags_are_on_every_span() {
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let settings = Settings {
        global_tags: vec![
            tag("aas.site.name", "shop"),
            tag("version", "9"),
            tag("_dd.origin", "azureappservice"),
        ],
        ..Settings::default()
    };
    for format in BOTH {
        let made = [span(1, 0).meta("aas.site.name", "old"), span(2, 1).meta("version", "1")];
        let done = run(settings.clone(), batch(format, &[chunk(&made)]));
        for n in 0..2 {
            assert_eq!(done.meta(n, "aas.site.name").as_deref(), Some("shop"));
            assert_eq!(done.meta(n, "version").as_deref(), Some("9"));
            assert_eq!(done.meta(n, "_dd.origin"), None);
        }
        assert_eq!(done.text(done.batch.chunks[0].origin), "azureappservice");
    }
}

#[test]
fn the_first_kept_trace_of_a_service_says_how_the_agent_was_installed() {
    for format in BOTH {
        let install = InstallSignature {
            id: "id".into(),
            kind: "helm".into(),
            time_secs: 77,
            ..InstallSignature::default()
        };
        let settings = Settings { install: Some(install), ..Settings::default() };
        let mut dropped = chunk(&[span(1, 0)]);
        dropped.priority = 0;
        let own = span(3, 0).meta("_dd.install.type", "own");
        let made = [dropped, chunk(&[span(2, 0)]), chunk(&[own])];
        let done = run(settings.clone(), batch(format, &made));
        let with: Vec<u64> = done
            .batch
            .spans
            .iter()
            .filter(|span| {
                let held = done.batch.attributes.get(span.attributes);
                held.iter().any(|held| done.text(held.key) == "_dd.install.id")
            })
            .map(|span| span.span_id)
            .collect();
        // The last chunk takes the place of the dropped one.
        assert_eq!(with, [3]);
        assert_eq!(done.meta(0, "_dd.install.type").as_deref(), Some("own"));
        assert_eq!(done.meta(0, "_dd.install.time").as_deref(), Some("77"));
        // Another lane of the process.
        let done = run(settings, batch(format, &made));
        assert_eq!(done.meta(0, "_dd.install.time"), None);
    }
}

#[test]
fn a_payload_is_cut_when_it_gets_large() {
    let settings = Settings { payload_bytes_max: 2_300, ..Settings::default() };
    let chunks = |n: u64| {
        (1..=n).map(|id| chunk(&[span(id, 0).meta("k", &"v".repeat(700))])).collect::<Vec<_>>()
    };
    for format in BOTH {
        let mut made = chunks(8);
        made[7].spans[0] = made[7].spans[0].clone().meta("_dd.hostname", "late");
        let done = run(settings.clone(), batch(format, &made));
        let ranges: Vec<_> = done.pieces.iter().map(|piece| piece.chunks.clone()).collect();
        assert_eq!(ranges, [0..3, 3..6, 6..8]);
        assert!(done.pieces.iter().take(2).all(|piece| piece.bytes > 2_300 && piece.spans == 3));
        let hosts: Vec<&str> =
            done.pieces.iter().map(|piece| done.text(piece.header.hostname)).collect();
        assert_eq!(hosts, ["", "", "late"], "what later chunks bring comes later");
    }
}

#[test]
fn the_estimate_is_near_the_size() {
    let made = span(1, 0).meta("key", "value").metric("rate", 0.5);
    let done = run_spans(Format::V04, &[made]);
    // The names of twelve fields, five texts, a number each, and three attributes.
    assert!((200..400).contains(&done.pieces[0].bytes), "{}", done.pieces[0].bytes);
}

#[test]
fn a_payload_may_be_begun_before_the_last_is_finished() {
    let mut processor = processor(Settings::default(), SamplingSettings::default());
    let made = [chunk(&[span(1, 0)]), chunk(&[span(2, 0)])];
    processor.begin(batch(Format::V04, &made), &PayloadHead::default(), NOW_NS);
    assert!(processor.step(1));
    processor.begin(batch(Format::V1, &made), &PayloadHead::default(), NOW_NS);
    let mut pieces = Vec::new();
    let batch = processor.finish(&mut pieces);
    assert_eq!((batch.format, pieces.len(), pieces[0].chunks.clone()), (Format::V1, 1, 0..2));
    assert!(processor.counts().is_balanced());
}
