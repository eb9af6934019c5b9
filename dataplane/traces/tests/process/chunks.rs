//! apm §6 steps a to f, §6.2 to §6.4.

use corelane_traces::{Dropped, Pattern, Settings, SettingsError, TagFilter, TagLists};
use span::{Format, PRIORITY_NONE};

use crate::support::{BOTH, Done, Make, MakeChunk, batch, chunk, run, run_spans, span};

fn root_of(format: Format, spans: &[Make]) -> u64 {
    // The root is where the install signature goes.
    let install = corelane_traces::InstallSignature { id: "i".into(), ..Default::default() };
    let settings = Settings { install: Some(install), ..Settings::default() };
    let done = run(settings, batch(format, &[chunk(spans)]));
    let at = (0..spans.len()).find(|&n| done.meta(n, "_dd.install.id").is_some());
    done.span(at.unwrap()).span_id
}

#[test]
fn the_root_is_found() {
    for format in BOTH {
        assert_eq!(root_of(format, &[span(1, 0), span(2, 1), span(3, 0), span(4, 3)]), 3);
        assert_eq!(root_of(format, &[span(2, 1), span(3, 2), span(1, 9)]), 1);
        assert_eq!(root_of(format, &[span(1, 2), span(2, 1)]), 2);
    }
}

fn attributes(priority: i32, origin: &str, tags: &[(&str, &str)], spans: &[Make]) -> Done {
    let tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    let made = MakeChunk { priority, origin: origin.into(), tags, spans: spans.to_vec() };
    run(Settings::default(), batch(Format::V04, &[made]))
}

#[test]
fn the_priority_is_that_of_the_root_or_of_the_first_span_that_has_one() {
    let rated = |id, parent, priority| span(id, parent).metric("_sampling_priority_v1", priority);
    let priority = |held, spans: &[Make]| attributes(held, "", &[], spans).batch.chunks[0].priority;
    assert_eq!(priority(PRIORITY_NONE, &[rated(2, 1, 2.0), rated(1, 0, 1.0)]), 1);
    assert_eq!(priority(PRIORITY_NONE, &[span(1, 0), rated(2, 1, 2.0), rated(3, 1, 1.0)]), 2);
    assert_eq!(priority(2, &[rated(1, 0, 1.0)]), 2);
    assert_eq!(priority(PRIORITY_NONE, &[rated(1, 0, 1.9)]), 1);
    assert_eq!(priority(PRIORITY_NONE, &[span(1, 0)]), PRIORITY_NONE);
}

#[test]
fn the_origin_is_that_of_the_root() {
    let spans = [span(2, 1).meta("_dd.origin", "rum"), span(1, 0).meta("_dd.origin", "synthetics")];
    let origin = |held| {
        let done = attributes(1, held, &[], &spans);
        done.text(done.batch.chunks[0].origin).to_owned()
    };
    assert_eq!(origin(""), "synthetics");
    assert_eq!(origin("lambda"), "lambda");
}

#[test]
fn the_decision_maker_is_that_of_the_first_span() {
    let spans = [span(2, 1).meta("_dd.p.dm", "-4"), span(1, 0).meta("_dd.p.dm", "-3")];
    let done = attributes(1, "", &[], &spans);
    assert_eq!(done.chunk_tag("_dd.p.dm").as_deref(), Some("-4"));
    assert_eq!(done.meta(0, "_dd.p.dm").as_deref(), Some("-4"), "the span keeps its copy");
    let done = attributes(1, "", &[("_dd.p.dm", "-1")], &spans);
    assert_eq!(done.chunk_tag("_dd.p.dm").as_deref(), Some("-1"));
    assert_eq!(attributes(1, "", &[], &[span(1, 0)]).chunk_tag("_dd.p.dm"), None);
}

#[test]
fn resources_are_ignored_by_pattern() {
    let settings = Settings {
        ignore_resources: vec![
            Pattern::new("ignore_resources[0]", "^never$").unwrap(),
            Pattern::new("ignore_resources[1]", "health").unwrap(),
        ],
        ..Settings::default()
    };
    let check = |format, root: &str| {
        let root = Make { resource: root.into(), ..span(1, 0) };
        let child = Make { resource: "health".into(), ..span(2, 1) };
        run(settings.clone(), batch(format, &[chunk(&[child, root])]))
    };
    for format in BOTH {
        let done = check(format, "GET /healthz");
        assert_eq!(done.counts().traces_dropped(Dropped::IgnoredResource), 1);
        assert_eq!(done.counts().spans_dropped(Dropped::IgnoredResource), 2);
        assert_eq!(check(format, "GET /").counts().traces_kept, 1, "the child does not matter");
    }
}

fn filter(lists: [&[&str]; 4]) -> Settings {
    let [require, reject, require_regex, reject_regex] =
        lists.map(|list| list.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>());
    let lists = TagLists {
        require: &require,
        reject: &reject,
        require_regex: &require_regex,
        reject_regex: &reject_regex,
    };
    Settings { filter: TagFilter::new(&lists).unwrap(), ..Settings::default() }
}

fn is_filtered(format: Format, lists: [&[&str]; 4], root: Make) -> bool {
    let done = run(filter(lists), batch(format, &[chunk(&[span(2, 1).meta("child", "x"), root])]));
    assert_eq!(done.counts().spans_received, 2);
    done.counts().traces_dropped(Dropped::Filtered) == 1
}

#[test]
fn roots_are_filtered_by_tags() {
    let root = || span(1, 0).meta("team", "blue").meta("env", "dev").meta("url", "a:b");
    for format in BOTH {
        let check = |lists: [&[&str]; 4]| is_filtered(format, lists, root());
        assert!(check([&[], &["team"], &[], &[]]));
        assert!(check([&[], &["team:blue"], &[], &[]]));
        assert!(check([&[], &[" team : blue "], &[], &[]]));
        assert!(!check([&[], &["team:red"], &[], &[]]));
        assert!(!check([&[], &["child"], &[], &[]]), "only the root counts");
        assert!(check([&[], &["url:a:b"], &[], &[]]), "the first colon separates");
        assert!(!check([&["team"], &[], &[], &[]]));
        assert!(check([&["team:red"], &[], &[], &[]]));
        assert!(check([&["team", "none"], &[], &[], &[]]));
        assert!(check([&[], &["env:dev"], &[], &[]]), "a promoted field");
        assert!(check([&[], &[], &[], &["team:^b.*e$"]]));
        assert!(!check([&[], &[], &[], &["team:^red"]]));
        assert!(!check([&[], &[], &["team:lu"], &[]]), "search, not match");
        assert!(check([&[], &[], &["team:red"], &[]]));
        assert!(check([&[], &[], &["none:.*"], &[]]));
        assert!(!check([&["team:blue"], &[], &["team:red"], &[]]), "the plain list wins");
        assert!(check([&[], &["team:red"], &[], &["env"]]), "a key alone");
    }
}

#[test]
fn numbers_are_no_tags_before_v1() {
    let root = || span(1, 0).metric("retries", 3.0);
    assert!(!is_filtered(Format::V04, [&[], &["retries:3"], &[], &[]], root()));
    assert!(is_filtered(Format::V1, [&[], &["retries:3"], &[], &[]], root()));
}

#[test]
fn a_wrong_filter_names_its_list_and_key() {
    let reject_regex = ["team:(".to_owned()];
    let lists = TagLists { reject_regex: &reject_regex, ..TagLists::default() };
    let error = TagFilter::new(&lists).unwrap_err();
    assert!(matches!(&error, SettingsError::Pattern { .. }));
    assert!(error.to_string().starts_with("filter_tags_regex.reject of team: "), "{error}");
}

#[test]
fn dropped_chunks_give_way_to_the_last() {
    for format in BOTH {
        let ids = |id| Make { trace_id: id, ..span(id, 0) };
        let made = [
            chunk(&[span(0, 0)]),
            chunk(&[ids(1)]),
            chunk(&[span(0, 0)]),
            chunk(&[]),
            chunk(&[ids(2)]),
        ];
        let done = run(Settings::default(), batch(format, &made));
        let kept: Vec<u64> = done
            .batch
            .chunks
            .iter()
            .map(|chunk| done.batch.spans[chunk.spans.start as usize].span_id)
            .collect();
        assert_eq!(kept, [2, 1]);
        assert_eq!(done.counts().traces_received, 5);
        assert_eq!(done.counts().traces_dropped(Dropped::SpanIdZero), 2);
        assert_eq!(done.counts().traces_dropped(Dropped::Empty), 1);
    }
}

#[test]
fn top_level_spans_are_marked() {
    let other = |id, parent| Make { service: "db".into(), ..span(id, parent) };
    let spans = [
        span(1, 0),
        span(2, 1),
        other(3, 1),
        other(4, 3),
        span(5, 99),
        span(6, 2).metric("_top_level", 1.0),
    ];
    for format in BOTH {
        let done = run_spans(format, &spans);
        let marks: Vec<bool> = (0..6).map(|n| done.metric(n, "_top_level") == Some(1.0)).collect();
        assert_eq!(marks, [true, false, true, false, true, true]);
    }
}

#[test]
fn a_client_marks_top_level_spans_itself() {
    let head = corelane_traces::PayloadHead { is_top_level_by_client: true, ..Default::default() };
    for format in BOTH {
        let spans = [
            span(1, 0),
            span(2, 1).metric("_dd.top_level", 1.0),
            span(3, 1).metric("_dd.top_level", 0.0),
        ];
        let processor = crate::support::processor(Settings::default(), Default::default());
        let done = crate::support::run_with(processor, batch(format, &[chunk(&spans)]), &head);
        let marks: Vec<Option<f64>> = (0..3).map(|n| done.metric(n, "_top_level")).collect();
        assert_eq!(marks, [None, Some(1.0), None]);
    }
}
