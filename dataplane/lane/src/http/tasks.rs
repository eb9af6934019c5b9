//! The tasks of a lane's HTTP: accepting, connections, and the worker.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_executor::{LocalExecutor, Task};
use server::{Origin, Reactor, Server, accept_connections, serve_connection};

use crate::driver::{Drive, TICK, clock};
use crate::{Now, traces};

/// Runs tasks in slices, beside the datagrams of the lane. When it is dropped, so are its tasks:
/// connections are closed and their requests counted as lost.
#[derive(Debug)]
pub(crate) struct Tasks {
    server: Rc<Server>,
    executor: Rc<LocalExecutor<'static>>,
    worker: Task<()>,
    last_tick: Instant,
    stopping: Option<Instant>,
}

/// Has the server hand over what control answers, from the start and after a panic.
fn hand_over(drive: &Rc<RefCell<Drive>>, server: &Server) {
    let drive_mut = &mut *drive.borrow_mut();
    let own = drive_mut.http.as_mut().and_then(|http| http.exchanges.take());
    let Some(outlet) = own.or_else(|| server.take_outlet()) else { return };
    // The drive owns the server, not the other way round as well.
    let lane = Rc::downgrade(drive);
    server.hand_over(outlet, drive_mut.lane.port.alarm.clone(), move |head| {
        let Some(drive) = lane.upgrade() else { return Origin::default() };
        let container = drive.borrow_mut().lane.container_of(head, clock());
        let container_tags = container.joined_tags();
        Origin { container_id: container.id, container_tags }
    });
}

/// Time that tasks get before datagrams have their turn.
const SLICE: Duration = Duration::from_millis(1);
/// Time that requests under way get at stop: what the server gives them, and the work on them.
const STOP_MAX: Duration = Duration::from_secs(8);

impl Tasks {
    /// The tasks of a lane that serves HTTP.
    pub(crate) fn start(
        drive: &Rc<RefCell<Drive>>,
        reactor: &Rc<Reactor>,
    ) -> io::Result<Option<Self>> {
        let Some(server) = drive.borrow().http.as_ref().map(|http| Rc::clone(&http.server)) else {
            return Ok(None);
        };
        server.restart();
        hand_over(drive, &server);
        let executor = Rc::<LocalExecutor<'static>>::default();
        for (listener, seats) in drive.borrow().http.iter().flat_map(|http| &http.listeners) {
            let gate = server.new_gate(Arc::clone(seats));
            let listener = reactor.add_listener(listener.try_clone()?)?;
            // The executor owns the task, not the other way round as well.
            let (spawner, serving) = (Rc::downgrade(&executor), Rc::clone(&server));
            let spawn = move |stream: server::StreamIo, permit| {
                let (peer, hang_up) = (stream.peer(), stream.hang_up());
                let serve = serve_connection(stream, peer, hang_up, permit, Rc::clone(&serving));
                if let Some(executor) = spawner.upgrade() {
                    executor.spawn(serve).detach();
                }
            };
            let accept = accept_connections(listener, gate, Rc::clone(&server), spawn);
            executor.spawn(accept).detach();
        }
        let worker = executor.spawn(traces::worker(Rc::clone(drive), Rc::clone(&server)));
        let last_tick = server.now();
        Ok(Some(Self { server, executor, worker, last_tick, stopping: None }))
    }

    /// Runs tasks until none can go on or their time is over. Returns whether some can go on.
    pub(crate) fn run(&mut self) -> bool {
        let started = clock().instant;
        self.server.advance(started);
        if started.saturating_duration_since(self.last_tick) >= TICK {
            self.last_tick = started;
            self.server.tick(started);
        }
        while self.executor.try_tick() {
            if started.elapsed() > SLICE {
                return true;
            }
        }
        false
    }

    /// Whether a client waits for something.
    pub(crate) fn is_busy(&self) -> bool {
        self.server.is_busy()
    }

    /// Accepts nothing more and brings requests under way to their end. Returns whether that is
    /// done. Call it in every turn of a stop.
    /// `is_fed` says that payloads wait that came without a connection.
    pub(crate) fn is_stopped(&mut self, now: Now, is_fed: bool) -> bool {
        let since = *self.stopping.get_or_insert(now.instant);
        if now.instant.saturating_duration_since(since) > STOP_MAX {
            return true;
        }
        if is_fed {
            return false;
        }
        self.server.stop();
        self.server.is_stopped() && self.worker.is_finished()
    }
}
