//! In steady state v2 and v3 allocate per payload, not per series.

use std::sync::Arc;

use corelane_encode::{MetricsEncoder, SeriesForm, Settings, SketchesForm};
use signal::{
    Context, ContextKey, Point, Provenance, Series, SeriesKind, SeriesSink, SketchPoint,
    SketchSeries, TagSet,
};
use sketch::Sketch;

#[test]
fn a_second_flush_allocates_once_a_payload() {
    let mut sketch = Sketch::default();
    (1..50).for_each(|sample| sketch.insert(f64::from(sample), 1.0));
    let contexts: Vec<Context> = (0..500).map(context).collect();
    for (series_form, sketches_form) in
        [(SeriesForm::V2, SketchesForm::V2), (SeriesForm::V3, SketchesForm::V3)]
    {
        let settings = Settings { series_form, sketches_form, ..Settings::default() };
        let mut encoder = MetricsEncoder::new(&settings, drop);
        feed(&mut encoder, &contexts, &sketch);
        encoder.finish();

        let allocations = allocation_counter::measure(|| {
            feed(&mut encoder, &contexts, &sketch);
            let stats = encoder.finish();
            assert_eq!((stats.items_out, stats.payloads), (1500, 2));
        });
        assert_eq!(allocations.count_total, 2, "{series_form:?}");
    }
}

fn feed(sink: &mut impl SeriesSink, contexts: &[Context], sketch: &Sketch) {
    for context in contexts {
        for suffix in ["", ".max"] {
            sink.series(Series {
                context,
                suffix,
                kind: SeriesKind::Gauge,
                interval_secs: 10,
                unit: "millisecond",
                source_type_name: "",
                is_no_index: false,
                points: &[Point { timestamp_secs: 1_700_000_000, value: 0.1 }],
            });
        }
        let points = [SketchPoint { timestamp_secs: 1_700_000_000, sketch }];
        sink.sketch(SketchSeries { context, points: &points });
    }
}

fn context(number: u32) -> Context {
    let tags = [format!("a:{number}"), format!("device:{}", number % 5), "env:prod".to_owned()];
    let key = u128::from(number) + 1;
    Context {
        key: ContextKey(key),
        name: format!("metric.{number}").into(),
        tags: Arc::new(TagSet::new(key, tags.iter().map(|tag| Arc::from(tag.as_str())).collect())),
        host: "web-1".into(),
        provenance: Provenance::jmx(number % 3),
        origin: "".into(),
    }
}
