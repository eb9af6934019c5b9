//! Stopping an agent without losing the ear for signals.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use agent::Agent;
use anyhow::{Result, bail};
use status::Snapshot;

use crate::signals::Signal;

/// Longest time a signal goes unnoticed while the agent stops.
const LOOK: Duration = Duration::from_millis(20);

/// Stops the agent and returns its last counters, or nothing if a signal said not to wait; the
/// process is to end then.
pub(crate) fn stop(agent: Agent, signals: &Receiver<Signal>) -> Result<Option<Snapshot>> {
    let (done, stopped) = channel();
    thread::Builder::new().name("stop".to_owned()).spawn(move || {
        let _is_awaited = done.send(agent.stop()).is_ok();
    })?;
    loop {
        match stopped.recv_timeout(LOOK) {
            Ok(last) => return Ok(Some(last)),
            Err(RecvTimeoutError::Disconnected) => bail!("the agent panicked while it stopped"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        if signals.try_recv() == Ok(Signal::Stop) {
            return Ok(None);
        }
    }
}
