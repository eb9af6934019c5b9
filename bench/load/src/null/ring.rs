//! `io_uring`: multishot `recvmsg` into provided buffers.

use std::io;
use std::time::Duration;

use super::{Received, Run, WAIT_MAX};
use crate::sys::RecvRing;

/// Eager: waits for one completion. Moderated: waits for a full batch at most `drain_every_us`,
/// then for one completion (`min_wait`, Linux 6.12).
pub(super) fn receive(mut run: Run<'_>) -> io::Result<Received> {
    let buffers = u16::try_from(run.spec.batch.next_power_of_two())
        .map_err(|_| io::Error::other("at most 32768 buffers can be provided"))?;
    let mut ring = RecvRing::new(run.socket, buffers, run.buffer_bytes(), run.control_bytes())?;
    let drain_every = Duration::from_micros(u64::from(run.spec.drain_every_us));
    run.begin();
    loop {
        ring.wait(drain_every, WAIT_MAX)?;
        let mut found = false;
        while let Some(packet) = ring.next_packet()? {
            found = true;
            run.count(packet.bytes, packet.segment_bytes, packet.is_truncated);
        }
        ring.give_back();
        if found {
            run.finish_read();
        } else if run.is_stopped() {
            return Ok(run.finish());
        }
    }
}
