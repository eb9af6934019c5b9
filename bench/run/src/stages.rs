//! What each stage of the trace pipeline costs, on the payloads of a scenario and in this process.
//!
//! The agent shows only what all stages cost together. Here the same crates work on one payload
//! after the other, each stage to its end, and the clock is read between them. Of several passes
//! the best of each payload counts, so that what else runs on the machine does not. What stats cost
//! is the difference to payloads whose sender made them.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use load::traces::{TracePool, TraceSpec, TraceVersion};
use sampling::{LaneSamplers, Rater, SamplingSettings};
use span::decode::{Decoder, Progress};
use span::encode::{Encoded, Encoder};
use span::{Batch, Format};
use stats::{Concentrator, ConcentratorSettings};
use traces::{PayloadHead, Piece, Processor, Settings};

use crate::figures::{Figure, Figures};

/// Nanoseconds per span of each stage, on this thread.
pub(crate) fn measure(spec: &TraceSpec) -> Result<Figures> {
    let pool = TracePool::build(spec)?;
    let spans = exact(pool.total().spans);
    let with = best_of(&pool, spec.version, spec.is_stats_computed)?;
    let without = best_of(&pool, spec.version, true)?;
    let per_span = |time: Duration| time.as_secs_f64() * 1e9 / spans;
    Ok(Figures::from([
        (Figure::DecodeNsPerSpan, per_span(with.decode)),
        (Figure::ProcessNsPerSpan, per_span(without.process)),
        (Figure::StatsNsPerSpan, per_span(with.process.saturating_sub(without.process))),
        (Figure::EncodeNsPerSpan, per_span(with.encode)),
    ]))
}

/// Time of each stage.
#[derive(Clone, Copy, Debug, Default)]
struct Stages {
    decode: Duration,
    process: Duration,
    encode: Duration,
}

/// Passes over the pool; the first ones size arenas and make the groups of stats.
const PASSES: usize = 30;
const WARM_PASSES: usize = 3;
/// Bytes of remembered statements, as an agent has by default.
const SQL_CACHE_BYTES: usize = 5_000_000;
/// Bytes of a slice, as a lane takes them.
const SLICE_BYTES: usize = 256 << 10;
const SLICE_WORK: usize = 250_000;

/// The sum over all payloads of their best times.
fn best_of(pool: &TracePool, version: TraceVersion, is_stats_by_client: bool) -> Result<Stages> {
    let mut pipeline = Pipeline::new(version, is_stats_by_client);
    let mut best: Vec<Option<Stages>> = vec![None; pool.len()];
    for pass in 0..WARM_PASSES + PASSES {
        for (index, best) in best.iter_mut().enumerate() {
            let stages = pipeline.run(pool.body(index))?;
            if pass >= WARM_PASSES {
                *best = Some(best.map_or(stages, |best| Stages {
                    decode: best.decode.min(stages.decode),
                    process: best.process.min(stages.process),
                    encode: best.encode.min(stages.encode),
                }));
            }
        }
    }
    let mut sum = Stages::default();
    for best in best.into_iter().flatten() {
        sum.decode += best.decode;
        sum.process += best.process;
        sum.encode += best.encode;
    }
    Ok(sum)
}

/// What a lane keeps from one payload to the next.
struct Pipeline {
    format: Format,
    is_stats_by_client: bool,
    now_ns: u64,
    processor: Processor,
    decoder: Decoder,
    batch: Batch,
    spare: Vec<u8>,
    pieces: Vec<Piece>,
    encoder: Encoder,
    out: Vec<u8>,
}

impl Pipeline {
    fn new(version: TraceVersion, is_stats_by_client: bool) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        let sampling = Arc::<SamplingSettings>::default();
        let rater = Rater::new(Arc::clone(&sampling), 1);
        let mut samplers = LaneSamplers::new(sampling, 0, rater.rates());
        samplers.on_time(now_ns / 1_000_000);
        let settings = Settings { peer_tags: traces::peer_tag_keys(&[]), ..Settings::default() };
        let concentrator = Concentrator::new(ConcentratorSettings::default(), now_ns);
        Self {
            format: format(version),
            is_stats_by_client,
            now_ns,
            processor: Processor::new(Arc::new(settings), samplers, concentrator, 7)
                .with_sql_cache(SQL_CACHE_BYTES),
            decoder: Decoder::default(),
            batch: Batch::default(),
            spare: Vec::new(),
            pieces: Vec::new(),
            encoder: Encoder::default(),
            out: Vec::new(),
        }
    }

    /// One payload from its bytes to those of the intake.
    fn run(&mut self, body: &[u8]) -> Result<Stages> {
        let head = PayloadHead {
            language: "python",
            is_top_level_by_client: true,
            is_stats_by_client: self.is_stats_by_client,
            ..PayloadHead::default()
        };
        self.spare.clear();
        self.spare.extend_from_slice(body);
        self.out.clear();
        let begun = Instant::now();
        let body = std::mem::take(&mut self.spare);
        self.spare = self.decoder.start(self.format, false, body, &mut self.batch);
        let decoded = loop {
            match self.decoder.step(&mut self.batch, SLICE_BYTES) {
                Ok(Progress::More) => {}
                end => break end,
            }
        };
        let decode = begun.elapsed();
        ensure!(decoded == Ok(Progress::Done), "the load is not decoded: {decoded:?}");

        let begun = Instant::now();
        self.processor.begin(std::mem::take(&mut self.batch), &head, self.now_ns);
        while self.processor.step(SLICE_WORK) {}
        self.batch = self.processor.finish(&mut self.pieces);
        let process = begun.elapsed();

        let begun = Instant::now();
        for piece in &self.pieces {
            self.encoder.begin(&self.batch, piece.chunks.clone());
            while self.encoder.step(&self.batch, &mut self.out, SLICE_BYTES) == Encoded::More {}
        }
        Ok(Stages { decode, process, encode: begun.elapsed() })
    }
}

const fn format(version: TraceVersion) -> Format {
    match version {
        TraceVersion::V04 => Format::V04,
        TraceVersion::V05 => Format::V05,
        TraceVersion::V07 => Format::V07,
        TraceVersion::V10 => Format::V1,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
const fn exact(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_takes_time_in_every_version() {
        for version in TraceVersion::ALL {
            let spec = TraceSpec {
                version,
                payloads: 2,
                spans_per_trace: 10,
                traces_per_payload: 2,
                kept_per_mille: 1000,
                ..TraceSpec::default()
            };
            let figures = measure(&spec).expect("a load that is decoded");
            for figure in
                [Figure::DecodeNsPerSpan, Figure::ProcessNsPerSpan, Figure::EncodeNsPerSpan]
            {
                assert!(figures[&figure] > 0.0, "{version:?}, {figure:?}: {figures:?}");
            }
        }
    }
}
