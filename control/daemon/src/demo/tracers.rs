//! The traces of the demo: two tracers, one for each version of the protocol that is in wide use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use load::LoadError;
use load::traces::{
    Language, TraceLoad, TraceProgress, TraceSent, TraceSpec, TraceTransport, TraceVersion,
};

use super::stage::Stage;

/// Running tracers.
pub(super) struct Tracers {
    running: Vec<Tracer>,
    stop: Arc<AtomicBool>,
}

struct Tracer {
    progress: Arc<TraceProgress>,
    thread: JoinHandle<Result<TraceSent, LoadError>>,
}

/// What the tracers are.
const TRACERS: [(TraceVersion, Language); 2] =
    [(TraceVersion::V04, Language::Python), (TraceVersion::V10, Language::Go)];

impl Tracers {
    /// Starts sending `rate` spans a second for `duration`; nothing for a rate of 0.
    pub(super) fn start(stage: &Stage, rate: u32, duration: Duration) -> Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let mut running = Vec::new();
        let share = f64::from(rate) / f64::from(u8::try_from(TRACERS.len())?);
        let wanted = if rate == 0 { &[] } else { &TRACERS[..] };
        for ((version, language), seed) in wanted.iter().zip(1..) {
            let load = TraceLoad::prepare(TraceSpec {
                version: *version,
                language: *language,
                transport: TraceTransport::Uds,
                destination: stage.trace_socket().display().to_string(),
                spans_per_trace: 10,
                traces_per_payload: 5,
                rate: share,
                duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
                connections: 2,
                seed,
                ..TraceSpec::default()
            })?;
            let progress = Arc::<TraceProgress>::default();
            let (shared, stop) = (Arc::clone(&progress), Arc::clone(&stop));
            let thread =
                Builder::new().name("traces".to_owned()).spawn(move || load.run(&stop, &shared))?;
            running.push(Tracer { progress, thread });
        }
        Ok(Self { running, stop })
    }

    /// Whether everything was sent.
    pub(super) fn is_over(&self) -> bool {
        self.running.iter().all(|tracer| tracer.thread.is_finished())
    }

    /// Spans sent so far.
    pub(super) fn sent_spans(&self) -> u64 {
        self.running.iter().map(|tracer| tracer.progress.spans.load(Ordering::Relaxed)).sum()
    }

    /// Ends the tracers and returns what each sent.
    pub(super) fn finish(self) -> Result<Vec<TraceSent>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for tracer in self.running {
            let joined = tracer.thread.join();
            let sent = joined.map_err(|_| anyhow!("a thread of the load panicked"))??;
            if let Some(failure) = sent.failures.first() {
                bail!("a tracer ended early: {failure}");
            }
            all.push(sent);
        }
        Ok(all)
    }
}
