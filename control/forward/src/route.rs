//! Drives one endpoint and key: runs the requests and disk operations its state asks for.
//!
//! Each route is one task with its own queue, backoff, connections and spool directory, so a dead
//! endpoint or a bad key never holds another. Disk operations run on blocking threads, one at a
//! time per route; requests are tasks of their own.

mod paths;
mod patience;
mod replay;
pub(crate) mod state;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, watch};
use tokio::task::{self, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::keys::{ApiKey, KeyValidity};
use crate::payload::Payload;
use crate::spool::SpoolDir;
use crate::stats::{DropReason, EndpointStats};
use crate::transport::{Outgoing, Transport};
use crate::verdict::Reply;
use state::{DiskDone, HOUSEKEEPING_INTERVAL, RouteState};

/// The part of a route that other threads talk to.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<RouteState>,
    /// Told when the queue may have room again.
    room: Condvar,
    wake: Notify,
    key_changed: Notify,
    stop: watch::Sender<Option<StopOrder>>,
    finished: watch::Sender<bool>,
}

/// How a route is to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StopOrder {
    pub(crate) budget: Duration,
    /// What is counted for transactions that reach neither the intake nor the disk.
    pub(crate) reason: DropReason,
}

/// Timing of the driver.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) connection_reset_interval: Option<Duration>,
    pub(crate) key_validation_interval: Option<Duration>,
    pub(crate) key_validation_timeout: Duration,
}

impl Shared {
    pub(crate) fn new(state: RouteState) -> Self {
        Self {
            state: Mutex::new(state),
            room: Condvar::new(),
            wake: Notify::new(),
            key_changed: Notify::new(),
            stop: watch::Sender::new(None),
            finished: watch::Sender::new(false),
        }
    }

    /// Queues a transaction. While memory is full and the disk is writing, waits for it, within
    /// [`Patience`](patience::Patience).
    pub(crate) fn submit(&self, payload: Payload) {
        let mut state = self.state();
        if !state.make_room(&payload) {
            state = self.wait_for_room(state, &payload);
        }
        state.submit(payload, now_ms());
        drop(state);
        self.wake.notify_one();
    }

    fn wait_for_room<'s>(
        &'s self,
        mut state: MutexGuard<'s, RouteState>,
        payload: &Payload,
    ) -> MutexGuard<'s, RouteState> {
        let mut now = std::time::Instant::now();
        let until = state.patience().begin(now);
        while now < until && !state.make_room(payload) {
            self.wake.notify_one();
            let waited = self.room.wait_timeout(state, until - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            now = std::time::Instant::now();
        }
        state.patience().end(now);
        state
    }

    /// Replaces the key, also for what waits already.
    pub(crate) fn set_key(&self, key: ApiKey) {
        let is_new = self.state().set_key(key);
        if is_new {
            self.wake.notify_one();
            self.key_changed.notify_one();
        }
    }

    pub(crate) fn stats(&self) -> EndpointStats {
        self.state().stats(Instant::now(), now_ms() / 1000)
    }

    /// Orders the end; the route finishes within the budget.
    pub(crate) fn order_stop(&self, order: StopOrder) {
        self.state().close(order.reason);
        self.room.notify_all();
        self.stop.send_if_modified(|stop| stop.is_none() && stop.replace(order).is_none());
    }

    /// Waits until the route has ended.
    pub(crate) async fn wait_finished(&self) {
        // The sender lives in `self`, so the channel cannot be closed.
        let _closed = self.finished.subscribe().wait_for(|finished| *finished).await.is_err();
    }

    pub(crate) fn is_finished(&self) -> bool {
        *self.finished.borrow()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, RouteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a route until it is told to stop.
pub(crate) async fn run<T: Transport>(
    shared: Arc<Shared>,
    transport: Arc<T>,
    spool: Option<SpoolDir>,
    pace: Pace,
) {
    let mut driver = Driver {
        shared: Arc::clone(&shared),
        transport: Arc::clone(&transport),
        spool,
        sends: JoinSet::new(),
        send_ids: HashMap::new(),
        disk: None,
    };
    let validation = task::spawn(validate_key(Arc::clone(&shared), transport, pace));
    let order = driver.deliver(pace.connection_reset_interval).await;
    validation.abort();
    driver.finish(order).await;
    shared.finished.send_replace(true);
}

struct Driver<T> {
    shared: Arc<Shared>,
    transport: Arc<T>,
    spool: Option<SpoolDir>,
    sends: JoinSet<(u64, Reply)>,
    /// Tells which attempt a task that died was about.
    send_ids: HashMap<task::Id, u64>,
    disk: Option<JoinHandle<DiskDone>>,
}

impl<T: Transport> Driver<T> {
    /// Normal operation; ends with the order to stop.
    async fn deliver(&mut self, reset_interval: Option<Duration>) -> StopOrder {
        let mut stop = self.shared.stop.subscribe();
        let mut reset_at = reset_interval.map(|interval| Instant::now() + interval);
        loop {
            if let Some(order) = *stop.borrow_and_update() {
                return order;
            }
            let wake_at = self.start_work();
            tokio::select! {
                () = self.next_event(wake_at.min_some(reset_at)) => {}
                _changed = stop.changed() => {}
            }
            if let (Some(at), Some(interval)) = (reset_at, reset_interval)
                && at <= Instant::now()
            {
                self.transport.reset();
                reset_at = Some(Instant::now() + interval);
            }
        }
    }

    /// Delivers for a while, then moves the rest to disk, all within the budget.
    async fn finish(&mut self, order: StopOrder) {
        let start = Instant::now();
        let deadline = start + order.budget;
        let deliver_until = match self.spool {
            Some(_) => start + order.budget / 2,
            None => deadline,
        };
        while !self.shared.state().is_drained() && Instant::now() < deliver_until {
            let wake_at = self.start_work();
            // During an outage, or when the wait outlasts the time, disk is the better place.
            let is_hopeless = self.sends.is_empty() && {
                let state = self.shared.state();
                let is_out = self.spool.is_some() && state.is_backing_off();
                is_out || state.next_send_at(Instant::now()) > Some(deliver_until)
            };
            if is_hopeless {
                break;
            }
            self.next_event(wake_at.min_some(Some(deliver_until))).await;
        }
        self.sends.abort_all();
        {
            let mut state = self.shared.state();
            state.abort_in_flight();
            state.spool_everything(order.reason);
        }
        while self.shared.state().has_disk_work() && Instant::now() < deadline {
            self.start_disk_job();
            tokio::select! {
                () = wait_disk(&mut self.disk, &self.shared) => {}
                () = sleep_until(deadline) => {}
            }
        }
        self.shared.state().drop_everything(order.reason);
    }

    /// Starts everything that can start; returns when time alone makes more possible.
    fn start_work(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        while let Some(sending) = state.next_send(now) {
            let transport = Arc::clone(&self.transport);
            let handle = self.sends.spawn(async move {
                let outgoing = Outgoing::Post { payload: sending.payload, key: sending.key };
                (sending.id, transport.send(outgoing).await)
            });
            self.send_ids.insert(handle.id(), sending.id);
        }
        let send_at = state.next_send_at(now);
        let read_at = state.read_again_at();
        drop(state);
        self.start_disk_job();
        let housekeeping_at = self.spool.is_some().then(|| now + HOUSEKEEPING_INTERVAL);
        send_at.min_some(read_at).min_some(housekeeping_at)
    }

    fn start_disk_job(&mut self) {
        let Some(dir) = &self.spool else { return };
        if self.disk.is_some() {
            return;
        }
        if let Some(job) = self.shared.state().next_disk_job(Instant::now(), now_ms()) {
            let dir = dir.clone();
            self.disk = Some(task::spawn_blocking(move || job.run(&dir)));
        }
    }

    /// Waits for one thing to happen and notes it.
    async fn next_event(&mut self, wake_at: Option<Instant>) {
        tokio::select! {
            Some(joined) = self.sends.join_next_with_id() => {
                let mut state = self.shared.state();
                match joined {
                    Ok((task_id, (id, reply))) => {
                        self.send_ids.remove(&task_id);
                        state.on_reply(id, &reply, Instant::now(), now_ms() / 1000);
                    }
                    Err(err) => {
                        log::error!("a delivery task died: {err}");
                        if let Some(id) = self.send_ids.remove(&err.id()) {
                            state.on_vanished(id);
                        }
                    }
                }
            }
            () = wait_disk(&mut self.disk, &self.shared), if self.disk.is_some() => {}
            () = self.shared.wake.notified() => {}
            () = sleep_until(wake_at.unwrap_or_else(Instant::now)), if wake_at.is_some() => {}
        }
        self.shared.room.notify_all();
    }
}

/// Waits for the running disk operation and notes its outcome. Cancel safe.
async fn wait_disk(disk: &mut Option<JoinHandle<DiskDone>>, shared: &Shared) {
    let Some(job) = disk else { return std::future::pending().await };
    let done = job.await;
    *disk = None;
    match done {
        Ok(done) => shared.state().on_disk_done(done, Instant::now()),
        Err(err) => {
            log::error!("a disk task died: {err}");
            shared.state().on_disk_vanished();
        }
    }
}

/// Asks at start, at every interval and after each rotation whether the key is good.
async fn validate_key<T: Transport>(shared: Arc<Shared>, transport: Arc<T>, pace: Pace) {
    let Some(interval) = pace.key_validation_interval else { return };
    loop {
        let (key, epoch) = shared.state().key();
        if !key.is_zero() {
            let timeout = pace.key_validation_timeout;
            let reply = transport.send(Outgoing::Validate { key, timeout }).await;
            let validity = match reply {
                Reply::Answered(answer) if answer.status == 200 => KeyValidity::Valid,
                Reply::Answered(answer) if answer.status == 403 => KeyValidity::Invalid,
                Reply::KeyUnusable => KeyValidity::Invalid,
                Reply::Answered(_) | Reply::Failed { .. } | Reply::Unsendable { .. } => {
                    KeyValidity::Unknown
                }
            };
            shared.state().set_key_validity(epoch, validity);
        }
        tokio::select! {
            () = sleep_until(Instant::now() + interval) => {}
            () = shared.key_changed.notified() => {}
        }
    }
}

/// Unix milliseconds.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `min` where `None` means never.
trait MinSome {
    fn min_some(self, other: Self) -> Self;
}

impl MinSome for Option<Instant> {
    fn min_some(self, other: Self) -> Self {
        match (self, other) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
