use proptest::prelude::*;

use crate::decode::decode;
use crate::decode::tests::{field, varint};
use crate::{Attribute, Payload, ReceivedSpan, Route, TraceFormat};

fn number(number: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(number << 3)), varint(value)].concat()
}

fn fixed(number: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(number << 3 | 1)), value.to_le_bytes().to_vec()].concat()
}

fn text(number: u32, value: &str) -> Vec<u8> {
    field(number, value.as_bytes())
}

fn pair(key: &str, value: &[u8]) -> Vec<u8> {
    [text(1, key), value.to_vec()].concat()
}

fn head() -> Vec<u8> {
    let tags = field(6, &pair("_dd.apm_mode", &text(2, "edge")));
    [text(1, "host"), text(2, "prod"), tags, text(7, "7.79.0"), fixed(8, 10_f64.to_bits())].concat()
}

fn read(body: &[u8]) -> Payload {
    let payload = decode(Route::Traces, body).unwrap();
    assert_eq!(payload.remarks, Vec::<String>::new());
    payload
}

/// A plain payload of one span that uses every field.
fn plain() -> Vec<u8> {
    let list = [number(1, 4), field(6, &field(1, &[number(1, 2), number(4, 7)].concat()))].concat();
    let event = [fixed(1, 99), text(2, "boom"), field(3, &pair("list", &field(2, &list)))].concat();
    let link = [
        number(1, 5),
        number(2, 6),
        number(3, 8),
        field(4, &pair("k", &text(2, "v"))),
        text(5, "dd=s:1"),
        number(6, 1 << 31 | 1),
    ]
    .concat();
    let span = [
        text(1, "web"),
        text(2, "web.request"),
        text(3, "GET /"),
        number(4, 42),
        number(5, 43),
        number(6, 44),
        number(7, 1_700_000_000_000_000_000),
        number(8, 100),
        number(9, 1),
        field(10, &pair("_dd.p.tid", &text(2, "00000000000000ff"))),
        field(10, &pair("span.kind", &text(2, "server"))),
        field(10, &pair("empty", &[])),
        field(11, &pair("_sampling_priority_v1", &fixed(2, 1_f64.to_bits()))),
        text(12, "web"),
        field(13, &pair("appsec", &field(2, &[0x80]))),
        field(14, &link),
        field(15, &event),
    ]
    .concat();
    let chunk = [
        number(1, u64::MAX),
        text(2, "lambda"),
        field(3, &span),
        field(4, &pair("_dd.p.dm", &text(2, "-4"))),
        number(5, 1),
    ]
    .concat();
    [
        text(1, "cid"),
        text(2, "python"),
        text(4, "2.0"),
        field(6, &chunk),
        field(7, &pair("_dd.tags.container", &text(2, "a:b"))),
        text(8, "staging"),
    ]
    .concat()
}

/// The same in the indexed format.
fn indexed() -> Vec<u8> {
    let strings = [
        "",
        "cid",
        "python",
        "2.0",
        "staging",
        "_dd.tags.container",
        "a:b",
        "lambda",
        "web",
        "web.request",
        "GET /",
        "appsec",
        "boom",
        "list",
        "k",
        "v",
        "dd=s:1",
        "flag",
        "rate",
    ];
    let at = |text: &str| strings.iter().position(|string| *string == text).unwrap() as u64;
    let reference = |number_: u32, text: &str| number(number_, at(text));
    let pair = |key: &str, value: &[u8]| [reference(1, key), field(2, value)].concat();
    let id = |high: u64, low: u64| (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    let list = field(6, &field(1, &number(4, 7)));
    let map = field(7, &field(1, &pair("k", &number(2, 1))));
    let event = [fixed(1, 99), reference(2, "boom"), field(3, &pair("list", &list))].concat();
    let link = [
        field(1, &id(6, 5)),
        fixed(2, 8),
        field(3, &pair("k", &reference(1, "v"))),
        reference(4, "dd=s:1"),
        number(5, 1 << 31 | 1),
    ]
    .concat();
    let span = [
        reference(1, "web"),
        reference(2, "web.request"),
        reference(3, "GET /"),
        fixed(4, 43),
        number(5, 44),
        fixed(6, 1_700_000_000_000_000_000),
        number(7, 100),
        number(8, 1),
        field(9, &pair("appsec", &field(5, &[0x80]))),
        field(9, &pair("flag", &map)),
        field(9, &pair("rate", &fixed(3, 1_f64.to_bits()))),
        reference(10, "web"),
        field(11, &link),
        field(12, &event),
        number(16, 2),
    ]
    .concat();
    let chunk = [
        number(1, u64::MAX),
        reference(2, "lambda"),
        field(4, &span),
        number(5, 1),
        field(6, &id(0xff, 42)),
        number(7, 4),
    ]
    .concat();
    let table: Vec<u8> = strings.iter().flat_map(|string| text(1, string)).collect();
    [
        reference(2, "cid"),
        reference(3, "python"),
        reference(5, "2.0"),
        reference(7, "staging"),
        field(10, &pair("_dd.tags.container", &reference(1, "a:b"))),
        field(11, &chunk),
        table,
    ]
    .concat()
}

fn one_span(payload: &Payload) -> &ReceivedSpan {
    payload.traces.as_ref().unwrap().spans().next().unwrap()
}

#[test]
fn both_formats_are_read_to_the_same_records() {
    for (number, body, format) in
        [(5, plain(), TraceFormat::Plain), (11, indexed(), TraceFormat::Indexed)]
    {
        let payload = read(&[field(number, &body), head()].concat());
        let span = one_span(&payload);
        assert_eq!((span.trace_id, span.span_id, span.parent_id), (0xff << 64 | 42, 43, 44));
        let names = [&span.service, &span.name, &span.resource, &span.span_type, &span.kind];
        assert_eq!(names.map(|name| &**name), ["web", "web.request", "GET /", "web", "server"]);
        assert_eq!((span.start_ns, span.duration_ns), (1_700_000_000_000_000_000, 100));
        assert_eq!((span.error, &span.meta_struct["appsec"][..]), (1, &[0x80][..]));
        assert_eq!(span.metrics.len(), 1);
        let link = &span.links[0];
        assert_eq!((link.trace_id, link.span_id, link.flags), (6 << 64 | 5, 8, 1 << 31 | 1));
        assert_eq!((&*link.tracestate, link.attributes["k"].as_text()), ("dd=s:1", Some("v")));
        let event = &span.events[0];
        assert_eq!((event.time_ns, &*event.name), (99, "boom"));
        assert_eq!(event.attributes["list"], Attribute::List(vec![Attribute::Int(7)]));
        let chunk = &span.chunk;
        assert_eq!((chunk.priority, &*chunk.origin, chunk.is_dropped), (-1, "lambda", true));
        assert_eq!((chunk.sampling_mechanism, chunk.trace_id), (Some(4), span.trace_id));
        let tracer = &chunk.payload;
        assert_eq!(
            (&*tracer.container_id, &*tracer.language, &*tracer.env),
            ("cid", "python", "staging")
        );
        assert_eq!((&*tracer.tracer_version, tracer.format), ("2.0", format));
        assert_eq!(tracer.tags["_dd.tags.container"].as_text(), Some("a:b"));
        let agent = &tracer.agent;
        assert_eq!((&*agent.host, &*agent.env, &*agent.version), ("host", "prod", "7.79.0"));
        assert_eq!(&*agent.tags["_dd.apm_mode"], "edge");
    }
}

#[test]
fn values_nest_within_bounds() {
    let payload = read(&field(11, &indexed()));
    let span = one_span(&payload);
    assert_eq!(span.others["flag"].to_string(), "{k=true}");
    let mut value = number(2, 1);
    for _ in 0..64 {
        value = field(6, &field(1, &value));
    }
    let span = field(4, &field(9, &[number(1, 0), field(2, &value)].concat()));
    let body = field(11, &[text(1, ""), field(11, &span)].concat());
    let error = decode(Route::Traces, &body).unwrap_err().to_string();
    assert!(error.contains("nested more than 64"), "{error}");
}

#[test]
fn defects_are_refused_or_remarked() {
    let table = |strings: &[&str], more: &[u8]| {
        let table: Vec<u8> = strings.iter().flat_map(|string| text(1, string)).collect();
        field(11, &[&table, more].concat())
    };
    for (body, what) in [
        (table(&["", "a"], &number(2, 2)), "string 2 is referred to, the table has 2"),
        (table(&[""], &field(11, &field(6, &[1, 2]))), "field 6 is not 16 bytes"),
        (table(&[""], &field(11, &field(4, &number(16, 6)))), "kind 6 is not known"),
        (text(5, "\u{a}\u{5}x"), "ends inside an element"),
        (field(5, &field(2, &[0xff])), "field 2 is not UTF-8"),
        (field(5, &field(6, &text(1, "x"))), "field 1 is not a varint"),
        (fixed(1, 0), "field 1 is not bytes"),
    ] {
        let error = decode(Route::Traces, &body).unwrap_err().to_string();
        assert!(error.contains(what), "{error}, not {what}");
    }
    for (body, what) in [
        (table(&["a"], &number(2, 0)), "the first one is not empty"),
        (table(&["", "a", "b"], &number(2, 1)), "1 are never referred to, first \"b\""),
        (table(&["", "a", "a"], &[number(2, 1), number(3, 2)].concat()), "in the table twice"),
        (number(12, 1), "AgentPayload: field 12 is not known"),
        (field(6, &pair("a", &[])).repeat(2), "the key \"a\" is twice"),
    ] {
        let remarks = decode(Route::Traces, &body).unwrap().remarks;
        assert!(remarks.iter().any(|remark| remark.contains(what)), "{remarks:?}, not {what}");
    }
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        is_plain in any::<bool>(),
    ) {
        let mut body = if is_plain { field(5, &plain()) } else { field(11, &indexed()) };
        let at = at.index(body.len());
        body[at] = byte;
        let _is_read = decode(Route::Traces, &body).is_ok();
        body.truncate(at);
        let _is_read = decode(Route::Traces, &body).is_ok();
    }
}
