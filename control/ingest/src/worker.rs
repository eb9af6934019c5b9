//! The thread: one body after the other, and what is due in between.

use std::collections::BTreeMap;
use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use crate::counts::Counts;
use crate::http::{self, Listener};
use crate::inlet::{Inlet, Job, Kind, Limits, Outcome, Room};
use crate::log_batch::LogBatch;
#[cfg(feature = "otlp")]
use crate::points::Points;
use crate::{Outlets, Settings};

/// The running worker. Stops at drop.
#[derive(Debug)]
pub struct Ingest {
    inlet: Arc<Inlet>,
    counts: Arc<Mutex<Counts>>,
    answers: Arc<http::Answers>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread works with.
struct Worker {
    logs: Option<LogBatch>,
    #[cfg(feature = "otlp")]
    points: Option<Points>,
    counts: Arc<Mutex<Counts>>,
    bodies: u64,
    body_bytes: u64,
    malformed: u64,
}

/// How long requests under way may take after a stop.
const LAST_REQUESTS: Duration = Duration::from_secs(1);
/// Longest sleep.
const REST: Duration = Duration::from_secs(3600);

impl Ingest {
    /// Starts the thread, which serves the listeners too.
    ///
    /// # Errors
    /// When the system gives no thread, or a listener cannot be used.
    pub fn start(
        settings: Settings,
        outlets: Outlets,
        listeners: Vec<Listener>,
    ) -> io::Result<Self> {
        let logs = settings.logs.as_ref();
        let otlp = |is_wanted: bool| if is_wanted { settings.otlp_bytes_max } else { 0 };
        let limits = Limits {
            logs: logs.map_or(0, |logs| logs.body_bytes_max),
            otlp_logs: otlp(logs.is_some() && settings.takes_otlp_logs),
            #[cfg(feature = "otlp")]
            otlp_metrics: otlp(settings.metrics.is_some()),
            #[cfg(not(feature = "otlp"))]
            otlp_metrics: 0,
        };
        let (sender, jobs) = unbounded_channel();
        let inlet = Inlet::new(sender, Room::new(settings.waiting_bytes_max), limits);
        let inlet = Arc::new(inlet);
        let counts = Arc::<Mutex<Counts>>::default();
        let worker = Worker {
            logs: settings.logs.map(|logs| LogBatch::new(logs, outlets.logs)),
            #[cfg(feature = "otlp")]
            points: settings
                .metrics
                .map(|metrics| Points::new(metrics, outlets.points, settings.points_wait)),
            counts: Arc::clone(&counts),
            bodies: 0,
            body_bytes: 0,
            malformed: 0,
        };
        let answers = Arc::<http::Answers>::default();
        let server = http::Server {
            inlet: Arc::clone(&inlet),
            traces: outlets.traces,
            otlp_bytes_max: settings.otlp_bytes_max,
            grpc_bytes_max: settings.grpc_bytes_max,
            answers: Arc::clone(&answers),
        };
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listeners = {
            // A socket belongs to the runtime from its start.
            let _entered = runtime.enter();
            listeners.into_iter().map(http::Open::new).collect::<io::Result<Vec<_>>>()?
        };
        let thread = Builder::new().name("corelane/ingest".into()).spawn(move || {
            runtime.block_on(run(worker, jobs, server, listeners));
        })?;
        Ok(Self { inlet, counts, answers, thread: Mutex::new(Some(thread)) })
    }

    /// The way in without a socket.
    #[must_use]
    pub const fn inlet(&self) -> &Arc<Inlet> {
        &self.inlet
    }

    /// Hands on everything that was taken before; whether that was done by the deadline.
    #[must_use]
    pub fn flush(&self, deadline: Instant) -> bool {
        let (reply, done) = mpsc::channel();
        let is_asked = self.inlet.send(Job::Flush(reply)).is_ok();
        let left = deadline.saturating_duration_since(Instant::now());
        is_asked && done.recv_timeout(left).is_ok()
    }

    /// Counters since the start.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let refusals = self.inlet.refusals();
        let refused = [
            ("full", &refusals.full),
            ("too_long", &refusals.too_long),
            ("malformed", &refusals.malformed),
        ];
        let refused = refused.map(|(reason, count)| (reason, count.load(Ordering::Relaxed)));
        counts.bodies_refused = refused.into_iter().filter(|(_, count)| *count > 0).collect();
        counts.waiting_bytes = self.inlet.room().used() as u64;
        self.answers.count(&mut counts);
        counts
    }

    /// Takes nothing more, works on what was taken, and sends it. A second call does nothing.
    pub fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // A worker that is gone has stopped already.
        self.inlet.send(Job::Stop).ok();
        if thread.join().is_err() {
            log::error!("the thread of logs and OTLP panicked; what it held is lost");
        }
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn run(
    mut worker: Worker,
    mut jobs: UnboundedReceiver<Job>,
    server: http::Server,
    listeners: Vec<http::Open>,
) {
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(http::serve(listeners, server, stopped));
    loop {
        let due = worker.due().unwrap_or_else(|| Instant::now() + REST);
        tokio::select! {
            job = jobs.recv() => match job {
                Some(Job::Stop) | None => break,
                Some(job) => worker.serve(job),
            },
            () = sleep_until(due.into()) => worker.flush_due(),
        }
    }
    stop.send_replace(true);
    let mut serving = pin!(timeout(LAST_REQUESTS, serving));
    loop {
        tokio::select! {
            _ended = &mut serving => break,
            Some(job) = jobs.recv() => worker.serve(job),
        }
    }
    jobs.close();
    while let Some(job) = jobs.recv().await {
        worker.serve(job);
    }
    worker.flush();
}

impl Worker {
    fn serve(&mut self, job: Job) {
        match job {
            Job::Body { kind, body, charge, reply } => {
                self.bodies += 1;
                self.body_bytes += body.len() as u64;
                let outcome = self.take(kind, &body);
                self.malformed += u64::from(outcome.is_err());
                if let (Err(error), None) = (&outcome, &reply) {
                    log::debug!("a body of {kind:?} is refused: {error}");
                }
                if let Some(reply) = reply {
                    // A client that is gone needs no answer.
                    reply.send(outcome).ok();
                }
                drop(charge);
                self.publish();
            }
            Job::Flush(reply) => {
                self.flush();
                // Whoever asked may have given up.
                reply.send(()).ok();
            }
            Job::Stop => {}
        }
    }

    fn take(&mut self, kind: Kind, body: &[u8]) -> Outcome {
        const OFF: &str = "such data is not taken";
        let now_ms = unix_ms();
        match kind {
            Kind::Logs => {
                let logs = self.logs.as_mut().ok_or(OFF)?;
                logs.take_json(body, now_ms).map_err(|error| error.to_string())
            }
            Kind::LogLines => {
                let logs = self.logs.as_mut().ok_or(OFF)?;
                logs.take_lines(body, now_ms).map_err(|error| error.to_string())
            }
            #[cfg(feature = "otlp")]
            Kind::OtlpLogs => {
                let logs = self.logs.as_mut().ok_or(OFF)?;
                logs.take_otlp(body, now_ms).map_err(|error| error.to_string())
            }
            #[cfg(feature = "otlp")]
            Kind::OtlpMetrics => {
                let points = self.points.as_mut().ok_or(OFF)?;
                points.take(body, now_ms).map_err(|error| error.to_string())
            }
            #[cfg(not(feature = "otlp"))]
            Kind::OtlpLogs | Kind::OtlpMetrics => Err(OFF.to_owned()),
        }
    }

    /// When something has to leave.
    fn due(&self) -> Option<Instant> {
        let logs = self.logs.as_ref().and_then(LogBatch::due);
        #[cfg(feature = "otlp")]
        let points = self.points.as_ref().and_then(Points::due);
        #[cfg(not(feature = "otlp"))]
        let points = None::<Instant>;
        logs.into_iter().chain(points).min()
    }

    fn flush_due(&mut self) {
        let now = Instant::now();
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= now);
        if let Some(logs) = self.logs.as_mut().filter(|logs| is_due(logs.due())) {
            logs.flush();
        }
        #[cfg(feature = "otlp")]
        if let Some(points) = self.points.as_mut().filter(|points| is_due(points.due())) {
            points.flush();
        }
        self.publish();
    }

    fn flush(&mut self) {
        if let Some(logs) = &mut self.logs {
            logs.flush();
        }
        #[cfg(feature = "otlp")]
        if let Some(points) = &mut self.points {
            points.flush();
        }
        self.publish();
    }

    fn publish(&self) {
        let mut counts = Counts {
            bodies: self.bodies,
            body_bytes: self.body_bytes,
            bodies_malformed: self.malformed,
            bodies_refused: BTreeMap::new(),
            ..Counts::default()
        };
        if let Some(logs) = &self.logs {
            logs.count(&mut counts);
        }
        #[cfg(feature = "otlp")]
        if let Some(points) = &self.points {
            points.count(&mut counts);
        }
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }
}

/// Unix time in milliseconds.
fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
