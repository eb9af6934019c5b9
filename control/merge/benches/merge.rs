//! Nanoseconds per cell for 100,000 contexts, spread over one and over four lanes.

use std::hint::black_box;
use std::sync::Arc;

use corelane_merge::{MergeSettings, Merger};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use signal::{
    Bucket, CellValue, Context, ContextId, ContextKey, FlushedLane, Histogram, Provenance, Series,
    SeriesSink, SketchSeries, TagSet, WeightedSample,
};
use sketch::Sketch;

const CONTEXTS: u32 = 100_000;

/// A sink that only looks at what it is given.
#[derive(Default)]
struct Counted(usize);

impl SeriesSink for Counted {
    fn series(&mut self, series: Series<'_>) {
        self.0 += black_box(series).points.len();
    }

    fn sketch(&mut self, sketch: SketchSeries<'_>) {
        self.0 += black_box(sketch).points.len();
    }
}

fn contexts() -> Vec<Arc<Context>> {
    let tags = Arc::new(TagSet::new(0, ["env:prod", "team:x"].map(Arc::from).into()));
    let host: Arc<str> = "host".into();
    let context = |index: u32| {
        // An odd multiplier spreads the keys like a hash.
        let key = u128::from(index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        Arc::new(Context {
            key: ContextKey(key),
            name: format!("bench.metric.{index}").into(),
            tags: Arc::clone(&tags),
            host: Arc::clone(&host),
            provenance: Provenance::DOGSTATSD,
            origin: "".into(),
        })
    };
    (0..CONTEXTS).map(context).collect()
}

fn value_of(index: u32) -> CellValue {
    let value = f64::from(index % 1000);
    match index % 10 {
        0..5 => CellValue::Counter { sum: value },
        5..8 => CellValue::Gauge { stamp_us: index, value },
        8 => CellValue::Histogram(Box::new(Histogram {
            samples: vec![WeightedSample { value, weight: 1.0 }; 4],
            is_timing: true,
        })),
        _ => {
            let mut sketch = Sketch::default();
            (0..4).for_each(|step| sketch.insert(value + f64::from(step), 1.0));
            CellValue::Distribution(Box::new(sketch))
        }
    }
}

/// Every context once on every lane, in one bucket, half of them counters.
fn lanes(contexts: &[Arc<Context>], count: u16) -> Vec<FlushedLane> {
    let lane = |lane: u16| {
        let mut bucket = Bucket::new(1000);
        for (index, context) in (0..).zip(contexts) {
            let cell = bucket.cell_mut(ContextId(index));
            cell.context = Some(Arc::clone(context));
            cell.samples = 1;
            cell.value = value_of(index);
        }
        FlushedLane { lane, buckets: vec![bucket], ..FlushedLane::default() }
    };
    (0..count).map(lane).collect()
}

fn merge(criterion: &mut Criterion) {
    let contexts = contexts();
    let mut group = criterion.benchmark_group("merge_100k_contexts");
    group.sample_size(20);
    for count in [1, 4] {
        let lanes = lanes(&contexts, count);
        group.throughput(Throughput::Elements(u64::from(CONTEXTS) * u64::from(count)));
        group.bench_function(format!("{count}_lanes"), |bencher| {
            let mut merger = Merger::new(MergeSettings::default(), None);
            bencher.iter(|| {
                let mut sink = Counted::default();
                black_box(merger.merge(&lanes, 1010, &mut sink));
                sink.0
            });
        });
    }
    group.finish();
}

criterion_group!(benches, merge);
criterion_main!(benches);
