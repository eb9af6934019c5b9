//! Time, bytes and allocations per series and per distribution.
//!
//! 3,000 contexts with 4 tags each, two series a context as a histogram makes them; every payload
//! is finished, so that compression is in the figures.

use std::hint::black_box;
use std::sync::Arc;

use corelane_encode::{
    EncodeStats, Encoding, MetricsEncoder, Payload, SeriesForm, Settings, SketchesForm,
};
use criterion::{Criterion, Throughput};
use signal::{
    Context, ContextKey, Point, Provenance, Series, SeriesKind, SeriesSink, SketchPoint,
    SketchSeries, TagSet,
};
use sketch::Sketch;

const CONTEXT_COUNT: u64 = 3000;
const NOW: i64 = 1_700_000_000;

fn main() {
    let contexts: Vec<Arc<Context>> = (0..CONTEXT_COUNT).map(context).collect();
    let sketches: Vec<Sketch> = (0..CONTEXT_COUNT).map(sketch).collect();
    let mut criterion = Criterion::default().configure_from_args();
    for (name, series_form, compression) in [
        ("series_v2/zstd", SeriesForm::V2, Encoding::Zstd),
        ("series_v2/identity", SeriesForm::V2, Encoding::Identity),
        ("series_v3/zstd", SeriesForm::V3, Encoding::Zstd),
        ("series_v3/identity", SeriesForm::V3, Encoding::Identity),
        ("series_v1/zstd", SeriesForm::V1, Encoding::Zstd),
    ] {
        let settings = Settings { series_form, compression, ..Settings::default() };
        measure(&mut criterion, name, &settings, 2 * CONTEXT_COUNT, |sink| {
            for (number, context) in contexts.iter().enumerate() {
                put_series(sink, context, "", number as f64 * 1.1);
                put_series(sink, context, ".count", number as f64);
            }
        });
    }
    for (name, sketches_form) in
        [("sketches_v2/zstd", SketchesForm::V2), ("sketches_v3/zstd", SketchesForm::V3)]
    {
        let settings = Settings { sketches_form, ..Settings::default() };
        measure(&mut criterion, name, &settings, CONTEXT_COUNT, |sink| {
            for (context, sketch) in contexts.iter().zip(&sketches) {
                let points = [SketchPoint { timestamp_secs: NOW, sketch }];
                sink.sketch(SketchSeries { context, points: &points });
            }
        });
    }
    criterion.final_summary();
}

fn measure(
    criterion: &mut Criterion,
    name: &str,
    settings: &Settings,
    items: u64,
    feed: impl Fn(&mut dyn SeriesSink),
) {
    let mut encoder = MetricsEncoder::new(settings, |payload: Payload| {
        black_box(payload);
    });
    // The first flush sizes the buffers; the second is the steady state.
    feed(&mut encoder);
    encoder.finish();
    let mut stats = EncodeStats::default();
    let allocations = allocation_counter::measure(|| {
        feed(&mut encoder);
        stats = encoder.finish();
    });
    report(name, &stats, allocations.count_total);

    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(items));
    group.bench_function("flush", |bencher| {
        bencher.iter(|| {
            feed(&mut encoder);
            encoder.finish()
        });
    });
    group.finish();
}

#[expect(clippy::print_stderr, reason = "the report of a bench")]
fn report(name: &str, stats: &EncodeStats, allocations: u64) {
    let per_item = |bytes: u64| bytes as f64 / stats.items_out as f64;
    eprintln!(
        "{name}: {} items, {} payloads, {:.1} bytes/item, {:.1} compressed, {allocations} allocations",
        stats.items_out,
        stats.payloads,
        per_item(stats.bytes_in),
        per_item(stats.bytes_out),
    );
}

fn put_series(sink: &mut dyn SeriesSink, context: &Context, suffix: &str, value: f64) {
    sink.series(Series {
        context,
        suffix,
        kind: SeriesKind::Gauge,
        interval_secs: 10,
        unit: "",
        source_type_name: "",
        is_no_index: false,
        points: &[Point { timestamp_secs: NOW, value }],
    });
}

fn context(number: u64) -> Arc<Context> {
    let tags = [
        format!("customer:{:04}", number / 10),
        "env:production".to_owned(),
        format!("host_group:{}", number % 7),
        "service:checkout-api".to_owned(),
    ];
    let key = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Arc::new(Context {
        key: ContextKey(key),
        name: format!("application.requests.duration.{}", number % 100).into(),
        tags: Arc::new(TagSet::new(key, tags.iter().map(|tag| Arc::from(tag.as_str())).collect())),
        host: "web-1.example.internal".into(),
        provenance: Provenance::DOGSTATSD,
        origin: "".into(),
    })
}

fn sketch(number: u64) -> Sketch {
    let mut sketch = Sketch::default();
    for sample in 0..50 {
        sketch.insert((number + sample * 7 % 31) as f64 * 0.37 + 1.0, 1.0);
    }
    sketch
}
