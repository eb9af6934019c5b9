//! The load of the demo: the same contexts over every transport at once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use load::{Load, LoadError, LoadSpec, Progress, Sent, Transport};

use super::stage::Stage;

/// A running load.
pub(super) struct Traffic {
    streams: Vec<Stream>,
    stop: Arc<AtomicBool>,
}

struct Stream {
    transport: Transport,
    progress: Arc<Progress>,
    thread: JoinHandle<Result<Sent, LoadError>>,
}

impl Traffic {
    /// Starts sending `rate` lines a second for `duration`.
    pub(super) fn start(stage: &Stage, rate: u32, duration: Duration) -> Result<Self> {
        let text = |path: &Path| path.display().to_string();
        let destinations = [
            (Transport::Udp, stage.udp()),
            (Transport::UdsDatagram, text(&stage.datagram_socket())),
            (Transport::UdsStream, text(&stage.stream_socket())),
        ];
        let share = f64::from(rate) / f64::from(u8::try_from(destinations.len())?);
        let stop = Arc::<AtomicBool>::default();
        // All packets are built before the first is sent.
        let loads = destinations.into_iter().zip(1..).map(|((transport, destination), seed)| {
            let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            let spec = LoadSpec {
                transport,
                destination,
                names: 60,
                tag_sets: 20,
                rate: share,
                duration_ms,
                seed,
                ..LoadSpec::default()
            };
            Load::prepare(spec).map(|load| (transport, load))
        });
        let loads: Vec<(Transport, Load)> = loads.collect::<Result<_, _>>()?;
        let mut streams = Vec::new();
        for (transport, load) in loads {
            let progress = Arc::<Progress>::default();
            let (shared, stop) = (Arc::clone(&progress), Arc::clone(&stop));
            let thread =
                Builder::new().name("load".to_owned()).spawn(move || load.run(&stop, &shared))?;
            streams.push(Stream { transport, progress, thread });
        }
        Ok(Self { streams, stop })
    }

    /// Whether everything was sent.
    pub(super) fn is_over(&self) -> bool {
        self.streams.iter().all(|stream| stream.thread.is_finished())
    }

    /// Samples sent so far.
    pub(super) fn sent_samples(&self) -> u64 {
        let sent = |stream: &Stream| stream.progress.samples.load(Ordering::Relaxed);
        self.streams.iter().map(sent).sum()
    }

    /// Ends the load and returns what was sent over each transport.
    pub(super) fn finish(self) -> Result<Vec<(Transport, Sent)>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for stream in self.streams {
            let joined = stream.thread.join();
            let sent = joined.map_err(|_| anyhow!("a thread of the load panicked"))??;
            if let Some(failure) = sent.failures.first() {
                bail!("the load ended early: {failure}");
            }
            all.push((stream.transport, sent));
        }
        Ok(all)
    }
}
