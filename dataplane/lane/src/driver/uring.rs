//! The glommio driver: an executor over io_uring, for tasks that do file I/O beside the lane.
//!
//! Sockets are read and written by system calls here too, as the epoll driver does; io_uring sleeps
//! and tells when a turn is due, by one poll of the reactor's descriptor that stays armed while the
//! lane is at work. glommio's own sockets are not used: it accepts by changing the flags of the
//! listener, which lanes share, and a client that is gone would raise a signal in the host.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::AsyncRead;
use futures_lite::future::{or, yield_now};
use glommio::net::UnixStream;
use glommio::timer::sleep;
use glommio::{LocalExecutorBuilder, Placement};

use super::turns::Turns;
use super::{Drive, TICK};
use crate::Wait;

/// Memory that the executor registers for file I/O, which a lane does not do.
const IO_MEMORY_BYTES: usize = 64 << 10;
/// Requests in flight that need no further submission.
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
    let mut turns = Turns::new(&drive)?;
    let mut watch = Watch { fd: turns.reactor().try_clone_fd()?, armed: None };
    while let Some(wait) = turns.turn(Duration::ZERO)? {
        match wait {
            Wait::Again => yield_now().await,
            // A timer of the ring costs several times as much, and nothing else runs here.
            Wait::Pause(pause) => super::pause(pause),
            Wait::Ready => watch.wait(TICK).await?,
        }
    }
    Ok(())
}

/// Waits for a descriptor to become readable.
struct Watch {
    fd: OwnedFd,
    armed: Option<UnixStream>,
}

impl Watch {
    /// Waits at most `timeout`.
    async fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        let mut armed = match self.armed.take() {
            Some(armed) => armed,
            None => poll_once(self.fd.try_clone()?),
        };
        let is_ready = {
            let ready = async {
                // Whatever the read says: what is polled is no socket, and ready all the same.
                drop(poll_fn(|cx| Pin::new(&mut armed).poll_read(cx, &mut [0])).await);
                true
            };
            let late = async {
                sleep(timeout).await;
                false
            };
            or(ready, late).await
        };
        if !is_ready {
            self.armed = Some(armed);
        }
        Ok(())
    }
}

/// Asks the ring to poll a descriptor once. The type is the one of glommio that polls before it
/// reads; the read then fails, as the descriptor is no socket.
fn poll_once(fd: OwnedFd) -> UnixStream {
    // SAFETY: the descriptor is handed over, so that it has one owner.
    unsafe { UnixStream::from_raw_fd(fd.into_raw_fd()) }
}
