//! Time, bytes and allocations per span, for decoding and encoding.
//!
//! A payload has 4 traces of 50 spans: every fifth enters a service (12 entries in `meta`, 3 in
//! `metrics`), the others are calls to a database or a cache (7 and 1).

use std::hint::black_box;

use corelane_span::decode::{Decoder, Progress, decode};
use corelane_span::encode::{Encoded, Encoder};
use corelane_span::{Batch, Format};
use criterion::{Criterion, Throughput};

#[path = "../tests/codec/json.rs"]
mod json;
#[path = "../tests/codec/model.rs"]
#[expect(dead_code, reason = "the bench makes its own payload")]
mod model;
#[path = "../tests/codec/msgpack.rs"]
mod msgpack;
#[path = "../tests/codec/random.rs"]
mod random;
#[path = "../tests/codec/v04.rs"]
mod v04;
#[path = "../tests/codec/v05.rs"]
mod v05;
#[path = "../tests/codec/v1.rs"]
mod v1;

use model::{Any, Chunk, Payload, Span};
use msgpack::Writer;
use random::Random;

const TRACES: u64 = 4;
const SPANS: u64 = 50;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, format) in
        [("v0.4", Format::V04), ("v0.5", Format::V05), ("v0.7", Format::V07), ("v1.0", Format::V1)]
    {
        measure_decoding(&mut criterion, name, format, &body(format));
        measure_encoding(&mut criterion, name, format);
    }
    let body = json::write(&payload(false), Format::V02);
    measure_decoding(&mut criterion, "v0.2 (JSON)", Format::V02, &body);
    criterion.final_summary();
}

fn measure_decoding(criterion: &mut Criterion, name: &str, format: Format, body: &[u8]) {
    let mut batch = Batch::default();
    let mut decoder = Decoder::default();
    let mut spare = Vec::new();
    let mut run = || {
        spare.extend_from_slice(body);
        spare = decoder.start(format, false, std::mem::take(&mut spare), &mut batch);
        while decoder.step(&mut batch, 64 << 10) == Ok(Progress::More) {}
        black_box(&batch);
        assert_eq!(batch.spans.len() as u64, TRACES * SPANS);
    };
    // The first bodies size the arenas.
    (0..3).for_each(|_| run());
    let allocations = allocation_counter::measure(&mut run).count_total;
    report(&format!("decode/{name}"), body.len(), allocations);

    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(TRACES * SPANS));
    group.bench_function(name, |bencher| bencher.iter(&mut run));
    group.finish();
}

fn measure_encoding(criterion: &mut Criterion, name: &str, format: Format) {
    let mut batch = Batch::default();
    decode(format, false, body(format), &mut batch).expect("a body of our own");
    let (mut encoder, mut out) = (Encoder::default(), Vec::new());
    let mut encode = || {
        out.clear();
        encoder.begin(&batch, 0..batch.chunks.len());
        while encoder.step(&batch, &mut out, 64 << 10) == Encoded::More {}
        black_box(out.len())
    };
    let len = encode();
    let allocations = allocation_counter::measure(|| _ = encode()).count_total;
    report(&format!("encode/{name}"), len, allocations);

    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(TRACES * SPANS));
    group.bench_function(name, |bencher| bencher.iter(&mut encode));
    group.finish();
}

#[expect(clippy::print_stderr, reason = "the report of a bench")]
fn report(name: &str, bytes: usize, allocations: u64) {
    let per_span = bytes as u64 / (TRACES * SPANS);
    eprintln!("{name}: {per_span} bytes a span, {allocations} allocations a payload");
}

fn body(format: Format) -> Vec<u8> {
    let payload = payload(format.is_v1());
    let mut writer = Writer::new(Random::new(1), false);
    match format {
        Format::V05 => v05::write(&payload, &mut writer),
        Format::V07 => v04::write_v07(&payload, &mut writer),
        Format::V1 => v1::write(&payload, &mut writer),
        Format::V01 | Format::V02 | Format::V03 | Format::V04 => {
            v04::write_v04(&payload, &mut writer);
        }
    }
    writer.out
}

fn payload(is_v1: bool) -> Payload {
    let tags = [("_dd.tags.process", "entrypoint.name:server,entrypoint.type:script")];
    Payload {
        header: ["cid", "python", "3.12.1", "2.9.0", "runtime", "prod", "", "1.2.3"]
            .map(str::to_owned),
        tags: tags.map(|(key, value)| (key.to_owned(), Any::Text(value.to_owned()))).into(),
        chunks: (0..TRACES).map(|number| chunk(number, is_v1)).collect(),
    }
}

fn chunk(number: u64, is_v1: bool) -> Chunk {
    let trace_id = 0x6543_21ab_cdef_0123 + number;
    Chunk {
        priority: 1,
        trace_id: [0x6650_0000_0000_0000, trace_id],
        sampling_mechanism: 1,
        spans: (0..SPANS).map(|at| span(trace_id, at, is_v1)).collect(),
        ..Chunk::default()
    }
}

fn span(trace_id: u64, at: u64, is_v1: bool) -> Span {
    let mut span = Span {
        trace_id,
        span_id: trace_id.wrapping_mul(at + 3),
        parent_id: if at == 0 { 0 } else { trace_id.wrapping_mul(at / 5 + 3) },
        start_ns: 1_700_000_000_123_456_789 + at.cast_signed() * 1000,
        duration_ns: 1_234_567 + at.cast_signed(),
        ..Span::default()
    };
    let (meta, metrics): (&[_], &[_]) =
        if at.is_multiple_of(5) { entry(&mut span) } else { call(&mut span) };
    span.meta = meta.iter().map(|(key, value)| (str(key), str(value))).collect();
    span.meta.insert(str("runtime-id"), str("8d5f1d9cf2c44c2a9d0d3b0f7b7a1234"));
    span.metrics = metrics.iter().map(|(key, value)| (str(key), *value)).collect();
    if is_v1 {
        let mut take = |key| span.meta.remove(key).unwrap_or_default();
        (span.env, span.version, span.component) =
            (take("env"), take("version"), take("component"));
        span.kind = if take("span.kind") == "server" { 2 } else { 3 };
    }
    span
}

type Entries = (&'static [(&'static str, &'static str)], &'static [(&'static str, f64)]);

fn entry(span: &mut Span) -> Entries {
    (span.service, span.name) = (str("checkout-api"), str("flask.request"));
    (span.resource, span.span_type) = (str("GET /api/v2/carts/<cart_id>/items"), str("web"));
    (
        &[
            ("env", "prod"),
            ("version", "1.42.0"),
            ("component", "flask"),
            ("span.kind", "server"),
            ("http.method", "GET"),
            ("http.status_code", "200"),
            ("http.url", "http://checkout.internal:8080/api/v2/carts/12345/items"),
            ("http.useragent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
            ("flask.endpoint", "cart_items"),
            ("_dd.p.dm", "-1"),
            ("_dd.p.tid", "6650000000000000"),
        ],
        &[("_sampling_priority_v1", 1.0), ("_dd.top_level", 1.0), ("process_id", 4242.0)],
    )
}

fn call(span: &mut Span) -> Entries {
    (span.service, span.name) = (str("postgres"), str("postgres.query"));
    (span.resource, span.span_type) =
        (str("SELECT id, sku, quantity FROM cart_items WHERE cart_id = %s"), str("sql"));
    (
        &[
            ("env", "prod"),
            ("component", "psycopg"),
            ("span.kind", "client"),
            ("db.system", "postgresql"),
            ("db.name", "carts"),
            ("out.host", "carts-db.internal"),
        ],
        &[("db.row_count", 12.0)],
    )
}

fn str(text: &str) -> String {
    text.to_owned()
}
