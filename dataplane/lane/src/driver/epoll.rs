//! The epoll driver: one loop, nothing but `epoll_wait`, `recvmmsg` and a pause.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use receive::Poller;

use super::connections::Connections;
use super::{Drive, TICK, clock};
use crate::Wait;

/// Tokens below stand for the bell and the datagram sockets, which are looked at in every turn.
const FIRST_CONNECTION: u64 = 8;

pub(super) fn run(drive: &mut Drive) -> io::Result<()> {
    let mut poller = Poller::new()?;
    poller.add(drive.lane.port.bell.as_fd(), 0)?;
    for (socket, token) in drive.sources.sockets().zip(1..) {
        poller.add(socket, token)?;
    }
    let mut connections = Connections::default();
    let mut refused = Vec::new();
    let mut timeout = TICK;
    while !drive.lane.is_stopping() {
        let ready = poller.wait(timeout)?;
        let is_rung = ready.iter().any(|ready| ready.token == 0);
        let now = clock();
        let mut found = drive.look(now);
        for ready in ready {
            let slot =
                ready.token.checked_sub(FIRST_CONNECTION).and_then(|n| usize::try_from(n).ok());
            if let Some(slot) = slot {
                found.add(connections.drain(slot, drive, now).1);
            }
        }
        if is_rung {
            drive.lane.port.bell.hush();
        }
        drive.end_turn(now);
        for (slot, socket) in connections.admit(drive) {
            if poller.add(socket, FIRST_CONNECTION + slot as u64).is_err() {
                refused.push(slot);
            }
        }
        for slot in refused.drain(..) {
            connections.close(slot, drive);
        }
        timeout = match drive.moderation.next(found) {
            Wait::Again => Duration::ZERO,
            #[expect(clippy::disallowed_methods, reason = "a driver is what waits")]
            Wait::Pause(pause) => {
                // A timer: a pause that runs from the scheduler's tick costs half as much but lasts
                // up to 12 ms, more than the queue of a Unix datagram socket holds.
                std::thread::sleep(pause);
                Duration::ZERO
            }
            Wait::Ready => TICK,
        };
    }
    connections.finish(drive);
    drive.drain_for_stop();
    Ok(())
}
