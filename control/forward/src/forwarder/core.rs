//! The set of routes behind the public face: start, change, retire, count, end.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use super::target::Target;
use crate::backoff::BackoffRule;
use crate::base_url::{BaseUrl, endpoint_identity, without_userinfo};
use crate::connect::{LOOKUPS_MAX, Plan};
use crate::keys::{ApiKey, normalise_keys};
use crate::payload::Payload;
use crate::route::state::{RouteRules, RouteState, SpoolRule};
use crate::route::{self, Pace, Shared, StopOrder, now_ms};
use crate::settings::{Accepts, Settings, SpoolSettings};
use crate::spool::disk::FileSystem;
use crate::spool::lock::SpoolLock;
use crate::spool::{SpoolDir, SpoolLimits, dir_name, sweep_orphans};
use crate::stats::{DropReason, ForwardStats, Totals};
use crate::transport::HttpTransport;

/// Time all keys of an endpoint together get for validation (spec: metrics-intake §10.7).
const VALIDATION_BUDGET: Duration = Duration::from_secs(10);

/// What a stop may take beyond its budget, for tasks to notice.
const STOP_SLACK: Duration = Duration::from_millis(500);

/// State shared by the callers and the delivery thread.
#[derive(Debug)]
pub(super) struct Core {
    settings: Settings,
    tls: Arc<ClientConfig>,
    runtime: Handle,
    /// The right to the spool directory, or why there is none; `None` if no spool is wanted.
    spool_lock: Option<Result<SpoolLock, String>>,
    routes: RwLock<Vec<RouteEntry>>,
    retired: Mutex<Retired>,
    unrouted: AtomicU64,
    stop: Notify,
    is_stopped: AtomicBool,
}

#[derive(Clone, Debug)]
struct RouteEntry {
    /// [`endpoint_identity`] of the URL.
    identity: String,
    slot: usize,
    accepts: Accepts,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Retired {
    totals: Totals,
    waiting: u64,
    /// Still ending.
    routes: Vec<RouteEntry>,
}

impl Core {
    /// No routes yet.
    pub(super) fn new(
        settings: Settings,
        tls: ClientConfig,
        runtime: Handle,
        spool_lock: Option<Result<SpoolLock, String>>,
    ) -> Self {
        Self {
            settings,
            tls: Arc::new(tls),
            runtime,
            spool_lock,
            routes: RwLock::default(),
            retired: Mutex::default(),
            unrouted: AtomicU64::new(0),
            stop: Notify::new(),
            is_stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Fan-out: one transaction per route that accepts the kind.
    pub(super) fn submit(&self, payload: &Payload) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let mut is_routed = false;
        for route in routes.iter().filter(|route| route.accepts.covers(payload.kind)) {
            route.shared.submit(payload.clone());
            is_routed = true;
        }
        if !is_routed {
            self.unrouted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tells the delivery thread to end.
    pub(super) fn order_stop(&self) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.stop.notify_one();
    }

    /// A configured endpoint with other keys; `None` if there is no such endpoint.
    pub(super) fn target_with_keys<S: AsRef<str>>(&self, url: &str, keys: &[S]) -> Option<Target> {
        let identity = endpoint_identity(url);
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let accepts = routes.iter().find(|route| route.identity == identity)?.accepts;
        let prefix = self.settings.identity.host_prefix.as_ref();
        let base = BaseUrl::parse(url, prefix, self.settings.identity.resolves_absolute).ok()?;
        let keys = normalise_keys(keys);
        Some(Target { url: url.to_owned(), identity, base, keys, accepts })
    }

    /// The delivery thread: keeps the runtime alive until all routes have ended.
    pub(super) async fn run(&self) {
        self.stop.notified().await;
        let budget = self.settings.stop_timeout;
        let routes: Vec<RouteEntry> =
            self.routes.read().unwrap_or_else(PoisonError::into_inner).clone();
        let order = StopOrder { budget, reason: DropReason::Stopped };
        for route in &routes {
            route.shared.order_stop(order);
        }
        let retiring = self.retired().routes.clone();
        let ended = async {
            for route in routes.iter().chain(&retiring) {
                route.shared.wait_finished().await;
            }
        };
        if timeout(budget + STOP_SLACK, ended).await.is_err() {
            log::warn!("some endpoints did not finish within forwarder_stop_timeout");
        }
    }

    pub(super) fn apply(self: &Arc<Self>, targets: Vec<Target>) {
        let gone: Vec<String> = {
            let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
            let identities = routes.iter().map(|route| route.identity.clone());
            identities.filter(|id| targets.iter().all(|target| target.identity != *id)).collect()
        };
        for identity in gone {
            self.retire(|route| route.identity == identity);
        }
        for target in &targets {
            self.apply_target(target);
        }
    }

    /// Brings the routes of one endpoint in line with its keys.
    pub(super) fn apply_target(self: &Arc<Self>, target: &Target) {
        let keys = target.keys.len();
        self.retire(|route| route.identity == target.identity && route.slot >= keys);
        for (slot, key) in target.keys.iter().enumerate() {
            let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
            let is_it =
                |route: &&mut RouteEntry| route.identity == target.identity && route.slot == slot;
            if let Some(route) = routes.iter_mut().find(is_it) {
                route.accepts = target.accepts;
                route.shared.state().set_memory_bytes_max(self.memory_share(keys));
                route.shared.set_key(key.clone());
            } else {
                let shared = self.start_route(target, slot, key.clone());
                let identity = target.identity.clone();
                routes.push(RouteEntry { identity, slot, accepts: target.accepts, shared });
            }
        }
    }

    fn start_route(self: &Arc<Self>, target: &Target, slot: usize, key: ApiKey) -> Arc<Shared> {
        let settings = &self.settings;
        let key_count = target.keys.len().max(1) as u64;
        let dir = dir_name(&target.url, slot);
        let spool = self.usable_spool();
        let seed = settings.seed.unwrap_or_else(|| RandomState::new().hash_one(&dir));
        let rules = RouteRules {
            url: without_userinfo(&target.url),
            slot,
            key,
            in_flight_max: usize::try_from(settings.in_flight_max).unwrap_or(usize::MAX),
            memory_bytes_max: self.memory_share(target.keys.len()),
            backoff: BackoffRule::new(&settings.backoff),
            refused_keys: settings.refused_keys,
            spool: spool.map(|spool| spool_rule(spool, key_count)),
            success_log_every: settings.success_log_every,
            seed: seed ^ xxhash_rust::xxh3::xxh3_64(dir.as_bytes()),
        };
        let mut state = RouteState::new(rules);
        if self.is_stopped.load(Ordering::SeqCst) {
            state.close(DropReason::Stopped);
        }
        let shared = Arc::new(Shared::new(state));
        let transport = Arc::new(self.transport(&target.base));
        let spool_dir = spool.map(|spool| {
            let limits = SpoolLimits {
                bytes_max: spool.bytes_max / key_count,
                disk_ratio_max: spool.disk_ratio_max,
            };
            SpoolDir::new(spool.path.join(&dir), Arc::new(FileSystem), limits)
        });
        let pace = Pace {
            connection_reset_interval: settings.connect.reset_interval,
            key_validation_interval: settings.key_validation_interval,
            key_validation_timeout: VALIDATION_BUDGET / u32::try_from(key_count).unwrap_or(1),
        };
        let predecessor = self.predecessor(&target.identity, slot);
        let route = Arc::clone(&shared);
        self.runtime.spawn(async move {
            // Two routes must never work in one spool directory.
            if let Some(predecessor) = predecessor {
                predecessor.wait_finished().await;
            }
            route::run(route, transport, spool_dir, pace).await;
        });
        shared
    }

    fn transport(&self, base: &BaseUrl) -> HttpTransport {
        let plan = |target: BaseUrl| {
            Arc::new(Plan {
                proxy: self.settings.proxy.choose(&target),
                target,
                tls: Arc::clone(&self.tls),
                settings: self.settings.connect.clone(),
                user_agent: self.settings.identity.user_agent.clone(),
                lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)),
            })
        };
        HttpTransport::new(
            plan(base.clone()),
            plan(base.validation_base()),
            &self.settings.identity,
            self.settings.request_timeout,
        )
    }

    /// Takes routes out of service; they end in the background.
    fn retire(&self, is_gone: impl Fn(&RouteEntry) -> bool) {
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let (gone, kept) = std::mem::take(&mut *routes).into_iter().partition(is_gone);
        *routes = kept;
        drop(routes);
        let gone: Vec<RouteEntry> = gone;
        let order = StopOrder { budget: self.settings.stop_timeout, reason: DropReason::Removed };
        for route in &gone {
            route.shared.order_stop(order);
        }
        self.retired().routes.extend(gone);
    }

    fn predecessor(&self, identity: &str, slot: usize) -> Option<Arc<Shared>> {
        let retired = self.retired();
        let is_same = |route: &&RouteEntry| route.identity == identity && route.slot == slot;
        retired.routes.iter().rev().find(is_same).map(|route| Arc::clone(&route.shared))
    }

    pub(super) fn stats(&self) -> ForwardStats {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let mut endpoints: Vec<_> = routes.iter().map(|route| route.shared.stats()).collect();
        drop(routes);
        if let Some(Err(why)) = &self.spool_lock {
            for endpoint in &mut endpoints {
                endpoint.spool_error.clone_from(why);
            }
        }
        let mut retired = self.retired();
        retired.fold_finished();
        let mut totals = retired.totals.clone();
        let mut waiting = retired.waiting;
        for route in &retired.routes {
            let stats = route.shared.stats();
            totals.absorb(&stats.totals);
            waiting += stats.queued.count + stats.spooled.count;
        }
        ForwardStats {
            endpoints,
            retired: totals,
            retired_waiting: waiting,
            unrouted: self.unrouted.load(Ordering::Relaxed),
        }
    }

    fn retired(&self) -> MutexGuard<'_, Retired> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable_spool(&self) -> Option<&SpoolSettings> {
        self.settings.spool.as_ref().filter(|_| matches!(self.spool_lock, Some(Ok(_))))
    }

    fn memory_share(&self, keys: usize) -> u64 {
        self.settings.memory_bytes_max / keys.max(1) as u64
    }

    /// Deletes outdated files of endpoints that are no longer configured.
    pub(super) fn sweep_orphans(&self) {
        let Some(spool) = self.usable_spool() else { return };
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let known = routes.iter().map(|route| dir_name(&route.identity, route.slot)).collect();
        let limit_ms = now_ms().saturating_sub(millis(spool.age_max));
        let path = spool.path.clone();
        self.runtime.spawn_blocking(move || sweep_orphans(&path, &known, limit_ms));
    }
}

impl Retired {
    fn fold_finished(&mut self) {
        let routes = std::mem::take(&mut self.routes);
        let (done, ending) = routes.into_iter().partition(|route| route.shared.is_finished());
        self.routes = ending;
        let done: Vec<RouteEntry> = done;
        for route in done {
            let stats = route.shared.stats();
            self.totals.absorb(&stats.totals);
            self.waiting += stats.queued.count + stats.spooled.count;
        }
    }
}

fn spool_rule(spool: &SpoolSettings, key_count: u64) -> SpoolRule {
    SpoolRule {
        bytes_max: spool.bytes_max / key_count,
        flush_ratio: spool.flush_ratio.clamp(0.0, 1.0),
        age_max_ms: millis(spool.age_max),
        replay_bytes_per_sec: spool.replay_bytes_per_sec,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
