//! The disk is full: the agent goes on, and what does not fit is dropped and counted.

use std::path::{Path, PathBuf};
use std::process::Command;

use bed::Bed;
use serde_json::json;

use crate::counters::{arrived, send, spooling_at_once};

const CONTEXTS: u32 = 6000;

#[test]
fn a_full_disk_costs_only_what_does_not_fit() {
    let bed = Bed::new();
    bed.intake.refuse_connections().expect("a port that can be closed");
    let directory = bed.path("small");
    std::fs::create_dir(&directory).expect("a writable directory");
    let mut settings = spooling_at_once(&bed)
        .set("forwarder_storage_path", json!(directory))
        .set("forwarder_storage_max_disk_ratio", 1.0);
    let disk = SmallDisk::mount(&directory);
    if disk.is_none() {
        // Without the right to mount, the spool's own limit takes the place of the disk's.
        settings = settings.set("forwarder_storage_max_size_in_bytes", 512 << 10);
    }
    let agent = bed.start(&settings);
    send(&agent, CONTEXTS);
    agent.wait_status("some payloads are given up", |status| {
        status.flush.samples_in == u64::from(CONTEXTS) && status.endpoints[0].dropped_total() > 0
    });
    bed.intake.accept_connections().expect("a port that can be opened");
    let status = agent.wait_status("the rest is delivered", |status| {
        status.endpoints[0].queued == 0 && status.endpoints[0].spooled == 0
    });
    assert!(status.endpoints[0].sent > 0);
    let finished = bed.finish(agent);
    let arrived = arrived(&finished.contents);
    assert!(arrived > 0.0 && arrived < f64::from(CONTEXTS), "{arrived} arrived");
    assert_eq!(finished.contents.totals.overwrites, 0);
}

/// A file system of 512 KiB, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(directory: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"])
            .arg(directory)
            .output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(directory.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Detached at once; it ends with the last open file.
        let _is_done = Command::new("umount").arg("-l").arg(&self.0).status().is_ok();
    }
}
