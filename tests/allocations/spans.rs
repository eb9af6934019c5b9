//! A payload from its bytes to those of the intake: decoded, processed, counted in stats, sampled
//! and encoded.

use std::sync::Arc;

use load::traces::{TracePool, TraceSpec, TraceVersion};
use sampling::{LaneSamplers, Rater, SamplingSettings};
use span::decode::{Decoder, Progress};
use span::encode::{Encoded, Encoder};
use span::{Batch, Format};
use stats::{Concentrator, ConcentratorSettings};
use traces::{PayloadHead, Piece, Processor, Settings};

/// When everything happens.
const NOW_NS: u64 = 1_795_000_005_000_000_000;
/// Spans of a payload.
const SPANS: u64 = 250;
/// Allocations of a payload, however many spans it has: two arenas that change hands, and three
/// tables of strings for v1.0.
const PAYLOAD_MAX: u64 = 5;

/// The memory that a lane keeps from one payload to the next.
struct Pipeline {
    processor: Processor,
    decoder: Decoder,
    batch: Batch,
    spare: Vec<u8>,
    pieces: Vec<Piece>,
    encoder: Encoder,
    out: Vec<u8>,
}

impl Pipeline {
    fn new() -> Self {
        let sampling = Arc::<SamplingSettings>::default();
        let rater = Rater::new(Arc::clone(&sampling), 1);
        let mut samplers = LaneSamplers::new(sampling, 0, rater.rates());
        samplers.on_time(NOW_NS / 1_000_000);
        let settings = Settings { peer_tags: traces::peer_tag_keys(&[]), ..Settings::default() };
        let concentrator = Concentrator::new(ConcentratorSettings::default(), NOW_NS);
        Self {
            processor: Processor::new(Arc::new(settings), samplers, concentrator, 7)
                .with_sql_cache(1 << 20),
            decoder: Decoder::default(),
            batch: Batch::default(),
            spare: Vec::new(),
            pieces: Vec::new(),
            encoder: Encoder::default(),
            out: Vec::new(),
        }
    }

    /// Allocations of one payload from end to end.
    fn cost_of(&mut self, format: Format, body: &[u8]) -> u64 {
        let head = PayloadHead {
            language: "python",
            is_top_level_by_client: true,
            ..PayloadHead::default()
        };
        // Where the server collects bodies: memory that is there.
        self.spare.clear();
        self.spare.extend_from_slice(body);
        self.out.clear();
        let allocations = allocation_counter::measure(|| {
            let body = std::mem::take(&mut self.spare);
            self.spare = self.decoder.start(format, false, body, &mut self.batch);
            while self.decoder.step(&mut self.batch, 256 << 10) == Ok(Progress::More) {}
            assert_eq!(self.batch.spans.len() as u64, SPANS);
            self.processor.begin(std::mem::take(&mut self.batch), &head, NOW_NS);
            while self.processor.step(200_000) {}
            let batch = self.processor.finish(&mut self.pieces);
            for piece in &self.pieces {
                self.encoder.begin(&batch, piece.chunks.clone());
                while self.encoder.step(&batch, &mut self.out, 256 << 10) == Encoded::More {}
            }
            self.batch = batch;
        });
        allocations.count_total
    }
}

#[test]
fn known_payloads_cost_a_few_allocations_and_none_for_a_span() {
    for (version, format) in [
        (TraceVersion::V04, Format::V04),
        (TraceVersion::V05, Format::V05),
        (TraceVersion::V07, Format::V07),
        (TraceVersion::V10, Format::V1),
    ] {
        let spec = TraceSpec {
            version,
            payloads: 8,
            kept_per_mille: 500,
            start_unix_ns: NOW_NS - 1_000_000_000,
            ..TraceSpec::default()
        };
        let pool = TracePool::build(&spec).expect("a pool");
        let mut pipeline = Pipeline::new();
        let mut pass = || (0..pool.len()).map(|at| pipeline.cost_of(format, pool.body(at))).max();
        // The first passes size the arenas, make the groups of stats, and remember statements.
        for _ in 0..4 {
            pass();
        }
        let cost = pass().unwrap_or_default();
        assert!(cost <= PAYLOAD_MAX, "{version:?}: {cost} allocations for {SPANS} spans");
        assert!(!pipeline.out.is_empty(), "{version:?}: nothing was kept");
    }
}
