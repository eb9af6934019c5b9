//! The driver on a paused clock, with a scripted intake and real spool directories.

use std::collections::VecDeque;
use std::future::Future;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::state::{RouteRules, SpoolRule};
use super::*;
use crate::backoff::BackoffRule;
use crate::payload::{Kind, Priority};
use crate::settings::{BackoffSettings, RefusedKeys};
use crate::spool::disk::FileSystem;
use crate::spool::{SpoolDir, SpoolLimits};
use crate::verdict::Answer;

const PACE: Pace = Pace {
    connection_reset_interval: None,
    key_validation_interval: None,
    key_validation_timeout: Duration::from_secs(10),
};

/// Answers with scripted statuses, then 202; 0 is "never answers".
struct Script {
    statuses: Mutex<VecDeque<u16>>,
    validations: Mutex<VecDeque<u16>>,
    bodies: Mutex<Vec<String>>,
    keys: Mutex<Vec<String>>,
    resets: Mutex<u32>,
    asked: Semaphore,
}

impl Script {
    fn new(statuses: impl IntoIterator<Item = u16>) -> Arc<Self> {
        Arc::new(Self {
            statuses: Mutex::new(statuses.into_iter().collect()),
            validations: Mutex::default(),
            bodies: Mutex::default(),
            keys: Mutex::default(),
            resets: Mutex::default(),
            asked: Semaphore::new(0),
        })
    }

    /// Waits until this many requests were made since the last call.
    async fn wait_asked(&self, count: u32) {
        self.asked.acquire_many(count).await.unwrap().forget();
    }

    fn bodies(&self) -> Vec<String> {
        self.bodies.lock().unwrap().clone()
    }
}

impl Transport for Script {
    fn send(&self, outgoing: Outgoing) -> impl Future<Output = Reply> + Send {
        let status = match &outgoing {
            Outgoing::Post { payload, key } => {
                let body = String::from_utf8(payload.body.to_vec()).unwrap();
                self.bodies.lock().unwrap().push(body);
                self.keys.lock().unwrap().push(key.to_string());
                self.statuses.lock().unwrap().pop_front().unwrap_or(202)
            }
            Outgoing::Validate { .. } => {
                self.validations.lock().unwrap().pop_front().unwrap_or(200)
            }
        };
        self.asked.add_permits(1);
        async move {
            if status == 0 {
                std::future::pending::<()>().await;
            }
            Reply::Answered(Answer { status, ..Answer::default() })
        }
    }

    fn reset(&self) {
        *self.resets.lock().unwrap() += 1;
    }
}

fn new_shared(spool: Option<SpoolRule>) -> Arc<Shared> {
    Arc::new(Shared::new(RouteState::new(RouteRules {
        url: "https://intake.example.test".to_owned(),
        slot: 0,
        key: ApiKey::new("0123456789abcdef0123456789abcdef"),
        in_flight_max: 4,
        memory_bytes_max: 100_000,
        backoff: BackoffRule::new(&BackoffSettings::default()),
        refused_keys: RefusedKeys::Keep,
        spool,
        success_log_every: 500,
        seed: 3,
    })))
}

const SPOOL_RULE: SpoolRule = SpoolRule {
    bytes_max: 1 << 24,
    flush_ratio: 0.5,
    age_max_ms: 1 << 40,
    replay_bytes_per_sec: 1 << 40,
};

fn spool_dir(temp: &TempDir) -> SpoolDir {
    let limits = SpoolLimits { bytes_max: 1 << 24, disk_ratio_max: 1.0 };
    SpoolDir::new(temp.path().join("route"), Arc::new(FileSystem), limits)
}

fn payload(body: &str) -> Payload {
    Payload {
        path: "/api/v2/series".into(),
        endpoint_name: "series_v2".into(),
        content_type: "application/x-protobuf".into(),
        encoding: None,
        headers: Vec::new(),
        body: Bytes::from(body.to_owned()),
        points: 1,
        is_storable: true,
        priority: Priority::Normal,
        kind: Kind::Metrics,
    }
}

/// Stops within two seconds of fake time and returns the final numbers.
async fn stop(shared: &Shared) -> EndpointStats {
    shared.order_stop(StopOrder { budget: Duration::from_secs(2), reason: DropReason::Stopped });
    shared.wait_finished().await;
    let stats = shared.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    stats
}

#[tokio::test(start_paused = true)]
async fn outage_then_recovery() {
    let script = Script::new([500, 500, 429, 503]);
    let shared = new_shared(None);
    let route = task::spawn(run(Arc::clone(&shared), Arc::clone(&script), None, PACE));
    let start = Instant::now();
    shared.submit(payload("a"));
    script.wait_asked(5).await;
    let stats = stop(&shared).await;
    assert_eq!((stats.totals.sent, stats.totals.retried), (1, 4));
    let waited = start.elapsed();
    // 2-4, 4-8, 8-16, 16-32 s.
    assert!(waited >= Duration::from_secs(30) && waited <= Duration::from_secs(62), "{waited:?}");
    route.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn stop_without_disk_counts_what_is_lost() {
    let script = Script::new([503]);
    let shared = new_shared(None);
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), None, PACE));
    shared.submit(payload("a"));
    script.wait_asked(1).await;
    shared.submit(payload("b"));
    let stats = stop(&shared).await;
    assert_eq!(stats.totals.dropped.of(DropReason::Stopped) + stats.totals.sent, 2);
    shared.submit(payload("late"));
    assert!(shared.stats().is_balanced());
}

#[tokio::test(start_paused = true)]
async fn stop_delivers_what_it_can() {
    let script = Script::new([]);
    let shared = new_shared(None);
    for index in 0..50 {
        shared.submit(payload(&index.to_string()));
    }
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), None, PACE));
    assert_eq!(stop(&shared).await.totals.sent, 50);
}

#[tokio::test(start_paused = true)]
async fn a_silent_intake_at_stop_leaves_everything_on_disk() {
    let temp = TempDir::new().unwrap();
    let script = Script::new([0; 100]);
    let shared = new_shared(Some(SPOOL_RULE));
    let dir = spool_dir(&temp);
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), Some(dir), PACE));
    for index in 0..10 {
        shared.submit(payload(&index.to_string()));
    }
    script.wait_asked(4).await;
    let stats = stop(&shared).await;
    assert_eq!((stats.spooled.count, stats.totals.dropped.total()), (10, 0));

    // A new process finds it and delivers it, oldest first, and leaves nothing behind.
    let script = Script::new([]);
    let shared = new_shared(Some(SPOOL_RULE));
    let dir = spool_dir(&temp);
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), Some(dir), PACE));
    script.wait_asked(10).await;
    let stats = stop(&shared).await;
    assert_eq!((stats.totals.recovered, stats.totals.sent, stats.spooled.count), (10, 10, 0));
    let expected: Vec<String> = (0..10).map(|index| index.to_string()).collect();
    assert_eq!(script.bodies(), expected);
    let left = std::fs::read_dir(temp.path().join("route")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test(start_paused = true)]
async fn a_killed_process_loses_only_memory() {
    let temp = TempDir::new().unwrap();
    let shared = new_shared(Some(SPOOL_RULE));
    let script = Script::new([0; 100]);
    let dir = spool_dir(&temp);
    let route = task::spawn(run(Arc::clone(&shared), Arc::clone(&script), Some(dir), PACE));
    let body = "x".repeat(10_000);
    for _payload in 0..60 {
        shared.submit(payload(&body));
        // Lets the route take its turn, as it would between flushes.
        task::yield_now().await;
        while shared.state().has_disk_work() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let before = shared.stats();
    assert!(before.spooled.count > 30, "{before:?}");
    assert_eq!(before.totals.dropped.total(), 0);
    // kill -9: the task is gone between two polls.
    route.abort();
    assert!(route.await.unwrap_err().is_cancelled());

    let script = Script::new([]);
    let shared = new_shared(Some(SPOOL_RULE));
    let dir = spool_dir(&temp);
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), Some(dir), PACE));
    script.wait_asked(u32::try_from(before.spooled.count).unwrap()).await;
    let stats = stop(&shared).await;
    assert_eq!(stats.totals.recovered, before.spooled.count);
    assert_eq!(stats.totals.sent, before.spooled.count);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_sends_what_the_old_one_could_not() {
    let temp = TempDir::new().unwrap();
    let script = Script::new([403; 2]);
    let shared = new_shared(Some(SPOOL_RULE));
    let dir = spool_dir(&temp);
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), Some(dir), PACE));
    shared.submit(payload("kept"));
    script.wait_asked(2).await;
    let at = Instant::now();
    shared.set_key(ApiKey::new("fedcba9876543210fedcba9876543210"));
    script.wait_asked(1).await;
    assert_eq!(at.elapsed(), Duration::ZERO, "no wait after rotation");
    assert_eq!(stop(&shared).await.totals.sent, 1);
    assert_eq!(*script.keys.lock().unwrap(), ["***bcdef", "***bcdef", "***43210"]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_validated_at_start_by_interval_and_on_change() {
    let script = Script::new([]);
    script.validations.lock().unwrap().extend([403, 500, 200]);
    let shared = new_shared(None);
    let pace = Pace { key_validation_interval: Some(Duration::from_secs(3600)), ..PACE };
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), None, pace));
    script.wait_asked(1).await;
    task::yield_now().await;
    assert_eq!(shared.stats().key_validity, KeyValidity::Invalid);
    script.wait_asked(1).await;
    task::yield_now().await;
    assert_eq!(shared.stats().key_validity, KeyValidity::Unknown, "500 is no answer");
    let at = Instant::now();
    shared.set_key(ApiKey::new("another"));
    script.wait_asked(1).await;
    task::yield_now().await;
    assert_eq!(at.elapsed(), Duration::ZERO);
    assert_eq!(shared.stats().key_validity, KeyValidity::Valid);
}

#[tokio::test(start_paused = true)]
async fn connections_are_reset_by_interval() {
    let script = Script::new([]);
    let shared = new_shared(None);
    let pace = Pace { connection_reset_interval: Some(Duration::from_secs(60)), ..PACE };
    task::spawn(run(Arc::clone(&shared), Arc::clone(&script), None, pace));
    tokio::time::sleep(Duration::from_secs(185)).await;
    assert_eq!(*script.resets.lock().unwrap(), 3);
}
