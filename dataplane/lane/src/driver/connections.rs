//! Stream connections of a lane.

use std::os::fd::{AsFd, BorrowedFd};

use receive::Connection;
use signal::Counter;

use super::{Drive, clock};
use crate::sources::{ConnectionState, drain_connection};
use crate::{Found, Now};

/// Connections by slot; a slot is reused after its connection closed.
#[derive(Debug, Default)]
pub(super) struct Connections {
    slots: Vec<Option<Connection>>,
    vacant: Vec<usize>,
}

impl Connections {
    /// Takes in the connections that were dealt to this lane, as far as the limit allows. Returns
    /// their slots and sockets, to be watched.
    pub(super) fn admit(&mut self, drive: &mut Drive) -> Vec<(usize, BorrowedFd<'_>)> {
        let mut admitted = Vec::new();
        for new in std::mem::take(&mut drive.lane.connections) {
            if self.open() >= drive.lane.connections_max() {
                drive.lane.count(Counter::StreamRefused, 1);
                continue;
            }
            let slot = self.vacant.pop().unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            });
            self.slots[slot] = Some(new.connection);
            drive.lane.count(Counter::StreamConnections, 1);
            admitted.push(slot);
        }
        let socket = |slot: usize| Some((slot, self.slots[slot].as_ref()?.as_fd()));
        admitted.into_iter().filter_map(socket).collect()
    }

    /// Reads what one connection holds, a bounded number of reads, and closes it at its end.
    pub(super) fn drain(
        &mut self,
        slot: usize,
        drive: &mut Drive,
        now: Now,
    ) -> (ConnectionState, Found) {
        let Some(connection) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return (ConnectionState::Closed, Found::default());
        };
        let (state, mut found) = drain_connection(connection, &mut drive.lane, now);
        if state == ConnectionState::Closed {
            self.close(slot, drive);
        }
        found.is_backlogged = state == ConnectionState::Backlogged;
        (state, found)
    }

    /// Closes a connection.
    pub(super) fn close(&mut self, slot: usize, drive: &mut Drive) {
        if self.slots.get_mut(slot).and_then(Option::take).is_some() {
            self.vacant.push(slot);
            drive.lane.count(Counter::StreamClosed, 1);
        }
    }

    /// Reads what all connections hold and closes them.
    pub(super) fn finish(&mut self, drive: &mut Drive) {
        for slot in 0..self.slots.len() {
            // A sender that never ends must not hold the stop.
            for _ in 0..LAST_READS {
                if self.drain(slot, drive, clock()).0 != ConnectionState::Backlogged {
                    break;
                }
            }
            self.close(slot, drive);
        }
    }

    fn open(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }
}

/// Looks at one connection at stop.
const LAST_READS: usize = 64;
