//! The control half of the trace pipeline.
//!
//! ```text
//! lanes --TraceHandover--> Apm: sampler counts -> Rater -> rates ----------> TraceOrders --> lanes
//!                               encoded spans -> Writer -> AgentPayload -> Forwarder
//!                               stats of lanes, of clients -> merge -> StatsPayload -> Forwarder
//! ```
//!
//! Each look of the coordinator is one round: handovers are taken, what is due leaves, and new
//! orders go to the lanes.

mod azure;
mod budget;
mod delivery;
mod info;
mod lanes;
mod listen;
mod report;
mod series;
mod settings;
mod start;
mod stats;
mod status;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use ::stats::ConcentratorSettings;
use config::{Config, keys};
use lane::{TraceHandover, TraceOrders, TraceSettings};
use sampling::{LaneCounts, Rater, Rates, RemoteSampling};
use server::{ExchangeInlet, Identity, exchanges};

use self::budget::Budget;
pub(crate) use self::delivery::TraceDelivery;
use self::info::Info;
pub(crate) use self::lanes::LaneTraces;
pub(crate) use self::listen::TraceListeners;
pub(crate) use self::report::TraceReport;
use self::series::TraceMeter;
use self::settings::Feature;
pub(crate) use self::start::start;
use self::stats::StatsMerge;
pub(crate) use self::status::status;
use self::writer::Writer;
use crate::self_metrics::TraceSeries;
use crate::settings::AGENT_VERSION;

/// The control half.
pub(crate) struct Apm {
    rater: Rater,
    /// Rates that the lanes have not been told.
    news: Option<Arc<Rates>>,
    writer: Writer,
    stats: StatsMerge,
    /// Counts to go back to their lanes, emptied.
    spares: Vec<LaneCounts>,
    report: Arc<Mutex<TraceReport>>,
    meter: TraceMeter,
    budget: Budget,
    delivery: Arc<TraceDelivery>,
    info: InfoSource,
    /// What answers say from now on, for each lane that has not been told.
    identities: Vec<Option<Arc<Identity>>>,
}

/// What `/info` is made of, but for the paths of proxies.
struct InfoSource {
    /// The configuration of the start: nothing else that it tells changes in a running process.
    config: Arc<Config>,
    port: Option<u16>,
    statsd_port: u16,
}

impl Apm {
    /// The control half, and what the lanes' halves are started with. `seed` is a secret of this
    /// process.
    fn start(
        config: &Arc<Config>,
        host: &str,
        lanes: usize,
        listeners: &mut TraceListeners,
        seed: u64,
        delivery: Arc<TraceDelivery>,
        proxy_paths: &[&'static str],
    ) -> Result<(Self, LaneTraces, Vec<ExchangeInlet>), String> {
        let info = InfoSource {
            config: Arc::clone(config),
            port: listeners.port,
            statsd_port: listeners.statsd_port,
        };
        let identity = info.identity(proxy_paths);
        let sampling = Arc::new(settings::sampling(config));
        let rater = Rater::new(Arc::clone(&sampling), lanes);
        let processing = settings::processing(config, host).map_err(|error| error.to_string())?;
        let processing = Arc::new(processing);
        let bucket_ns = settings::bucket_ns(config);
        let pipeline = TraceSettings {
            processing: Arc::clone(&processing),
            rates: Arc::clone(rater.rates()),
            sampling,
            stats: ConcentratorSettings {
                bucket_ns,
                bucket_groups_max: config.count(keys::APM_STATS_GROUPS_MAX),
                lane_groups_max: config.count(keys::APM_STATS_GROUPS_MAX).saturating_mul(4),
                hash_seed: seed,
                ..ConcentratorSettings::default()
            },
            sql_cache_bytes: settings::sql_cache_bytes(config, lanes),
            seed,
            is_429_told: settings::has_feature(config, Feature::RealStatus),
            is_converted: settings::has_feature(config, Feature::ConvertTraces),
            otlp: settings::otlp(config),
            held_bytes_max: settings::held_bytes(config, lanes),
        };
        let report = Arc::new(Mutex::new(TraceReport::new(lanes)));
        let apm = Self {
            rater,
            news: None,
            writer: Writer::new(config, host, Arc::clone(&delivery)),
            stats: StatsMerge::new(config, host, lanes, processing, Arc::clone(&delivery), seed),
            delivery,
            info,
            identities: vec![None; lanes],
            spares: (0..lanes).map(|_| LaneCounts::default()).collect(),
            report,
            meter: TraceMeter::default(),
            budget: Budget::new(
                settings::memory_bytes_max(config),
                config.float(keys::APM_CPU_PERCENT_MAX),
            ),
        };
        let bytes_max =
            usize::try_from(config.bytes(keys::PROXY_BUFFER_BYTES)).unwrap_or(usize::MAX);
        let bytes_max = bytes_max / lanes.max(1);
        let lane_indices = (0..=u16::MAX).take(lanes);
        let (exchanges, inlets) = lane_indices.map(|lane| exchanges(lane, bytes_max)).unzip();
        let lanes = LaneTraces {
            listeners: std::mem::take(&mut listeners.lanes),
            seats: Vec::new(),
            server: settings::server(config),
            identity,
            pipeline,
            exchanges,
        };
        Ok((apm, lanes, inlets))
    }

    /// Lists these paths of proxies in `/info` from now on.
    pub(crate) fn set_proxy_paths(&mut self, paths: &[&'static str]) {
        let identity = self.info.identity(paths);
        self.identities.fill(Some(identity));
    }

    /// Takes back orders that a lane had no room for; the next ones hold what they were about.
    pub(crate) fn take_back(&mut self, lane: usize, orders: TraceOrders) {
        if let (Some(slot), Some(identity)) = (self.identities.get_mut(lane), orders.identity) {
            slot.get_or_insert(identity);
        }
        if self.news.is_none() {
            self.news = orders.rates;
        }
        if let Some(spare) = self.spares.get_mut(lane) {
            *spare = orders.spare_counts;
        }
    }

    /// Sets targets from afar.
    pub(crate) fn set_remote_sampling(&mut self, remote: &RemoteSampling) {
        self.rater.set_remote(remote);
    }

    /// What the pipeline reports of itself at a flush.
    pub(crate) fn series(&mut self, interval_secs: u32) -> Vec<TraceSeries> {
        let report = self.locked_report().clone();
        self.meter.series(&report, interval_secs)
    }

    /// What `status` reads.
    fn report(&self) -> Arc<Mutex<TraceReport>> {
        Arc::clone(&self.report)
    }

    /// Takes what a lane handed over.
    pub(crate) fn take(&mut self, mut handover: TraceHandover, now: Instant, now_ns: u64) {
        self.rater.absorb(&mut handover.sampled);
        let lane = usize::from(handover.lane);
        if let Some(spare) = self.spares.get_mut(lane) {
            *spare = handover.sampled;
        }
        self.writer.take(handover.traces, now);
        self.stats.take_lane(lane, handover.stats);
        for client in handover.client_stats {
            self.stats.take_client(client, now_ns);
        }
        self.locked_report().set_lane(lane, handover.counts);
    }

    /// Ends a round: rates, payloads and stats that are due. Returns the orders for the lanes.
    pub(crate) fn round(&mut self, now: Instant, now_ns: u64) -> Vec<TraceOrders> {
        if let Some(rates) = self.rater.tick(now_ns / 1_000_000) {
            self.news = Some(rates);
        }
        self.writer.flush_due(now);
        let stats_until_ns = self.stats.round(now_ns);
        let shedding = self.budget.look(now);
        let news = self.news.take();
        let lanes = self.spares.iter_mut().zip(&mut self.identities);
        let orders = lanes.map(|(spare, identity)| TraceOrders {
            identity: identity.take(),
            rates: news.clone(),
            stats_until_ns,
            is_last: false,
            spare_counts: std::mem::take(spare),
            shedding,
        });
        let orders = orders.collect();
        self.publish();
        orders
    }

    /// Orders for a flush of everything: lanes hand over all they have, open stats too.
    pub(crate) fn last_orders(&mut self) -> Vec<TraceOrders> {
        let shedding = self.budget.shedding();
        let now_ns = crate::coordinator::unix_ns();
        let orders = self.spares.iter_mut().map(|spare| TraceOrders {
            identity: None,
            rates: None,
            stats_until_ns: Some(now_ns),
            is_last: true,
            spare_counts: std::mem::take(spare),
            shedding,
        });
        orders.collect()
    }

    /// Whether spans wait to be sent, so that more will come soon.
    pub(crate) fn is_busy(&self) -> bool {
        self.writer.is_filling()
    }

    /// Sends everything that is left, after the lanes have ended.
    pub(crate) fn finish(&mut self, now_ns: u64) {
        self.writer.flush();
        self.stats.finish(now_ns);
        self.publish();
    }

    /// Delivers or spools what waits, within the stop budget.
    pub(crate) fn stop(&self) {
        self.delivery.stop();
    }

    fn publish(&self) {
        let mut report = self.locked_report();
        let rates = self.rater.rates();
        report.writer = self.writer.counts();
        report.stats = self.stats.counts();
        report.shedding = self.budget.shedding();
        report.usage = self.budget.usage();
        report.sampled = *self.rater.tallies();
        report.target_tps = rates.target_tps();
        report.errors_tps = rates.errors_tps();
        if report.rates_version != rates.reply().version() {
            report.rates_version = rates.reply().version().to_owned();
            report.rates =
                rates.reply().rates().map(|(key, rate)| (key.to_owned(), rate)).collect();
        }
    }

    fn locked_report(&self) -> std::sync::MutexGuard<'_, TraceReport> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InfoSource {
    fn identity(&self, proxy_paths: &[&'static str]) -> Arc<Identity> {
        let info = Info::new(&self.config, self.port, self.statsd_port, proxy_paths);
        Identity::new(AGENT_VERSION, &info.state, info.body.into())
    }
}

/// Payloads that a lane has not done with.
pub(crate) const fn pending(handover: &TraceHandover) -> usize {
    handover.pending
}

/// Tags of the platform this process runs on, as `key:value`.
pub(crate) fn platform_tags() -> Vec<String> {
    let tags = azure::global_tags(|name| std::env::var(name).ok());
    tags.into_iter().map(|(key, value)| format!("{key}:{value}")).collect()
}
