//! The glommio driver: an executor over io_uring, for tasks that do file I/O beside the lane.
//!
//! Sockets are read and written by system calls here too, as the epoll driver does. A lane at which
//! something came waits for more by epoll for a moment, since going to sleep in glommio costs some
//! 40 microseconds, three times as much; a quiet one sleeps in io_uring, which tells when a turn is
//! due by one poll of the reactor's descriptor. glommio's own sockets are not used: it accepts by
//! changing the flags of the listener, which lanes share, and a client that is gone would raise a
//! signal in the host.

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
/// How long epoll waits for what probably comes soon, and other tasks of the executor for us.
const NEXT_SOON: Duration = Duration::from_millis(5);
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
    let mut timeout = Duration::ZERO;
    while let Some(wait) = turns.turn(timeout)? {
        timeout = Duration::ZERO;
        match wait {
            Wait::Again => yield_now().await,
            Wait::Pause(pause) => super::pause(pause),
            Wait::Ready if turns.is_quiet() => watch.wait(TICK).await,
            Wait::Ready => timeout = NEXT_SOON,
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
    async fn wait(&mut self, timeout: Duration) {
        let armed = self.armed.take().map_or_else(|| self.fd.try_clone().map(poll_once), Ok);
        let Ok(mut armed) = armed else {
            // No descriptor is left, which may pass: until then, turns come by the clock.
            sleep(timeout).await;
            return;
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
    }
}

/// Asks the ring to poll a descriptor once. The type is the one of glommio that polls before it
/// reads; the read then fails, as the descriptor is no socket.
fn poll_once(fd: OwnedFd) -> UnixStream {
    // SAFETY: the descriptor is handed over, so that it has one owner.
    unsafe { UnixStream::from_raw_fd(fd.into_raw_fd()) }
}
