//! What could not be sent waits on disk and survives the process.

use bed::{Agent, Bed, Settings};

use crate::counters::{arrived, assert_arrived, send, spooling, spooling_at_once, wait_arrived};

const CONTEXTS: u32 = 2000;

/// An agent with an absent intake and everything flushed to its forwarder.
fn waiting(bed: &Bed, settings: &Settings) -> Agent {
    bed.intake.refuse_connections().expect("a port that can be closed");
    let agent = bed.start(settings);
    send(&agent, CONTEXTS);
    agent.wait_status("everything is flushed", |status| {
        status.flush.samples_in == u64::from(CONTEXTS)
    });
    agent
}

#[test]
fn a_stop_keeps_everything_for_the_next_start() {
    let bed = Bed::new();
    waiting(&bed, &spooling(&bed)).stop();
    bed.intake.accept_connections().expect("a port that can be opened");
    let agent = bed.start(&spooling(&bed));
    wait_arrived(&bed, &agent, CONTEXTS);
    let finished = bed.finish(agent);
    assert_arrived(&finished.contents, CONTEXTS);
    let endpoint = &finished.snapshot.endpoints[0];
    assert!(endpoint.recovered > 0 && endpoint.set_aside == 0, "{endpoint:?}");
    assert_eq!(endpoint.spooled, 0);
}

/// Killed without warning, an agent loses what was in memory and nothing that was on disk; nothing
/// arrives twice.
#[test]
fn a_killed_agent_loses_nothing_that_was_on_disk() {
    let bed = Bed::new();
    let agent = waiting(&bed, &spooling_at_once(&bed));
    let before =
        agent.wait_status("payloads are on disk", |status| status.endpoints[0].spooled_files > 0);
    let before = &before.endpoints[0];
    agent.kill();

    bed.intake.accept_connections().expect("a port that can be opened");
    let agent = bed.start(&spooling(&bed));
    let status = agent.wait_status("the spool is replayed", |status| {
        let endpoint = &status.endpoints[0];
        endpoint.recovered > 0 && endpoint.spooled == 0 && endpoint.queued == 0
    });
    let recovered = status.endpoints[0].recovered;
    assert!(recovered >= before.spooled, "{recovered} of {} found", before.spooled);
    let finished = bed.finish(agent);
    let arrived = arrived(&finished.contents);
    assert!(arrived > 0.0 && arrived < f64::from(CONTEXTS) + 0.5, "{arrived} arrived");
    assert_eq!(finished.contents.totals.overwrites, 0);
}

/// A file that was cut short is put aside and counted; the others are replayed, start after start.
#[test]
fn a_damaged_file_is_put_aside() {
    let bed = Bed::new();
    let agent = waiting(&bed, &spooling_at_once(&bed));
    agent.wait_status("payloads are on disk", |status| status.endpoints[0].spooled_files > 0);
    agent.stop();
    let files = files_below(&bed.path("transactions_to_retry"));
    assert!(files.len() > 1, "the stop adds to what was spooled: {files:?}");
    let damaged = files.iter().max().expect("the spool has files");
    let contents = std::fs::read(damaged).expect("our own file");
    std::fs::write(damaged, &contents[..contents.len() / 2]).expect("our own file");

    bed.intake.accept_connections().expect("a port that can be opened");
    let agent = bed.start(&spooling(&bed));
    agent.wait_status("the spool is replayed", |status| {
        let endpoint = &status.endpoints[0];
        endpoint.recovered > 0 && endpoint.spooled == 0 && endpoint.set_aside == 1
    });
    let finished = bed.finish(agent);
    let arrived = arrived(&finished.contents);
    assert!(arrived > 0.0 && arrived < f64::from(CONTEXTS), "{arrived} arrived");
}

/// Spooled payloads below a directory, without locks and other small files.
fn files_below(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(&directory).expect("the spool exists").flatten() {
            let path = entry.path();
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => waiting.push(path),
                Ok(metadata) if metadata.len() > 100 => files.push(path),
                _ => {}
            }
        }
    }
    files
}
