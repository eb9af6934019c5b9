//! Time of one decision, by the sampler that takes it.

use std::hint::black_box;
use std::sync::Arc;

use corelane_sampling::{
    Chunk, LaneCounts, LaneSamplers, PRIORITY_NONE, Rater, SamplingSettings, Spans,
};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

const CHUNKS: u64 = 10_000;
const START_MS: u64 = 1_700_000_000_000;

/// `spans` spans of one service.
struct Trace<'a> {
    service: &'a str,
    spans: usize,
}

impl Spans for Trace<'_> {
    fn count(&self) -> usize {
        self.spans
    }
    fn service(&self, _: usize) -> &str {
        self.service
    }
    fn name(&self, span: usize) -> &str {
        if span == 0 { "http.request" } else { "postgresql.query" }
    }
    fn resource(&self, _: usize) -> &'static str {
        "GET /cart/checkout/:id"
    }
    fn error(&self, _: usize) -> i32 {
        0
    }
    fn http_status_code(&self, _: usize) -> Option<&str> {
        Some("200")
    }
    fn error_type(&self, _: usize) -> Option<&str> {
        None
    }
    fn is_top_level(&self, span: usize) -> bool {
        span == 0
    }
    fn is_measured(&self, _: usize) -> bool {
        false
    }
    fn is_sampled_alone(&self, _: usize) -> bool {
        false
    }
    fn event_rate(&self, _: usize) -> Option<f64> {
        None
    }
    fn has_exception_event(&self, _: usize) -> bool {
        false
    }
}

fn chunk(trace_id: u64, priority: i32, has_error: bool) -> Chunk<'static> {
    Chunk {
        env: "production",
        priority,
        decision_maker: None,
        trace_id,
        trace_id_high: 0,
        otel_trace_id: None,
        root: 0,
        has_remote_parent: false,
        has_priority_rate: true,
        client_rate: 1.0,
        pre_rate: 1.0,
        dropped_p0s_weight: 0.0,
        has_error,
        may_have_sampled_spans: false,
        may_have_event_rates: false,
    }
}

fn bench(c: &mut Criterion) {
    let settings = Arc::new(SamplingSettings::default());
    let rater = Rater::new(Arc::clone(&settings), 1);
    let mut lane = LaneSamplers::new(settings, 0, rater.rates());
    lane.on_time(START_MS);
    let names: Vec<String> = (0..1000).map(|n| format!("checkout-service-{n}")).collect();
    let traces: Vec<_> = names.iter().map(|service| Trace { service, spans: 50 }).collect();
    let mut group = c.benchmark_group("decide");
    group.throughput(Throughput::Elements(CHUNKS));
    for (name, services, priority, has_error) in [
        ("priority, the same service", 1, 1, false),
        ("priority, 10 services in turn", 10, 1, false),
        ("priority, 1000 services in turn", 1000, 1, false),
        ("no priority, 50 spans", 1, PRIORITY_NONE, false),
        ("error of 50 spans", 1, 0, true),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| {
                let turns = traces[..services].iter().cycle().zip(0..CHUNKS);
                let kept = turns.filter(|(trace, id)| {
                    lane.decide(black_box(&chunk(*id, priority, has_error)), *trace).is_kept()
                });
                black_box(kept.count())
            });
        });
    }
    group.finish();
    c.bench_function("handover of 1000 services", |b| {
        b.iter_batched(
            || {
                for (trace, id) in traces.iter().zip(0..CHUNKS) {
                    lane.decide(&chunk(id, 1, false), trace);
                }
                lane.handover(LaneCounts::default())
            },
            |mut counts| rater_of(&mut counts),
            BatchSize::LargeInput,
        );
    });
}

/// Absorb and tick of a fresh rater.
fn rater_of(counts: &mut LaneCounts) -> usize {
    let mut rater = Rater::new(Arc::new(SamplingSettings::default()), 1);
    rater.absorb(counts);
    rater.tick(START_MS);
    rater.tick(START_MS + 5000);
    rater.catalog_entries()
}

criterion_group!(benches, bench);
criterion_main!(benches);
