//! The turns of a lane, the same under every driver. A driver only waits between them.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use receive::Poller;
use server::Reactor;

use super::connections::Connections;
use super::{Drive, clock};
use crate::http::Tasks;
use crate::{Found, Now, Wait};

/// What a driver runs: the sockets of a lane, its connections and its tasks.
#[derive(Debug)]
pub(super) struct Turns {
    drive: Rc<RefCell<Drive>>,
    /// Before the reactor, whose slots its tasks hold.
    tasks: Option<Tasks>,
    reactor: Rc<Reactor>,
    connections: Connections,
    /// Tokens of the sockets that are ready.
    ready: Vec<u64>,
    /// Whether the last turn began without anything that came.
    is_quiet: bool,
}

/// Time between two looks while requests come to their end.
const STOP_LOOK: Duration = Duration::from_millis(1);
/// Token of the bell.
const BELL: usize = 0;
/// Tokens from here on are the datagram sockets.
const FIRST_SOCKET: usize = 1;
/// Tokens from here on are stream connections.
const FIRST_CONNECTION: usize = 1 << 16;

impl Turns {
    pub(super) fn new(drive: &Rc<RefCell<Drive>>) -> io::Result<Self> {
        let reactor = Reactor::new()?;
        {
            let drive = drive.borrow();
            reactor.watch(drive.lane.port.bell.as_fd(), BELL as u64)?;
            for (socket, token) in drive.sources.sockets().zip(FIRST_SOCKET as u64..) {
                reactor.watch(socket, token)?;
            }
        }
        Ok(Self {
            tasks: Tasks::start(drive, &reactor)?,
            drive: Rc::clone(drive),
            reactor,
            connections: Connections::default(),
            ready: Vec::new(),
            is_quiet: true,
        })
    }

    /// Its descriptor becomes readable when a turn is due.
    pub(super) fn reactor(&self) -> &Reactor {
        &self.reactor
    }

    /// Whether nothing came before the last turn.
    pub(super) const fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    /// One turn: what came on the sockets, after waiting at most `timeout` for it, then tasks.
    /// Returns what to do before the next one; none when the lane has stopped.
    pub(super) fn turn(&mut self, timeout: Duration) -> io::Result<Option<Wait>> {
        let ready = &mut self.ready;
        let ready_count = self.reactor.turn(timeout, |token| ready.push(token))?;
        self.is_quiet = ready_count == 0;
        if ready_count >= Poller::READY_MAX {
            // Some were left out, which may be the datagram sockets.
            self.drive.borrow_mut().sources.mark_all_ready();
        }
        let now = clock();
        let found = self.receive(now);
        let are_tasks_ready = self.tasks.as_mut().is_some_and(Tasks::run);
        self.drive.borrow_mut().check_stall();
        if self.drive.borrow().lane.is_stopping() {
            // Nothing rings when a task has noticed: a stop that waits for a tick is slow.
            let wait = if are_tasks_ready { Wait::Again } else { Wait::Pause(STOP_LOOK) };
            return Ok((!self.is_stopped()).then_some(wait));
        }
        let wait = self.drive.borrow_mut().moderation.next(found, now.instant);
        let is_busy = self.tasks.as_ref().is_some_and(Tasks::is_busy);
        Ok(Some(match wait {
            _ if are_tasks_ready => Wait::Again,
            // A pause would hold up the client.
            Wait::Pause(_) if is_busy => Wait::Ready,
            Wait::Again | Wait::Pause(_) | Wait::Ready => wait,
        }))
    }

    /// Datagrams, frames of stream connections, commands.
    fn receive(&mut self, now: Now) -> Found {
        let drive = &mut *self.drive.borrow_mut();
        for place in self.ready.iter().filter_map(|token| usize::try_from(*token).ok()) {
            if (FIRST_SOCKET..FIRST_CONNECTION).contains(&place) {
                drive.sources.mark_ready(place - FIRST_SOCKET);
            }
        }
        let mut found = drive.look(now);
        for place in self.ready.drain(..).filter_map(|token| usize::try_from(token).ok()) {
            if let Some(slot) = place.checked_sub(FIRST_CONNECTION) {
                found.add(self.connections.drain(slot, drive, now).1);
            } else if place == BELL {
                drive.lane.port.bell.hush();
            }
        }
        drive.end_turn(now);
        let mut refused = Vec::new();
        for (slot, socket) in self.connections.admit(drive) {
            if self.reactor.watch(socket, (FIRST_CONNECTION + slot) as u64).is_err() {
                refused.push(slot);
            }
        }
        for slot in refused {
            self.connections.close(slot, drive);
        }
        found
    }

    /// Whether everything has come to its end: requests first, as they may take a while, then what
    /// the sockets still hold.
    fn is_stopped(&mut self) -> bool {
        if let Some(http) = &mut self.drive.borrow_mut().http {
            http.close_listeners();
        }
        let is_fed = {
            let drive = self.drive.borrow();
            drive.http.as_ref().is_some_and(|http| http.waiting_submissions() > 0)
        };
        if self.tasks.as_mut().is_some_and(|tasks| !tasks.is_stopped(clock(), is_fed)) {
            return false;
        }
        self.tasks = None;
        let drive = &mut *self.drive.borrow_mut();
        drive.sources.work_alone();
        if drive.lane.is_helping() {
            return false;
        }
        self.connections.finish(drive);
        drive.drain_for_stop();
        true
    }
}
