//! Making the members of an archive, each within its time.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::archive::{Archive, Collected};
use crate::scrub::Scrubber;
use crate::zip::ArchiveError;

/// One file of an archive and how to make it.
pub struct Member {
    /// Its path below the host's directory.
    pub name: String,
    /// Makes it, on a thread of its own; an error is the reason why it is missing.
    pub make: Box<dyn FnOnce() -> Result<Content, String> + Send>,
}

impl Member {
    /// A member.
    pub fn new(
        name: impl Into<String>,
        make: impl FnOnce() -> Result<Content, String> + Send + 'static,
    ) -> Self {
        Self { name: name.into(), make: Box::new(make) }
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({})", self.name)
    }
}

/// What a member holds, which says how secrets are found in it.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Lines for people.
    Text(String),
    /// Settings in YAML.
    Settings(String),
    /// A structure.
    Json(Value),
}

/// What an archive may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of all contents, before they are compressed.
    pub contents_bytes_max: usize,
    /// Time for one member. spec: config §12.2, `flare_provider_timeout`
    pub member_time_max: Duration,
    /// Time for all of them.
    pub time_max: Duration,
}

/// Makes all members in their order and packs them. `is_over` is asked between two of them, and
/// ends the making.
///
/// # Errors
/// When the archive cannot be written, never because of a member.
pub fn collect(
    host: &str,
    members: Vec<Member>,
    scrubber: &Scrubber,
    bounds: &Bounds,
    is_over: impl Fn() -> bool,
) -> Result<Collected, ArchiveError> {
    let mut archive = Archive::new(host, bounds.contents_bytes_max);
    let deadline = Instant::now() + bounds.time_max;
    for member in members {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || is_over() {
            archive.leave_out(&member.name, "there was no time left for it");
            continue;
        }
        let name = member.name.clone();
        match made(member, left.min(bounds.member_time_max)) {
            Ok(content) => archive.add(&name, &scrubbed(content, scrubber))?,
            Err(reason) => {
                // A reason may name a file or quote a line.
                let reason = scrubber.text(&reason).replace('\n', " ");
                archive.leave_out(&name, &reason);
            }
        }
    }
    archive.finish()
}

fn scrubbed(content: Content, scrubber: &Scrubber) -> String {
    match content {
        Content::Text(text) => scrubber.text(&text),
        Content::Settings(text) => scrubber.settings(&text),
        Content::Json(value) => scrubber.json(value),
    }
}

/// Runs one maker. A late one goes on alone, and nobody hears it.
fn made(member: Member, time_max: Duration) -> Result<Content, String> {
    let (done, result) = sync_channel(1);
    let make = member.make;
    let run = move || {
        let _is_heard = done.send(make()).is_ok();
    };
    thread::Builder::new()
        .name("corelane/member".to_owned())
        .spawn(run)
        .map_err(|error| format!("there is no thread for it: {error}"))?;
    match result.recv_timeout(time_max) {
        Ok(made) => made,
        Err(RecvTimeoutError::Timeout) => {
            Err(format!("it took longer than {} s", time_max.as_secs_f32()))
        }
        Err(RecvTimeoutError::Disconnected) => Err("making it failed".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use config::Sources;

    use super::*;

    #[test]
    fn a_member_that_fails_hangs_or_panics_is_noted_and_the_rest_is_there() {
        let config = config::load(&Sources::default()).expect("defaults");
        let (_never, hang) = std::sync::mpsc::channel::<()>();
        let members = vec![
            Member::new("bad.log", || Err("it is\nbroken".to_owned())),
            Member::new("hung.log", move || {
                let _is_over = hang.recv().is_err();
                Err(String::new())
            }),
            Member::new("panicked.log", || panic!("a bug")),
            Member::new("good.json", || Ok(Content::Json(serde_json::json!({"a": 1})))),
        ];
        let bounds = Bounds {
            contents_bytes_max: 1 << 20,
            member_time_max: Duration::from_millis(200),
            time_max: Duration::from_secs(60),
        };
        let collected = collect("h", members, &Scrubber::new(&config), &bounds, || false);
        let collected = collected.expect("written");
        assert_eq!((collected.members, collected.missing), (1, 3));
        let members = intake::flares::unzip(&collected.bytes, 1 << 20).expect("a good archive");
        let (_, notes) = members.last().expect("the last one tells of the others");
        let notes = String::from_utf8_lossy(notes);
        for part in ["bad.log: left out: it is broken", "took longer", "panicked.log: left out"] {
            assert!(notes.contains(part), "{part} is not in {notes}");
        }
    }
}
