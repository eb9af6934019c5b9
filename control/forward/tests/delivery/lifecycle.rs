//! Stop, restart, reload, and disks that do not cooperate.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use corelane_forward::{DropReason, Forwarder, Settings};
use tempfile::TempDir;

use crate::server::{Act, Intake};
use crate::support::{KEY, OTHER_KEY, endpoint, payload, sent, settings, spool, stop, wait_for};

/// Long enough for a disk that is busy with something else.
const STOP_TIMEOUT: Duration = Duration::from_secs(4);

/// Every byte below a directory.
fn content(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(content(&path));
        } else {
            all.extend(std::fs::read(&path).unwrap());
        }
    }
    all
}

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

#[tokio::test]
async fn stop_under_load_and_restart_with_another_key_lose_nothing() {
    let temp = TempDir::new().unwrap();
    let silent = Intake::start(|_| Act::Hang).await;
    let url = silent.url();
    let first = Arc::new(
        Forwarder::start(Settings {
            spool: spool(temp.path()),
            stop_timeout: STOP_TIMEOUT,
            memory_bytes_max: 400_000,
            ..settings(vec![endpoint(&url, &[KEY])])
        })
        .unwrap(),
    );
    let filler = "x".repeat(2000);
    let submitters: Vec<_> = (0..4)
        .map(|thread| {
            let (forwarder, filler) = (Arc::clone(&first), filler.clone());
            std::thread::spawn(move || {
                for index in 0..50 {
                    forwarder.submit(&payload(&format!("{thread}-{index} {filler}")));
                }
            })
        })
        .collect();
    for submitter in submitters {
        submitter.join().unwrap();
    }
    let stats = stop(Arc::into_inner(first).unwrap()).await;
    assert_eq!(stats.endpoints[0].spooled.count, 200, "{stats:#?}");
    let files = content(temp.path());
    assert!(contains(&files, "3-49 ") && !contains(&files, KEY));

    let mut intake = Intake::start(|_| Act::Status(202)).await;
    let restarted = Forwarder::start(Settings {
        spool: spool(temp.path()),
        ..settings(vec![endpoint(&url, &[OTHER_KEY])])
    })
    .unwrap();
    // The same endpoint, still silent: nothing is delivered, nothing is lost.
    wait_for(&restarted, "found again", |stats| stats.endpoints[0].totals.recovered == 200).await;
    stop(restarted).await;

    // Behind a proxy the endpoint answers.
    let revived = Forwarder::start(Settings {
        spool: spool(temp.path()),
        ..settings(vec![endpoint(&url, &[OTHER_KEY]), endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    revived.submit(&payload("live"));
    assert_eq!(intake.next().await.body, "live");
    let stats = stop(revived).await;
    assert_eq!((stats.endpoints[0].spooled.count, sent(&stats)), (201, 1));
}

#[tokio::test]
async fn what_was_spooled_is_delivered_after_a_restart() {
    let temp = TempDir::new().unwrap();
    let is_up = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let mut intake = Intake::start(move |_| {
        let is_up = up.load(std::sync::atomic::Ordering::SeqCst);
        if is_up { Act::Status(202) } else { Act::Status(503) }
    })
    .await;
    let start = || {
        Forwarder::start(Settings {
            spool: spool(temp.path()),
            stop_timeout: STOP_TIMEOUT,
            ..settings(vec![endpoint(&intake.url(), &[KEY])])
        })
        .unwrap()
    };
    let down = start();
    for index in 0..100 {
        down.submit(&payload(&index.to_string()));
    }
    assert_eq!(stop(down).await.endpoints[0].spooled.count, 100);
    is_up.store(true, std::sync::atomic::Ordering::SeqCst);
    let back = start();
    let stats = wait_for(&back, "all delivered", |stats| sent(stats) == 100).await;
    assert_eq!(stats.endpoints[0].totals.recovered, 100);
    stop(back).await;
    let mut bodies = BTreeSet::new();
    while bodies.len() < 100 {
        bodies.insert(intake.next().await.body);
    }
    assert!(!contains(&content(temp.path()), "CLSPOOL"), "delivered files are gone");
}

#[tokio::test]
async fn endpoints_come_and_go_while_running() {
    let mut one = Intake::start(|_| Act::Status(202)).await;
    let mut two = Intake::start(|_| Act::Status(202)).await;
    let forwarder = Forwarder::start(settings(vec![endpoint(&one.url(), &[KEY])])).unwrap();
    forwarder.submit(&payload("first"));
    assert_eq!(one.next().await.body, "first");
    wait_for(&forwarder, "sent", |stats| sent(stats) == 1).await;

    forwarder.set_endpoints(&[endpoint(&two.url(), &[KEY, OTHER_KEY])]).unwrap();
    forwarder.submit(&payload("second"));
    assert_eq!((two.next().await.body, two.next().await.body), ("second".into(), "second".into()));
    let stats = wait_for(&forwarder, "sent", |stats| sent(stats) == 2).await;
    assert_eq!((stats.retired.sent, stats.endpoints.len()), (1, 2));

    assert!(forwarder.set_endpoints(&[endpoint("gopher://x", &[KEY])]).is_err());
    assert_eq!(forwarder.stats().endpoints.len(), 2, "a bad set changes nothing");

    forwarder.set_endpoints(&[]).unwrap();
    forwarder.submit(&payload("nobody"));
    assert_eq!(forwarder.stats().unrouted, 1);
    let stats = stop(forwarder).await;
    assert_eq!((stats.retired.sent, stats.retired.submitted), (3, 3));
}

#[tokio::test]
async fn an_endpoint_taken_out_leaves_its_data_on_disk_for_its_return() {
    let temp = TempDir::new().unwrap();
    let mut intake = Intake::start(|seen| match seen.header("dd-api-key") {
        OTHER_KEY => Act::Status(202),
        _ => Act::Status(503),
    })
    .await;
    let forwarder = Forwarder::start(Settings {
        spool: spool(temp.path()),
        stop_timeout: STOP_TIMEOUT,
        ..settings(vec![endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("kept"));
    intake.next().await;
    forwarder.set_endpoints(&[]).unwrap();
    // Its return waits for the end of its predecessor, which still writes.
    forwarder.set_endpoints(&[endpoint(&intake.url(), &[OTHER_KEY])]).unwrap();
    let stats = wait_for(&forwarder, "delivered", |stats| sent(stats) == 1).await;
    assert_eq!(stats.retired.dropped.total(), 0);
    assert_eq!(stats.endpoints[0].totals.recovered, 1);
    stop(forwarder).await;
}

#[tokio::test]
async fn a_spool_directory_has_one_owner() {
    let temp = TempDir::new().unwrap();
    let start = || {
        Forwarder::start(Settings {
            spool: spool(temp.path()),
            ..settings(vec![endpoint("http://127.0.0.1:1", &[KEY])])
        })
        .unwrap()
    };
    let owner = start();
    let guest = start();
    assert!(owner.stats().endpoints[0].spool_error.is_empty());
    let error = guest.stats().endpoints[0].spool_error.clone();
    assert!(error.contains("in this process"), "{error}");
    stop(owner).await;
    stop(guest).await;
}

#[tokio::test]
async fn a_spool_path_that_cannot_be_used_leaves_memory() {
    let temp = TempDir::new().unwrap();
    let in_the_way = temp.path().join("file");
    std::fs::write(&in_the_way, "x").unwrap();
    let mut intake = Intake::start(|_| Act::Status(202)).await;
    let forwarder = Forwarder::start(Settings {
        spool: spool(&in_the_way),
        ..settings(vec![endpoint(&intake.url(), &[KEY])])
    })
    .unwrap();
    forwarder.submit(&payload("x"));
    assert_eq!(intake.next().await.body, "x");
    assert!(forwarder.stats().endpoints[0].spool_error.contains("file"));
    stop(forwarder).await;
}

#[tokio::test]
async fn a_burst_many_times_the_memory_queue_goes_to_disk() {
    let temp = TempDir::new().unwrap();
    let forwarder = Forwarder::start(Settings {
        spool: spool(temp.path()),
        stop_timeout: STOP_TIMEOUT,
        memory_bytes_max: 200_000,
        ..settings(vec![endpoint("http://127.0.0.1:1", &[KEY])])
    })
    .unwrap();
    let body = "x".repeat(10_000);
    for _payload in 0..400 {
        forwarder.submit(&payload(&body));
        assert!(forwarder.stats().endpoints[0].queued.bytes <= 3 * 200_000);
    }
    let stats = stop(forwarder).await;
    assert_eq!(stats.endpoints[0].totals.dropped.total(), 0, "{stats:#?}");
    assert_eq!(stats.endpoints[0].spooled.count, 400);
}

#[tokio::test]
async fn the_memory_bound_drops_oldest_and_counts() {
    let forwarder = Forwarder::start(Settings {
        memory_bytes_max: 10_000,
        stop_timeout: Duration::from_millis(100),
        ..settings(vec![endpoint("http://127.0.0.1:1", &[KEY])])
    })
    .unwrap();
    for _payload in 0..100 {
        forwarder.submit(&payload(&"x".repeat(1000)));
        assert!(forwarder.stats().endpoints[0].queued.bytes <= 10_000);
    }
    let stats = stop(forwarder).await;
    let dropped = stats.endpoints[0].totals.dropped;
    assert!(dropped.of(DropReason::QueueFull) >= 90);
    assert_eq!(dropped.total(), 100);
}

#[test]
fn stop_and_drop_are_harmless_in_any_order() {
    let forwarder = Forwarder::start(Settings::default()).unwrap();
    assert!(forwarder.stop().endpoints.is_empty());
    forwarder.submit(&payload("late"));
    assert!(forwarder.stop().is_balanced());
    drop(forwarder);
}
