//! Start, reload, stop.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::io;
use std::net::UdpSocket;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use config::{Config, keys};
use context::Keys;
use entity::EntityTags;
use lane::DriverKind;
use merge::Merger;
use naming::Rules;
use origin::{Publisher, PublisherOptions, Roots, WalkLimits};
use receive::probe_io_uring;
use status::{Driver, Snapshot};

use crate::api::{self, LocalApi};
use crate::apm::{self, TraceListeners};
use crate::captures::Captures;
use crate::coordinator::{Coordinator, Request, flush_filter, unix_secs};
use crate::delivery::Delivery;
use crate::flush::{FlushTotals, Flusher};
use crate::flush_all::FlushHandle;
use crate::host_name::Host;
use crate::ingest::{IngestListeners, IngestPart};
use crate::lanes::{LaneOptions, Lanes};
use crate::listen::{ListenerReport, Listeners};
use crate::memory_watch::MemoryWatch;
use crate::remote::RemoteSlot;
use crate::secrets::SecretWatch;
use crate::self_metrics::SelfMetrics;
use crate::settings;
use crate::source::{Pulse, Shared};
use crate::starting::{IngestStart, Starting};
use crate::submissions::Submissions;

/// Reads the configuration again.
pub type ReloadConfig = Arc<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// What an agent needs beside its configuration.
#[derive(Clone)]
pub struct Options {
    /// Version of corelane.
    pub version: String,
    /// How [`Source::reload`] reads the configuration.
    pub reload: ReloadConfig,
    /// Told of a configuration that a reload has put into effect.
    pub applied: fn(&Config),
    /// The latest lines of the log, for a flare; a guest whose log is its host's has none.
    pub recent_log: fn() -> String,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Why an agent cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// No listener could be opened although `dogstatsd_require_listener` is set.
    #[error("no DogStatsD listener could be opened: {0}")]
    NoListener(String),
    /// A listener of a guest could not be opened.
    #[error(
        "{0}; choose another port or path, or let the system choose: `agent_mode: \
         http_ephemeral_port`, or `http_uds`"
    )]
    Listener(String),
    /// The limits exceed the memory budget and `corelane.strict_memory` is set.
    #[error(
        "the limits add up to {planned} bytes, more than `corelane.memory_max_bytes` ({budget}): \
         lower `corelane.contexts_max`, `corelane.lanes` or \
         `forwarder_retry_queue_payloads_max_size`, or raise the budget"
    )]
    OverBudget {
        /// What the limits add up to.
        planned: u64,
        /// The budget.
        budget: u64,
    },
    /// The driver asked for cannot be had.
    #[error("`corelane.driver: io_uring` cannot be had on this host ({0}): use auto or epoll")]
    Driver(io::Error),
    /// Delivery cannot start.
    #[error(transparent)]
    Forward(#[from] forward::StartError),
    /// TLS of the proxies cannot be set up.
    #[error(transparent)]
    Tls(forward::TlsError),
    /// The settings of traces are no good.
    #[error("traces cannot be processed: {0}")]
    Traces(String),
    /// The settings of logs or OTLP are no good.
    #[error("logs and OTLP cannot be taken: {0}")]
    Ingest(String),
    /// The local API cannot start.
    #[error("the local API cannot start: {0}")]
    Api(String),
    /// The address for `statsd_forward_host` is no good.
    #[error("cannot copy packets to statsd server {address}: {source}")]
    StatsdForward {
        /// Host and port as configured.
        address: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The system gave no thread or descriptor.
    #[error("cannot start a thread or open a descriptor: {0}; raise the limits of this process")]
    System(#[from] io::Error),
}

/// A running agent. Stops at drop.
pub struct Agent {
    pub(crate) shared: Arc<Shared>,
    requests: Sender<Request>,
    coordinator: Option<JoinHandle<()>>,
    api: Option<LocalApi>,
    secrets: Option<SecretWatch>,
    submissions: Arc<Submissions>,
}

/// Reads the counters of an agent.
pub struct SnapshotHandle(Arc<Shared>);

impl SnapshotHandle {
    /// All counters and the state of everything, the last ones after a stop.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshot()
    }
}

impl fmt::Debug for SnapshotHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SnapshotHandle")
    }
}

/// Whose process it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Daemon,
    Guest,
}

/// Bytes a context may take: line keys, index, slot, strings, and cells of three buckets.
const PLANNED_CONTEXT_BYTES: u64 = 400;
/// Virtual bytes of one lane: batches and rings.
const PLANNED_LANE_BYTES: u64 = 6 << 20;

impl Agent {
    /// Starts everything the configuration asks for.
    ///
    /// # Errors
    /// See [`StartError`]. A listener that cannot be opened is reported in `status` and skipped,
    /// unless `dogstatsd_require_listener` is set.
    pub fn start(config: Config, options: Options) -> Result<Self, StartError> {
        Self::start_as(config, options, Role::Daemon)
    }

    /// Starts inside a process that belongs to somebody else: every listener must open, descriptors
    /// that the process was started with are left alone, and the local API has a thread only where
    /// it is asked for.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start_guest(config: Config, options: Options) -> Result<Self, StartError> {
        Self::start_as(config, options, Role::Guest)
    }

    fn start_as(config: Config, options: Options, role: Role) -> Result<Self, StartError> {
        let config = Arc::new(config);
        let mut notes: Vec<String> = config.diagnostics().iter().map(ToString::to_string).collect();
        let planned_bytes = planned_bytes(&config);
        check_budget(&config, planned_bytes)?;
        let (driver, driver_status) = choose_driver(&config)?;
        let host = Host::resolve(&config, &mut notes);
        log::info!("host name {:?}, from {}", host.name, host.provider);

        let lane_count = settings::lane_count(&config);
        let listeners = Listeners::open(&config, lane_count);
        note_listeners(&listeners.reports, &mut notes);
        if listeners.is_deaf() && config.bool(keys::DOGSTATSD_REQUIRE_LISTENER) {
            let errors = listeners.reports.iter().filter_map(|report| report.error.clone());
            return Err(StartError::NoListener(errors.collect::<Vec<_>>().join("; ")));
        }
        let mut trace_listeners = TraceListeners::open(&config, lane_count, role == Role::Guest);
        trace_listeners.statsd_port = listeners.port();
        note_listeners(&trace_listeners.reports, &mut notes);
        let mut ingest_listeners = IngestListeners::open(&config);
        note_listeners(&ingest_listeners.reports, &mut notes);
        if role == Role::Guest {
            let reports = listeners.reports.iter().chain(&trace_listeners.reports);
            require_all(reports.chain(&ingest_listeners.reports))?;
        }
        let rules = rules(&config, &mut notes);
        let delivery = Arc::new(Delivery::start(&config)?);
        let (merge_settings, skipped) = settings::merge(&config);
        notes.extend(skipped.iter().map(|name| format!("histogram setting {name:?} is ignored")));
        let histogram_suffixes: Vec<String> = merge_settings.histogram.suffixes();
        let secret = RandomState::new().hash_one(std::process::id());
        let keys = Keys::from_seed(secret);
        let started_unix_secs = unix_secs();
        let remote = Arc::new(RemoteSlot::new(&config, &host.name));
        let mut listener_reports = listeners.reports.clone();
        listener_reports.append(&mut trace_listeners.reports);
        listener_reports.append(&mut ingest_listeners.reports);
        // The lanes come later than what hands them lines.
        let way_in = Arc::<OnceLock<Arc<Submissions>>>::default();
        let traces = apm::start(Starting {
            config: &config,
            host: &host.name,
            lanes: lane_count,
            listeners: &mut trace_listeners,
            seed: secret,
            way_in: &way_in,
            remote: &remote,
        })?;
        let lanes = Lanes::start(
            LaneOptions {
                config: &config,
                lanes: lane_count,
                driver,
                shard: settings::shard(&config, &host.name, started_unix_secs),
                keys: keys.clone(),
                rules: rules.clone(),
                forward: statsd_forward(&config)?,
                traces: traces.lanes,
            },
            listeners,
            trace_listeners.files,
        )?;
        let submissions = Arc::clone(lanes.submissions());
        way_in.get_or_init(|| Arc::clone(&submissions));
        let ingest = IngestPart::start(IngestStart {
            config: &config,
            host: &host.name,
            keys: &keys,
            started_unix_secs,
            role,
            delivery: &delivery,
            submissions: &submissions,
            listeners: ingest_listeners,
        })?;
        let totals = Arc::<Mutex<FlushTotals>>::default();
        let pulse = Arc::<Pulse>::default();
        let (requests, request_receiver) = Coordinator::requests();
        let cpus = config.cpus();
        let shared = Arc::new(Shared {
            version: options.version.clone(),
            started: Instant::now(),
            started_unix_secs,
            host_name: Arc::clone(&host.name),
            driver: driver_status,
            listeners: listener_reports,
            lanes: lanes
                .counters()
                .into_iter()
                .enumerate()
                .map(|(lane, counters)| (counters, cpus.get(lane % cpus.len().max(1)).copied()))
                .collect(),
            totals: Arc::clone(&totals),
            delivery: Arc::clone(&delivery),
            trace_delivery: traces.delivery,
            trace_report: traces.report,
            proxies: traces.proxies,
            ingest,
            config: RwLock::new(Arc::clone(&config)),
            changing: Mutex::default(),
            notes: Mutex::new(notes),
            planned_bytes,
            requests: requests.clone(),
            reload: options.reload,
            applied: options.applied,
            recent_log: options.recent_log,
            pulse: Arc::clone(&pulse),
            remote: Arc::clone(&remote),
            flares: Arc::default(),
        });
        let mut coordinator = Coordinator {
            flusher: Flusher {
                merger: Merger::new(merge_settings, flush_filter(&rules, &histogram_suffixes)),
                delivery,
                self_metrics: SelfMetrics::new(&keys, &host.name, &options.version),
                host: Arc::clone(&host.name),
                context_totals: None,
                threads_max: lane_count,
            },
            lanes,
            totals,
            bucket_secs: config.secs(keys::BUCKET_SECS).as_secs().max(1),
            publisher: Publisher::new(publisher_options()),
            captures: Captures::new(&config, Arc::clone(&pulse.captures)),
            config: Arc::clone(&config),
            host,
            requests: request_receiver,
            histogram_suffixes,
            pulse,
            memory: MemoryWatch::new(config.bytes(keys::MEMORY_MAX_BYTES)),
            lane_contexts_max: settings::lane_contexts_max(&config),
            apm: traces.apm,
            exchanges: traces.exchanges,
        };
        coordinator.flusher.count_contexts(&config);
        let thread =
            Builder::new().name("corelane/flush".into()).spawn(move || coordinator.run())?;
        remote.start(&config, &shared);
        let secrets = SecretWatch::start(&config, &shared)?;
        let mut agent =
            Self { shared, requests, coordinator: Some(thread), api: None, secrets, submissions };
        agent.api = api::start(&config, role, &agent.shared)?;
        Ok(agent)
    }

    /// Whether it ended although nobody stopped it.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.coordinator.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// The way to its counters, which outlives it.
    #[must_use]
    pub fn snapshot_handle(&self) -> SnapshotHandle {
        SnapshotHandle(Arc::clone(&self.shared))
    }

    /// The way to a flush of everything, for whoever wants to wait for one.
    #[must_use]
    pub fn flush_handle(&self) -> FlushHandle {
        FlushHandle(Arc::clone(&self.shared))
    }

    /// The way in without a socket: for a host program, and for what comes by other protocols.
    #[must_use]
    pub fn submissions(&self) -> Arc<Submissions> {
        Arc::clone(&self.submissions)
    }

    /// Stops: reads what the sockets hold, flushes, delivers or spools within its budgets. Returns
    /// the last counters.
    pub fn stop(mut self) -> Snapshot {
        self.stop_threads();
        self.shared.snapshot()
    }

    fn stop_threads(&mut self) {
        drop(self.secrets.take());
        self.shared.remote.stop();
        self.shared.flares.stop();
        // Before the lanes and forwarders that it hands things to.
        if let Some(ingest) = &self.shared.ingest {
            ingest.stop();
        }
        let with_open_bucket = self.shared.config().flushes_on_stop();
        // A coordinator that is gone has stopped already.
        drop(self.requests.send(Request::Stop { with_open_bucket }));
        // Beside the coordinator, whose forwarders have the same budget.
        if let Some(ingest) = &self.shared.ingest {
            ingest.stop_delivery();
        }
        if let Some(thread) = self.coordinator.take()
            && thread.join().is_err()
        {
            log::error!("the coordinator panicked; what was not flushed is lost");
        }
        self.api = None;
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.coordinator.is_some() {
            self.stop_threads();
        }
    }
}

impl fmt::Debug for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Agent").field("version", &self.shared.version).finish_non_exhaustive()
    }
}

/// Names and tags. Faulty mapper profiles switch the mapper off, as in the Agent.
pub(crate) fn rules(config: &Config, notes: &mut Vec<String>) -> Rules {
    let mut naming = settings::naming(config);
    loop {
        match Rules::new(&naming) {
            Ok(rules) => return rules,
            Err(error) => {
                let note = format!("{error}; `dogstatsd_mapper_profiles` is ignored");
                log::error!("{note}");
                notes.push(note);
                naming.mapper_profiles.clear();
            }
        }
    }
}

/// Says what became of the listeners.
fn note_listeners(reports: &[ListenerReport], notes: &mut Vec<String>) {
    for report in reports {
        match &report.error {
            Some(error) => {
                log::error!("{error}");
                notes.push(error.clone());
            }
            None => log::info!("listening on {} {}", report.transport, report.address),
        }
    }
}

/// Refuses to start unless every listener could be opened.
fn require_all<'r>(reports: impl Iterator<Item = &'r ListenerReport>) -> Result<(), StartError> {
    let errors: Vec<&str> = reports.filter_map(|report| report.error.as_deref()).collect();
    if errors.is_empty() { Ok(()) } else { Err(StartError::Listener(errors.join("; "))) }
}

fn planned_bytes(config: &Config) -> u64 {
    let contexts = config.count(keys::CONTEXTS_MAX) as u64;
    let lanes = settings::lane_count(config) as u64;
    let endpoints = config.endpoints(settings::AGENT_VERSION).len() as u64;
    let queues = config.bytes(keys::FORWARDER_RETRY_QUEUE_PAYLOADS_MAX_SIZE) * endpoints;
    let lane_bytes = PLANNED_LANE_BYTES + config.bytes(keys::SUBMISSION_BYTES_MAX);
    contexts * PLANNED_CONTEXT_BYTES
        + lanes * lane_bytes
        + queues
        + crate::ingest::planned_bytes(config)
        + crate::remote::planned_bytes(config)
        + crate::flare::planned_bytes(config)
}

fn check_budget(config: &Config, planned: u64) -> Result<(), StartError> {
    let budget = config.bytes(keys::MEMORY_MAX_BYTES);
    log::info!("memory: the limits add up to {} MiB at most", planned >> 20);
    if budget == 0 || planned <= budget {
        return Ok(());
    }
    if config.bool(keys::STRICT_MEMORY) {
        return Err(StartError::OverBudget { planned, budget });
    }
    log::warn!("the limits add up to {planned} bytes, the budget is {budget}");
    Ok(())
}

fn choose_driver(config: &Config) -> Result<(DriverKind, Driver), StartError> {
    let (kind, reason) = match config.str(keys::DRIVER) {
        "epoll" => (DriverKind::Epoll, "configured"),
        "io_uring" => {
            if let Some(why) = lane::NO_IO_URING {
                return Err(StartError::Driver(io::Error::other(why)));
            }
            probe_io_uring().map_err(StartError::Driver)?;
            (DriverKind::IoUring, "configured")
        }
        // Measured: bench/results/report.md, and ARCHITECTURE.md.
        _ => (DriverKind::Epoll, "the cheaper one while traffic is light"),
    };
    Ok((kind, Driver { name: kind.as_str().to_owned(), reason: reason.to_owned() }))
}

fn statsd_forward(config: &Config) -> Result<Option<UdpSocket>, StartError> {
    let (Some(host), port) =
        (config.text(keys::STATSD_FORWARD_HOST), config.port(keys::STATSD_FORWARD_PORT))
    else {
        return Ok(None);
    };
    if port == 0 {
        return Ok(None);
    }
    let connect = || {
        let socket = UdpSocket::bind("0.0.0.0:0").or_else(|_| UdpSocket::bind("[::]:0"))?;
        socket.connect((host, port))?;
        socket.set_nonblocking(true)?;
        Ok(socket)
    };
    let explain = |source| StartError::StatsdForward { address: format!("{host}:{port}"), source };
    connect().map(Some).map_err(explain)
}

fn publisher_options() -> PublisherOptions {
    PublisherOptions {
        cgroup_base: Roots::detect().cgroup_base(),
        limits: WalkLimits::default(),
        global_tags: EntityTags::default(),
    }
}
