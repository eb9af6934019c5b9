//! Requests answered by other hosts.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use forward::{ConnectSettings, Outbound, OutboundSettings, TlsError};
use server::{Answer, Exchange, Refusal};
use tokio::time::{Instant, sleep};

use crate::body::{CopyBudget, RequestBody};
use crate::counts::{AllCounters, ProxyCounts, Refused};
use crate::dogstatsd::SubmitLines;
use crate::log_limit::LogLimit;
use crate::meter::{Call, Meter, ProxySeries};
use crate::telemetry::Telemetry;
use crate::{Kind, Settings, Targets};

/// What does not change while the process runs.
#[derive(Clone, Debug)]
pub struct FixedSettings {
    /// How hosts are reached.
    pub outbound: OutboundSettings,
    /// Requests under way, all proxies together; a further one is answered 429.
    pub exchanges_max: usize,
    /// Bytes that copies for additional destinations may wait with, all together.
    pub copy_bytes_max: usize,
}

/// The proxies. Shared by all their requests.
#[derive(Debug)]
pub struct Proxies {
    settings: RwLock<Arc<Settings>>,
    pub(crate) client: Outbound<RequestBody>,
    /// Connections of profiles live longer, see [`PROFILING_IDLE`].
    profiling: Outbound<RequestBody>,
    /// Whether an answer to a profile broke off, so that the next one asks for a connection of its
    /// own.
    pub(crate) is_profiling_broken: AtomicBool,
    pub(crate) telemetry: Telemetry,
    pub(crate) counters: AllCounters,
    pub(crate) meter: Meter,
    pub(crate) copy_budget: Arc<CopyBudget>,
    pub(crate) log: LogLimit,
    pub(crate) submit: SubmitLines,
    exchanges: AtomicUsize,
    exchanges_max: usize,
    /// Requests that go on after their client was answered.
    background: AtomicUsize,
}

/// Idle connections kept to one host. spec: proxies §2.2.
const IDLE_MAX: usize = 100;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// The same for profiles: below the minute after which the intake closes, and no divisor of it, so
/// that we seldom send on a connection that it is just closing.
const PROFILING_IDLE: Duration = Duration::from_secs(47);
/// Time for what clients no longer wait for, at stop. spec: proxies §3.5.
const STOP: Duration = Duration::from_secs(1);

impl Proxies {
    /// Proxies without requests. `submit` takes lines of DogStatsD.
    ///
    /// # Errors
    /// When a file of the TLS settings is unusable.
    pub fn new(
        fixed: FixedSettings,
        settings: Settings,
        submit: SubmitLines,
    ) -> Result<Arc<Self>, TlsError> {
        let connect =
            ConnectSettings { idle_max: IDLE_MAX, idle_timeout: IDLE, ..fixed.outbound.connect };
        let reset_interval = fixed.outbound.connect.reset_interval;
        let client = Outbound::new(OutboundSettings { connect, ..fixed.outbound })?;
        Ok(Arc::new(Self {
            settings: RwLock::new(Arc::new(settings)),
            profiling: client.with_idle_timeout(PROFILING_IDLE),
            telemetry: Telemetry::new(client.with_idle_timeout(IDLE), reset_interval),
            client,
            is_profiling_broken: AtomicBool::new(false),
            counters: AllCounters::default(),
            meter: Meter::default(),
            copy_budget: CopyBudget::new(fixed.copy_bytes_max),
            log: LogLimit::default(),
            submit,
            exchanges: AtomicUsize::new(0),
            exchanges_max: fixed.exchanges_max,
            background: AtomicUsize::new(0),
        }))
    }

    /// Uses these settings for every request from now on.
    pub fn set_settings(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// The settings in use.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counters of a proxy.
    pub fn counts(&self, kind: Kind) -> ProxyCounts {
        self.counters.of(kind).snapshot()
    }

    /// What the proxies report of themselves since the last call, `interval_secs` ago.
    pub fn series(&self, interval_secs: u32) -> Vec<ProxySeries> {
        self.meter.take(interval_secs)
    }

    /// Answers a request, on a runtime of tokio.
    pub async fn answer(self: Arc<Self>, kind: Kind, exchange: Exchange) {
        let counters = self.counters.of(kind);
        let call = Call::begin(kind, counters, &self.meter, &exchange.head.headers);
        let Some(_place) = Place::take(&self.exchanges, self.exchanges_max) else {
            call.refuse(Refused::Busy);
            let busy = Answer::refused(429, Refusal::Busy, "too many requests under way");
            return exchange.reply.send(busy);
        };
        let settings = self.settings();
        let Some(route) = settings.route(kind) else {
            call.refuse(Refused::Off);
            return exchange.reply.send(Answer::not_found());
        };
        match (&route.targets, kind) {
            (Targets::Off { status: 404, .. }, _) => {
                call.refuse(Refused::Off);
                exchange.reply.send(Answer::not_found());
            }
            (Targets::Off { status, text }, _) => {
                call.refuse(Refused::Off);
                exchange.reply.send(Answer::error(*status, text));
            }
            (_, Kind::DogStatsD) => self.take_lines(&call, route, exchange).await,
            (Targets::Here, _) => self.discard(&call, &settings, route, exchange).await,
            (Targets::To(targets), Kind::Telemetry) => {
                self.queue_telemetry(&call, &settings, route, targets, exchange).await;
            }
            (Targets::To(targets), _) => {
                self.forward(&call, &settings, route, targets, exchange).await;
            }
        }
    }

    /// Waits a while for what goes on without a client.
    pub async fn finish(&self) {
        const LOOK: Duration = Duration::from_millis(10);
        let until = Instant::now() + STOP;
        while self.background.load(Ordering::Relaxed) > 0 && Instant::now() < until {
            sleep(LOOK).await;
        }
    }

    pub(crate) fn client_of(&self, kind: Kind) -> &Outbound<RequestBody> {
        if kind == Kind::Profiling { &self.profiling } else { &self.client }
    }

    /// Counts a task that goes on without a client.
    pub(crate) fn begin_background(&self) -> Option<Place<'_>> {
        Place::take(&self.background, usize::MAX)
    }
}

/// One of a limited number of places.
#[derive(Debug)]
pub(crate) struct Place<'c>(&'c AtomicUsize);

impl<'c> Place<'c> {
    fn take(taken: &'c AtomicUsize, max: usize) -> Option<Self> {
        let place = Self(taken);
        // Given back at drop, whether there was room or not.
        (taken.fetch_add(1, Ordering::Relaxed) < max).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
