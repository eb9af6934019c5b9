//! kill -9 while spooling: a child process is killed at many moments, its directory read back.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use corelane_forward::{Forwarder, Settings};
use tempfile::TempDir;

use crate::server::{Act, Intake};
use crate::support::{KEY, endpoint, payload, settings, spool, stop, wait_for};

/// Tells the child where to spool and which endpoint to fail at.
const CHILD_DIR: &str = "FORWARD_TEST_CHILD_DIR";
const CHILD_URL: &str = "FORWARD_TEST_CHILD_URL";

const PREFIX: &str = "spooled ";

fn spooling_settings(dir: &Path, url: &str) -> Settings {
    Settings {
        spool: spool(dir),
        memory_bytes_max: 20_000,
        ..settings(vec![endpoint(url, &[KEY])])
    }
}

/// Not a test of its own: the body of the child process. Returns at once in the parent.
#[test]
fn child_that_spools_until_it_is_killed() {
    let (Ok(dir), Ok(url)) = (std::env::var(CHILD_DIR), std::env::var(CHILD_URL)) else { return };
    let forwarder = Forwarder::start(spooling_settings(Path::new(&dir), &url)).unwrap();
    for index in 0.. {
        forwarder.submit(&payload(&format!("{index} {}", "x".repeat(1000))));
        let stats = forwarder.stats();
        println!("{PREFIX}{}", stats.endpoints[0].totals.spooled);
    }
}

fn start_child(dir: &Path, url: &str) -> Child {
    let name = "crash::child_that_spools_until_it_is_killed";
    Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD_DIR, dir)
        .env(CHILD_URL, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets the child run until it says that so much is on disk, then kills it. Returns its last word.
fn kill_after(dir: &Path, url: &str, spooled_min: u64) -> u64 {
    let mut child = start_child(dir, url);
    let mut spooled = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some(count) = line.unwrap().strip_prefix(PREFIX) {
            spooled = count.parse().unwrap();
        }
        if spooled >= spooled_min {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    spooled
}

#[tokio::test]
async fn what_was_on_disk_survives_kill_9_at_any_moment() {
    for spooled_min in [1, 20, 45, 70, 130] {
        let temp = TempDir::new().unwrap();
        let is_up = Arc::new(AtomicBool::new(false));
        let up = Arc::clone(&is_up);
        let intake = Intake::start(move |_| match up.load(Ordering::SeqCst) {
            true => Act::Status(202),
            false => Act::Status(503),
        })
        .await;
        let (dir, url) = (temp.path().to_owned(), intake.url());
        let killing = tokio::task::spawn_blocking(move || kill_after(&dir, &url, spooled_min));
        let spooled = killing.await.unwrap();
        assert!(spooled >= spooled_min);

        is_up.store(true, Ordering::SeqCst);
        let next = Forwarder::start(spooling_settings(temp.path(), &intake.url())).unwrap();
        let stats = wait_for(&next, "all delivered", |stats| {
            let totals = &stats.endpoints[0].totals;
            totals.recovered >= spooled && totals.sent == totals.recovered
        })
        .await;
        let totals = &stats.endpoints[0].totals;
        assert!(totals.set_aside <= 1, "at most the file being written: {totals:?}");
        assert_eq!(totals.dropped.total(), 0);
        assert_eq!(stop(next).await.endpoints[0].spool_files, 0);
    }
}
