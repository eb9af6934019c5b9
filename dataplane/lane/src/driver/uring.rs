//! The glommio driver: an executor over io_uring, which later products share for HTTP and files.
//!
//! Datagram sockets are drained with `recvmmsg` here too; io_uring sleeps, and tells when a socket
//! has something, by a peek of one byte.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd};
use std::rc::Rc;

use futures_lite::future::{self, FutureExt, race};
use glommio::net::UnixStream;
use glommio::timer::sleep;
use glommio::{LocalExecutorBuilder, Placement, spawn_local};

use super::connections::Connections;
use super::{Drive, TICK, clock};
use crate::Wait;
use crate::sources::ConnectionState;

/// Memory that the executor registers for file I/O, which a lane does not do.
const IO_MEMORY_BYTES: usize = 64 << 10;
/// Requests in flight that need no further submission: sockets, timers, connections.
const RING_DEPTH: usize = 128;

pub(super) fn run(drive: Rc<RefCell<Drive>>) -> io::Result<()> {
    let executor = LocalExecutorBuilder::new(Placement::Unbound)
        .io_memory(IO_MEMORY_BYTES)
        .ring_depth(RING_DEPTH)
        .make()
        .map_err(|error| io::Error::other(error.to_string()))?;
    executor.run(serve(drive))
}

async fn serve(drive: Rc<RefCell<Drive>>) -> io::Result<()> {
    let bell = watch(drive.borrow().lane.port.bell.as_fd())?;
    let sockets: Vec<UnixStream> =
        drive.borrow().sources.sockets().map(watch).collect::<io::Result<_>>()?;
    let connections = Rc::<RefCell<Connections>>::default();
    loop {
        let now = clock();
        let wait = {
            let drive = &mut *drive.borrow_mut();
            let found = drive.look(now);
            drive.end_turn(now);
            if drive.lane.is_stopping() {
                connections.borrow_mut().finish(drive);
                drive.drain_for_stop();
                return Ok(());
            }
            drive.moderation.next(found)
        };
        admit(&drive, &connections)?;
        match wait {
            Wait::Again => future::yield_now().await,
            Wait::Pause(pause) => sleep(pause).await,
            Wait::Ready => {
                let rung = async {
                    bell.peek(&mut [0]).await.ok();
                    true
                };
                let ready = async {
                    any_ready(&sockets).await;
                    false
                };
                let late = async {
                    sleep(TICK).await;
                    false
                };
                if race(rung, ready.or(late)).await {
                    drive.borrow().lane.port.bell.hush();
                }
            }
        }
    }
}

/// Starts a task for each connection that was dealt to the lane.
fn admit(drive: &Rc<RefCell<Drive>>, connections: &Rc<RefCell<Connections>>) -> io::Result<()> {
    if drive.borrow().lane.connections.is_empty() {
        return Ok(());
    }
    let watched: Vec<(usize, UnixStream)> = connections
        .borrow_mut()
        .admit(&mut drive.borrow_mut())
        .into_iter()
        .map(|(slot, socket)| watch(socket).map(|watched| (slot, watched)))
        .collect::<io::Result<_>>()?;
    // A task may run as soon as it is spawned: nothing is borrowed here.
    for (slot, socket) in watched {
        spawn_local(follow(slot, socket, Rc::clone(drive), Rc::clone(connections))).detach();
    }
    Ok(())
}

/// Reads one connection to its end.
async fn follow(
    slot: usize,
    socket: UnixStream,
    drive: Rc<RefCell<Drive>>,
    connections: Rc<RefCell<Connections>>,
) {
    loop {
        // An error is met again by the read.
        socket.peek(&mut [0]).await.ok();
        let (state, wait) = {
            let drive = &mut *drive.borrow_mut();
            let now = clock();
            drive.lane.advance(now);
            let (state, found) = connections.borrow_mut().drain(slot, drive, now);
            (state, drive.moderation.next(found))
        };
        match (state, wait) {
            (ConnectionState::Closed, _) => return,
            (ConnectionState::Drained, Wait::Pause(pause)) => sleep(pause).await,
            _ => future::yield_now().await,
        }
    }
}

/// Resolves when any socket has something to read; never without sockets.
async fn any_ready(sockets: &[UnixStream]) {
    match sockets {
        [] => future::pending().await,
        [one] => drop(one.peek(&mut [0]).await),
        [one, rest @ ..] => {
            let one = async { drop(one.peek(&mut [0]).await) };
            race(one, Box::pin(any_ready(rest))).await;
        }
    }
}

/// Another handle on a socket, for the executor to wait on. The type says how glommio peeks:
/// without asking for a peer, which datagram sockets do not have.
fn watch(socket: BorrowedFd<'_>) -> io::Result<UnixStream> {
    let duplicate = socket.try_clone_to_owned()?;
    // SAFETY: the descriptor was just duplicated and is handed over, so that it has one owner.
    Ok(unsafe { UnixStream::from_raw_fd(duplicate.into_raw_fd()) })
}
