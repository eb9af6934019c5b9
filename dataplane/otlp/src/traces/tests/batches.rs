//! Traces and batches of a request. spec: otlp §4.1, §4.2.

use super::*;

fn span_of(trace: u64, id: u64) -> Json {
    json!({"traceId": format!("{:016x}{trace:016x}", 5), "spanId": format!("{id:016x}")})
}

fn ids(batch: &Batch) -> Vec<(u64, Vec<u64>)> {
    let of_chunk = |chunk: &Chunk| {
        let spans = &batch.spans[chunk.spans.range()];
        assert!(spans.iter().all(|span| span.trace_id == chunk.trace_id));
        (chunk.trace_id, spans.iter().map(|span| span.span_id).collect())
    };
    batch.chunks.iter().map(of_chunk).collect()
}

#[test]
fn spans_are_grouped_by_trace_in_order_of_arrival() {
    let spans = [(9, 1), (4, 2), (9, 3), (9, 4), (4, 5), (1, 6)];
    let spans = spans.map(|(trace, id)| span_of(trace, id));
    let (first, second) = spans.split_at(3);
    let body = protobuf(&json!({"resourceSpans": [{"scopeSpans": [
        {"scope": {"name": "a"}, "spans": first}, {"scope": {"name": "b"}, "spans": second},
    ]}]}));
    let (_, batch) = translated(Settings::default(), body);
    assert_eq!(ids(&batch), [(9, vec![1, 3, 4]), (4, vec![2, 5]), (1, vec![6])]);
    assert!(batch.chunks.iter().all(|chunk| chunk.trace_id_high == 5));
    let scopes: Vec<Json> =
        batch.spans.iter().map(|span| texts(&batch, span)["otel.scope.name"].clone()).collect();
    assert_eq!(scopes, ["a", "a", "b", "a", "b", "b"]);
    let makers = batch.spans.iter().map(|span| texts(&batch, span)["_dd.p.dm"].is_string());
    assert_eq!(makers.collect::<Vec<_>>(), [true, false, false, true, false, true]);
}

#[test]
fn the_last_span_that_asks_for_a_priority_gets_it() {
    let with = |priority: i32| {
        json!({"traceId": "000000000000000000000000000000ff",
            "attributes": attributes(&json!({"sampling.priority": priority, "_dd.p.dm": "-1"}))})
    };
    let (_, batch) = translated(Settings::default(), request(&json!({}), &[with(0), with(2)]));
    assert_eq!(batch.chunks[0].priority, 2);
    assert_eq!(texts(&batch, &batch.spans[0])["_dd.p.dm"], "-4");
    assert_eq!(texts(&batch, &batch.spans[1])["_dd.p.dm"], "-1");
    let (_, batch) = translated(Settings::default(), request(&json!({}), &[with(2), with(0)]));
    assert_eq!(batch.chunks[0].priority, 0);
    assert_eq!(texts(&batch, &batch.spans[0])["_dd.p.dm"], "-1");
    let settings = Settings { sampling_percentage: 25.0, ..Settings::default() };
    let (_, batch) = translated(settings, request(&json!({}), &[span_of(3, 1)]));
    let tag = batch.attributes.get(batch.chunks[0].attributes)[0];
    assert_eq!(tag.text().map(|text| batch.strings.text(text)), Some("0.25"));
}

#[test]
fn a_request_has_a_batch_for_each_resource() {
    let resource = |name: &str, more: Json| {
        let mut held = json!({"service.name": name});
        held.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"resource": {"attributes": attributes(&held)},
            "scopeSpans": [{"spans": [span_of(1, 1)]}]})
    };
    let first = json!({"host.name": "h1", "container.id": "c1", "k8s.pod.name": "p",
        "_dd.stats_computed": true, "datadog.container.tag.team": "x"});
    let body = protobuf(&json!({"resourceSpans": [
        resource("one", first), {}, resource("two", json!({"k8s.pod.uid": "u"})),
    ]}));
    let (mut translator, mut batch) = translated(Settings::default(), body.clone());
    let services = |batch: &Batch| {
        let services = batch.spans.iter().map(|span| batch.strings.text(span.service).to_owned());
        services.collect::<Vec<_>>()
    };
    assert_eq!(services(&batch), ["one"]);
    let payload = translator.payload();
    assert_eq!(payload.container_tags, "container_id:c1,team:x,pod_name:p");
    assert_eq!((payload.source.host(), payload.is_stats_by_client), (Some("h1"), true));
    let tag = batch.attributes.get(batch.tags)[0];
    assert_eq!((tag.name, tag.text()), (Key::DdTagsContainer, tag.text()));
    assert_eq!(tag.text().map(|text| batch.strings.text(text)), Some(payload.container_tags));
    assert_eq!(batch.strings.text(batch.header.container_id), "c1");

    assert!(translator.next(&mut batch));
    run(&mut translator, &mut batch, usize::MAX).unwrap();
    assert_eq!((services(&batch).len(), batch.chunks.len()), (0, 0));
    assert!(translator.next(&mut batch));
    run(&mut translator, &mut batch, 1).unwrap();
    assert_eq!(services(&batch), ["two"]);
    assert_eq!(batch.strings.text(batch.header.container_id), "u");
    assert_eq!((translator.payload().source, batch.tags.len()), (&Source::None, 0));
    assert!(!translator.payload().is_stats_by_client);
    let place = translator.place();
    assert!(!translator.next(&mut batch));

    // A batch that was put aside begins again at its place.
    let (mut other, mut again) = (Translator::new(Settings::default(), 2), Batch::default());
    other.start_at(place, body, &mut again);
    run(&mut other, &mut again, usize::MAX).unwrap();
    assert_eq!((services(&again), again.spans), (services(&batch), batch.spans.clone()));
    assert!(!other.has_next());
}

#[test]
fn a_huge_resource_becomes_several_batches() {
    let attributes: serde_json::Map<String, Json> =
        (0..4000).map(|n| (format!("k{n}"), json!("v"))).collect();
    let spans: Vec<Json> = (0..600).map(|n| span_of(1 + n / 500, n)).collect();
    let body = request(&Json::from(attributes), &spans);
    let (mut translator, mut batch) = translated(Settings::default(), body.clone());
    let mut all = vec![ids(&batch)];
    let mut places = vec![translator.place()];
    while translator.next(&mut batch) {
        run(&mut translator, &mut batch, 100_000).unwrap();
        assert!(batch.attributes.count() < BATCH_ATTRIBUTES_MAX + 16_384);
        assert_eq!(texts(&batch, batch.spans.last().unwrap())["k3999"], "v");
        all.push(ids(&batch));
        places.push(translator.place());
    }
    let counts: Vec<Vec<usize>> =
        all.iter().map(|chunks| chunks.iter().map(|(_, spans)| spans.len()).collect()).collect();
    assert_eq!((counts.len(), counts.concat().iter().sum::<usize>()), (2, 600));
    assert_eq!(counts[0].len(), 1);
    let flat = all.concat().into_iter().flat_map(|(_, spans)| spans);
    assert_eq!(flat.collect::<Vec<_>>(), (0..600).collect::<Vec<_>>());
    translator.start_at(places[1], body, &mut batch);
    run(&mut translator, &mut batch, usize::MAX).unwrap();
    assert_eq!(ids(&batch), all[1]);
}

#[test]
fn an_empty_request_is_an_empty_batch() {
    let (mut translator, mut batch) = translated(Settings::default(), Vec::new());
    assert_eq!((batch.chunks.len(), translator.has_next()), (0, false));
    assert!(!translator.next(&mut batch));
    // After a request with something in it, too.
    translator.start(request(&json!({"host.name": "h"}), &[span_of(1, 1)]), &mut batch);
    run(&mut translator, &mut batch, usize::MAX).unwrap();
    assert_eq!(batch.chunks.len(), 1);
    let body = translator.start(vec![0x10, 0x01], &mut batch);
    assert!(body.is_empty() && body.capacity() > 0);
    run(&mut translator, &mut batch, 1).unwrap();
    assert_eq!((batch.chunks.len(), translator.has_next()), (0, false));
    assert_eq!(translator.payload().source, &Source::None);
}
