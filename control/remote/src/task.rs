//! The thread that polls, and the handle on it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use forward::{CallFault, Caller};
use prost::Message as _;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep_until, timeout};

use crate::backend::{Call, CallError, Failure, body_of, decode};
use crate::counts::{OrgStatus, Report};
use crate::message::{ClientTracer, LatestConfigsResponse, OrgDataResponse, OrgStatusResponse};
use crate::own::{Own, Subscription, dispatch};
use crate::refused::{Cause, Refused};
use crate::service::{Now, Reply, Service};
use crate::settings::Settings;
use crate::store::{Owner, Store};

/// Time that a new client waits for the refresh it causes. spec: remote-config §6.4
const BYPASS_WAIT: Duration = Duration::from_secs(2);
/// Orders to the thread that wait; more are refused.
const ORDERS_MAX: usize = 64;
/// How often what may expire is looked at between polls.
const LOOK: Duration = Duration::from_secs(5);

/// Running remote configuration. Stops when dropped.
#[derive(Debug)]
pub struct Remote {
    service: Arc<Mutex<Service>>,
    orders: mpsc::Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Order {
    /// Ask the backend now, and say when that is done.
    Refresh(oneshot::Sender<()>),
    /// Use another API key.
    Key(String),
    /// End.
    Stop,
}

impl Remote {
    /// Starts the thread. `caller` leads to the backend.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        settings: Settings,
        caller: Caller,
        subscriptions: Vec<Subscription>,
    ) -> io::Result<Self> {
        let random = SystemRandom::new();
        let owner = Owner::new(&settings.identity.agent_version, &settings.api_key, &settings.url);
        let bytes_max = settings.limits.store_bytes_max;
        let now = now();
        let (store, loaded) =
            Store::open(&settings.directory, owner, &settings.anchors, bytes_max, now.secs());
        if !loaded.remark.is_empty() {
            log::warn!("{}", loaded.remark);
        }
        let mut own = Own::new(&settings.identity.agent_version, &random);
        for subscription in &subscriptions {
            own.subscribe(subscription);
        }
        let settings = Arc::new(settings);
        let mut service = Service::new(Arc::clone(&settings), own, loaded.repositories, now);
        service.org_uuids = loaded.org_uuids;
        service.is_on_disk = store.is_on_disk();
        service.counts.store_distrusted = u64::from(loaded.is_distrusted);
        let api_key = settings.api_key.clone();
        let service = Arc::new(Mutex::new(service));
        let (orders, received) = mpsc::channel(ORDERS_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("corelane/remote")
            .max_blocking_threads(4)
            .build()?;
        let poller = Poller {
            service: Arc::clone(&service),
            caller,
            api_key,
            store,
            subscriptions,
            random,
            next_org_status: Instant::now(),
            is_key_new: false,
        };
        let body = move || {
            runtime.block_on(poller.run(received));
            runtime.shutdown_timeout(Duration::ZERO);
        };
        let thread = thread::Builder::new().name("corelane/remote".to_owned()).spawn(body)?;
        Ok(Self { service, orders, thread: Mutex::new(Some(thread)) })
    }

    /// Answers `/v0.7/config`. `adjust` is told the tracer that asks, if one does, to normalise
    /// names and to add what is known of its container. Takes 2 s at most, for a new client.
    pub async fn client_configs(
        &self,
        body: Bytes,
        adjust: impl FnOnce(&mut ClientTracer),
    ) -> Reply {
        let began = Instant::now();
        let asked = match locked(&self.service).ask(&body, adjust, now()) {
            Ok(asked) => asked,
            Err(reply) => return reply,
        };
        drop(body);
        if asked.wants_refresh && !self.refresh().await {
            locked(&self.service).counts.bypasses_late += 1;
        }
        let mut service = locked(&self.service);
        let reply = service.answer(&asked, now());
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        service.counts.request_ms = service.counts.request_ms.saturating_add(took);
        reply
    }

    /// Asks the backend now. False if that took too long.
    async fn refresh(&self) -> bool {
        let (done, wait) = oneshot::channel();
        let order = async {
            self.orders.send(Order::Refresh(done)).await.ok()?;
            wait.await.ok()
        };
        matches!(timeout(BYPASS_WAIT, order).await, Ok(Some(())))
    }

    /// Uses another API key from now on.
    pub fn set_api_key(&self, key: &str) {
        if self.orders.try_send(Order::Key(key.to_owned())).is_err() {
            log::warn!("remote configuration is too busy to take a new API key");
        }
    }

    /// What a status page shows.
    #[must_use]
    pub fn report(&self) -> Report {
        locked(&self.service).report(now())
    }

    /// Ends the thread. A commit under way is finished, a call is not waited for.
    pub fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // Full of others' orders, it would come to this one no sooner by waiting.
        while let Err(mpsc::error::TrySendError::Full(_)) = self.orders.try_send(Order::Stop) {
            thread::yield_now();
        }
        if thread.join().is_err() {
            log::error!("the thread of remote configuration panicked");
        }
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the thread works with.
struct Poller {
    service: Arc<Mutex<Service>>,
    caller: Caller,
    api_key: String,
    store: Store,
    subscriptions: Vec<Subscription>,
    random: SystemRandom,
    next_org_status: Instant,
    /// Whether the key changed, so that its organisation has to be looked at.
    is_key_new: bool,
}

/// Why a refresh failed.
enum Failed {
    Call(CallError),
    Refused(Refused),
}

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Poller {
    async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        self.tell_subscriptions();
        let mut stop = false;
        let mut waiting: Vec<Order> = Vec::new();
        while !stop {
            let poll_at = locked(&self.service).schedule.next();
            let at = poll_at.min(self.next_org_status).min(Instant::now() + LOOK);
            if waiting.is_empty() {
                tokio::select! {
                    biased;
                    order = orders.recv() => waiting.push(order.unwrap_or(Order::Stop)),
                    () = sleep_until(at.into()) => {}
                }
            }
            let mut waiters = Vec::new();
            for order in waiting.drain(..).chain(std::iter::from_fn(|| orders.try_recv().ok())) {
                match order {
                    Order::Refresh(done) => waiters.push(done),
                    Order::Key(key) => {
                        self.api_key = key;
                        self.is_key_new = true;
                    }
                    Order::Stop => stop = true,
                }
            }
            if stop {
                break;
            }
            // Calls end when a stop comes; what else comes waits its turn.
            tokio::select! {
                () = self.work(poll_at <= Instant::now() || !waiters.is_empty()) => {}
                () = until_stop(&mut orders, &mut waiting) => stop = true,
            }
            for done in waiters {
                // Who has given up waiting needs no answer.
                let _is_heard = done.send(()).is_ok();
            }
            self.tell_subscriptions();
        }
    }

    async fn work(&mut self, is_poll_due: bool) {
        if self.next_org_status <= Instant::now() {
            self.next_org_status =
                Instant::now() + locked(&self.service).settings.org_status_interval;
            self.ask_org_status().await;
        }
        if std::mem::take(&mut self.is_key_new) {
            self.check_new_key().await;
        }
        if is_poll_due {
            self.poll().await;
        }
    }

    /// What is in force belongs to the organisation of the first key, until a restart.
    async fn check_new_key(&mut self) {
        let ours = {
            let service = locked(&self.service);
            let root_version = service.repositories.versions().config_root;
            service.organisation(root_version).uuid
        };
        match self.ask_org_uuid().await {
            Ok(uuid) if ours.as_ref().is_some_and(|ours| *ours != uuid) => log::error!(
                "the new API key belongs to another organisation; configurations of the former \
                 one stay in force until a restart"
            ),
            Ok(_) => log::info!("remote configuration uses the new API key"),
            Err(error) => log::warn!("the organisation of the new API key is not known: {error}"),
        }
    }

    async fn poll(&mut self) {
        let updated_secs = locked(&self.service).updated_secs();
        while now().secs() == updated_secs {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let refreshed = self.refresh().await;
        let random = self.random_share();
        let mut service = locked(&self.service);
        match refreshed {
            Ok(()) => {}
            Err(Failed::Call(error)) => service.call_failed(&error, now(), random),
            Err(Failed::Refused(refused)) => service.refused(&refused, now(), random),
        }
    }

    /// One poll: all of its answer, or nothing.
    async fn refresh(&mut self) -> Result<(), Failed> {
        let root_version = locked(&self.service).repositories.versions().config_root;
        self.know_organisation(root_version).await?;
        let (request, new_products) = locked(&self.service).request(now());
        let body = self.call(Call::Configurations, request.encode_to_vec().into()).await?;
        let answer: LatestConfigsResponse = decode(body)?;
        let repositories = Arc::clone(&locked(&self.service).repositories);
        let staged = repositories.stage(answer, now().secs())?;
        let root_version = staged.config_root_version();
        if staged.names_organisation() {
            self.know_organisation(root_version).await?;
        }
        let organisation = locked(&self.service).organisation(root_version);
        let next = staged.finish(&organisation, now().secs())?;
        let bytes_max = locked(&self.service).settings.limits.store_bytes_max;
        if next.bytes() > bytes_max {
            let detail = format!("{} bytes of configurations are too many", next.bytes());
            return Err(Refused::new(Cause::TooLarge, detail).into());
        }
        let random = self.random_share();
        let org_uuids = locked(&self.service).org_uuids.clone();
        // The disk before the memory: what clients were told survives a crash.
        let written = self.store.commit(&next, &org_uuids);
        let mut service = locked(&self.service);
        if let Err(error) = written {
            service.counts.store_failures += 1;
            log::warn!("configurations are not stored, and lost at a restart: {error}");
        }
        service.commit(next, new_products, now(), random);
        Ok(())
    }

    /// Makes sure that the organisation is known under a version of the config root.
    async fn know_organisation(&mut self, root_version: u64) -> Result<(), CallError> {
        if locked(&self.service).org_uuids.contains_key(&root_version) {
            return Ok(());
        }
        let uuid = self.ask_org_uuid().await?;
        // Older roots are never gone back to.
        locked(&self.service).org_uuids = BTreeMap::from([(root_version, uuid)]);
        Ok(())
    }

    async fn ask_org_uuid(&mut self) -> Result<String, CallError> {
        let body = self.call(Call::Org, Bytes::new()).await?;
        Ok(decode::<OrgDataResponse>(body)?.uuid)
    }

    async fn ask_org_status(&mut self) {
        let answer = self.call(Call::Status, Bytes::new()).await;
        let answer = answer.and_then(decode::<OrgStatusResponse>);
        let mut service = locked(&self.service);
        match answer {
            Ok(answer) => {
                let status =
                    OrgStatus { is_enabled: answer.enabled, is_authorized: answer.authorized };
                if service.org_status != Some(status) {
                    log::info!("{}", describe(status));
                }
                service.org_status = Some(status);
                service.org_error.clear();
            }
            Err(error) => {
                log::debug!("the status of remote configuration cannot be asked: {error}");
                service.org_error = error.to_string();
            }
        }
    }

    async fn call(&mut self, call: Call, body: Bytes) -> Result<Bytes, CallError> {
        let app_key = {
            let service = locked(&self.service);
            service.settings.legacy_key.as_ref().map(|key| key.app_key.clone())
        };
        let mut headers =
            vec![("content-type", "application/x-protobuf"), ("dd-api-key", &self.api_key)];
        headers.extend(app_key.as_deref().map(|key| ("dd-application-key", key)));
        let method = match call {
            Call::Configurations => forward::Method::POST,
            Call::Org | Call::Status => forward::Method::GET,
        };
        let answered = self.caller.call(method, call.path(), &headers, body).await;
        let answer = answered.map_err(|fault| {
            let is_malformed = matches!(fault, CallFault::TooLong(_));
            let failure = if is_malformed { Failure::Malformed } else { Failure::Network };
            CallError::new(failure, fault.to_string())
        })?;
        body_of(answer.status, answer.body)
    }

    fn tell_subscriptions(&mut self) {
        let (configurations, acks) = {
            let mut service = locked(&self.service);
            (service.own_configurations(now()), service.own.acks())
        };
        if let Some(configurations) = configurations {
            dispatch(&mut self.subscriptions, &acks, &configurations);
        }
    }

    /// From 0 to 1.
    fn random_share(&self) -> f64 {
        let mut bytes = [0; 4];
        let is_random = self.random.fill(&mut bytes).is_ok();
        let share = f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX);
        if is_random { share } else { 0.5 }
    }
}

/// Waits for a stop, and keeps what else comes.
async fn until_stop(orders: &mut mpsc::Receiver<Order>, waiting: &mut Vec<Order>) {
    loop {
        match orders.recv().await {
            None | Some(Order::Stop) => return,
            Some(order) => waiting.push(order),
        }
    }
}

fn describe(status: OrgStatus) -> &'static str {
    match (status.is_enabled, status.is_authorized) {
        (true, true) => "remote configuration is on for this organisation and this agent",
        (true, false) => {
            "remote configuration is on for this organisation, but the API key lacks the scope \
             \"Remote Configuration Read\""
        }
        (false, _) => "remote configuration is off for this organisation",
    }
}

fn locked(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both clocks.
fn now() -> Now {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let unix_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    Now { instant: Instant::now(), unix_ms }
}
