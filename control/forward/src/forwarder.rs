//! The public face: one thread, a set of routes, fan-out, reload, stop.

use std::fs::{File, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use rustls::ClientConfig;
use thiserror::Error;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::backoff::BackoffRule;
use crate::base_url::{BaseUrl, UrlError, endpoint_identity, without_userinfo};
use crate::connect::Plan;
use crate::keys::{ApiKey, normalise_keys};
use crate::payload::Payload;
use crate::route::state::{RouteRules, RouteState, SpoolRule};
use crate::route::{self, Pace, Shared, StopOrder, now_ms};
use crate::settings::{Accepts, Endpoint, HttpProtocol, Settings, SpoolSettings};
use crate::spool::disk::{FileSystem, create_private_dir};
use crate::spool::{SpoolDir, SpoolLimits, dir_name, sweep_orphans};
use crate::stats::{DropReason, ForwardStats, Totals};
use crate::tls::{TlsError, client_config};
use crate::transport::HttpTransport;

/// Name of the delivery thread and of its blocking threads.
const THREAD_NAME: &str = "corelane-fwd";

/// Blocking threads for name resolution and disk. A hanging one holds only its own route.
const BLOCKING_THREADS_MAX: usize = 32;

/// Time all keys of all endpoints together get for validation (spec: metrics-intake §10.7).
const VALIDATION_BUDGET: Duration = Duration::from_secs(10);

/// What [`Forwarder::stop`] may take beyond its budget, for tasks to notice.
const STOP_SLACK: Duration = Duration::from_millis(500);

/// Why the forwarder cannot start, or cannot take new endpoints.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An endpoint URL is bad.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system gave no thread.
    #[error("cannot start the delivery thread; raise the limit of processes or threads")]
    Thread(#[source] io::Error),
}

/// No endpoint with this URL is configured.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no endpoint {url:?} is configured; give its url as in the configuration")]
pub struct UnknownEndpoint {
    /// The URL asked for, without user information.
    pub url: String,
}

/// Delivers payloads to all endpoints from a thread of its own.
///
/// All methods may be called from any thread; only [`Forwarder::stop`] waits.
#[derive(Debug)]
pub struct Forwarder {
    core: Arc<Core>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

#[derive(Debug)]
struct Core {
    settings: Settings,
    tls: Arc<ClientConfig>,
    runtime: Handle,
    /// Held while the spool directory is ours.
    spool_lock: Option<File>,
    spool_error: String,
    routes: RwLock<Vec<RouteEntry>>,
    retired: Mutex<Retired>,
    unrouted: AtomicU64,
    stop: Notify,
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

/// An endpoint after normalisation.
struct Target {
    url: String,
    identity: String,
    base: BaseUrl,
    keys: Vec<ApiKey>,
    accepts: Accepts,
}

impl Forwarder {
    /// Starts the delivery thread.
    ///
    /// A spool directory that cannot be used is no error: it is logged, shown in the stats, and
    /// data waits in memory only.
    ///
    /// # Errors
    /// [`StartError`] for bad URLs, unusable certificate files, or no thread.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let targets = normalise_endpoints(&settings, &settings.endpoints)?;
        let tls = client_config(&settings.tls, settings.protocol == HttpProtocol::Auto)?;
        let (spool_lock, spool_error) = match &settings.spool {
            Some(spool) => lock_spool(&spool.path),
            None => (None, String::new()),
        };
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name(THREAD_NAME)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .build()
            .map_err(StartError::Thread)?;
        let core = Arc::new(Core {
            settings,
            tls: Arc::new(tls),
            runtime: runtime.handle().clone(),
            spool_lock,
            spool_error,
            routes: RwLock::default(),
            retired: Mutex::default(),
            unrouted: AtomicU64::new(0),
            stop: Notify::new(),
        });
        core.apply(targets);
        core.sweep_orphans();
        let main = Arc::clone(&core);
        let body = move || {
            runtime.block_on(main.run());
            runtime.shutdown_timeout(Duration::ZERO);
        };
        let thread = thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(body)
            .map_err(StartError::Thread)?;
        Ok(Self { core, thread: Mutex::new(Some(thread)) })
    }

    /// Queues a payload for every endpoint and key that accepts its kind. Never waits.
    pub fn submit(&self, payload: &Payload) {
        let routes = self.core.routes.read().unwrap_or_else(PoisonError::into_inner);
        let mut is_routed = false;
        for route in routes.iter().filter(|route| route.accepts.covers(payload.kind)) {
            route.shared.submit(payload.clone());
            is_routed = true;
        }
        if !is_routed {
            self.core.unrouted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Replaces the keys of one endpoint. A changed key is used at once, also for what waits;
    /// more keys start new routes, fewer end the last ones.
    ///
    /// # Errors
    /// [`UnknownEndpoint`] if no endpoint has this URL.
    pub fn set_keys<S: AsRef<str>>(&self, url: &str, keys: &[S]) -> Result<(), UnknownEndpoint> {
        let identity = endpoint_identity(url);
        let unknown = || UnknownEndpoint { url: without_userinfo(url) };
        let accepts = {
            let routes = self.core.routes.read().unwrap_or_else(PoisonError::into_inner);
            let known = routes.iter().find(|route| route.identity == identity);
            known.ok_or_else(unknown)?.accepts
        };
        let base = self.core.parse_base(url).map_err(|_| unknown())?;
        let keys = normalise_keys(keys);
        self.core.apply_target(&Target { url: url.to_owned(), identity, base, keys, accepts });
        Ok(())
    }

    /// Replaces the set of endpoints; those that stay keep their queues and connections.
    ///
    /// What endpoints taken out still hold goes to disk if there is a disk queue, where it waits
    /// for the endpoint to come back until it is too old.
    ///
    /// # Errors
    /// [`StartError::Url`] if a URL is bad; nothing is changed then.
    pub fn set_endpoints(&self, endpoints: &[Endpoint]) -> Result<(), StartError> {
        let targets = normalise_endpoints(&self.core.settings, endpoints)?;
        self.core.apply(targets);
        Ok(())
    }

    /// A snapshot of all counters.
    pub fn stats(&self) -> ForwardStats {
        self.core.stats()
    }

    /// Stops: delivers for up to half the stop budget (all of it without a disk queue), moves the
    /// rest to disk, ends the thread. Waits for that; a second call returns at once.
    ///
    /// Payloads submitted afterwards are dropped and counted.
    pub fn stop(&self) -> ForwardStats {
        let handle = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            self.core.stop.notify_one();
            if handle.join().is_err() {
                log::error!("the delivery thread died; what it held in memory is lost");
            }
        }
        self.stats()
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let _last = self.stop();
    }
}

impl Core {
    /// The delivery thread: keeps the runtime alive until all routes have ended.
    async fn run(&self) {
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

    fn apply(self: &Arc<Self>, targets: Vec<Target>) {
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
    fn apply_target(self: &Arc<Self>, target: &Target) {
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
        let spool = settings.spool.as_ref().filter(|_| self.spool_lock.is_some());
        let seed = settings.seed.unwrap_or_else(|| RandomState::new().hash_one(&dir));
        let rules = RouteRules {
            url: without_userinfo(&target.url),
            slot,
            key,
            in_flight_max: usize::try_from(settings.in_flight_max).unwrap_or(usize::MAX),
            memory_bytes_max: self.memory_share(target.keys.len()),
            backoff: BackoffRule::new(&settings.backoff),
            spool: spool.map(|spool| spool_rule(spool, key_count)),
            success_log_every: settings.success_log_every,
            seed: seed ^ xxhash_rust::xxh3::xxh3_64(dir.as_bytes()),
        };
        let shared = Arc::new(Shared::new(RouteState::new(rules)));
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

    fn stats(&self) -> ForwardStats {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        let mut endpoints: Vec<_> = routes.iter().map(|route| route.shared.stats()).collect();
        drop(routes);
        if !self.spool_error.is_empty() {
            for endpoint in &mut endpoints {
                endpoint.spool_error.clone_from(&self.spool_error);
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

    fn memory_share(&self, keys: usize) -> u64 {
        self.settings.memory_bytes_max / keys.max(1) as u64
    }

    fn parse_base(&self, url: &str) -> Result<BaseUrl, UrlError> {
        let identity = &self.settings.identity;
        BaseUrl::parse(url, identity.host_prefix.as_ref(), identity.resolves_absolute)
    }

    /// Deletes outdated files of endpoints that are no longer configured.
    fn sweep_orphans(&self) {
        let Some(spool) = self.settings.spool.as_ref().filter(|_| self.spool_lock.is_some()) else {
            return;
        };
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

/// Parses URLs, cleans keys, joins endpoints of one URL, leaves out those without a key.
fn normalise_endpoints(
    settings: &Settings,
    endpoints: &[Endpoint],
) -> Result<Vec<Target>, UrlError> {
    let mut targets: Vec<Target> = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        let prefix = settings.identity.host_prefix.as_ref();
        let base = BaseUrl::parse(&endpoint.url, prefix, settings.identity.resolves_absolute)?;
        let identity = endpoint_identity(&endpoint.url);
        let keys = normalise_keys(&endpoint.keys);
        if let Some(target) = targets.iter_mut().find(|target| target.identity == identity) {
            let fresh: Vec<_> = keys.into_iter().filter(|key| !target.keys.contains(key)).collect();
            target.keys.extend(fresh);
        } else if keys.is_empty() {
            log::info!("endpoint {} has no api key, ignored", without_userinfo(&endpoint.url));
        } else {
            let (url, accepts) = (endpoint.url.clone(), endpoint.accepts);
            targets.push(Target { url, identity, base, keys, accepts });
        }
    }
    Ok(targets)
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

/// Takes the spool directory for this process; two processes would send everything twice.
fn lock_spool(path: &Path) -> (Option<File>, String) {
    let opened = create_private_dir(path)
        .and_then(|()| File::options().create(true).append(true).open(path.join("lock")));
    let problem = match opened {
        Ok(file) => match file.try_lock() {
            Ok(()) => return (Some(file), String::new()),
            Err(TryLockError::WouldBlock) => "it is used by another process".to_owned(),
            Err(TryLockError::Error(err)) => err.to_string(),
        },
        Err(err) => err.to_string(),
    };
    let error = format!("no disk queue: {} cannot be used ({problem})", path.display());
    log::error!("{error}; set forwarder_storage_path to a directory of this agent's own");
    (None, error)
}
