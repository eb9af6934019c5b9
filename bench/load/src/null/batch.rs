//! `poll` and `recvmmsg`.

use std::io;
use std::time::Duration;

use super::{Received, Run, WAIT_MAX};
use crate::sys::{self, RecvBatch};

/// Eager: waits for the socket, drains it, waits again. Moderated: after a drain that found
/// something, sleeps and drains again; a drain that found nothing waits for the socket, so that an
/// idle receiver costs nothing.
pub(super) fn receive(mut run: Run<'_>) -> io::Result<Received> {
    let mut batch =
        RecvBatch::new(run.spec.batch as usize, run.buffer_bytes(), run.control_bytes());
    let drain_every = Duration::from_micros(u64::from(run.spec.drain_every_us));
    let pauser = run.spec.pause.pauser(drain_every)?;
    run.begin();
    loop {
        let found = drain(&mut run, &mut batch)?;
        if !drain_every.is_zero() && found {
            pauser.wait();
            continue;
        }
        let is_ready = sys::wait_readable(run.socket, WAIT_MAX)?;
        if !is_ready && run.is_stopped() {
            return Ok(run.finish());
        }
    }
}

/// Reads until less than a batch comes; true when anything came.
fn drain(run: &mut Run<'_>, batch: &mut RecvBatch) -> io::Result<bool> {
    let mut found = false;
    loop {
        let count = match batch.recv(run.socket) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(found),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        found = true;
        for index in 0..count {
            let segment = if run.spec.is_joined { batch.segment_bytes(index) } else { None };
            run.count(batch.payload(index).len(), segment, batch.is_truncated(index));
        }
        run.finish_read();
        if count < run.spec.batch as usize {
            return Ok(true);
        }
    }
}
