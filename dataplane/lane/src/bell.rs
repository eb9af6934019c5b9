//! Wakes a lane that waits. A datagram pair: safe, and it can be watched beside the sockets.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::task::Wake;
use std::time::Duration;

/// The rope: rings from any thread.
#[derive(Debug)]
pub struct Bell {
    sender: UnixDatagram,
}

/// The lane's end.
#[derive(Debug)]
pub(crate) struct BellReceiver {
    receiver: UnixDatagram,
}

/// A bell and its receiver.
pub(crate) fn bell() -> io::Result<(Bell, BellReceiver)> {
    let (sender, receiver) = UnixDatagram::pair()?;
    sender.set_nonblocking(true)?;
    Ok((Bell { sender }, BellReceiver { receiver }))
}

impl Bell {
    /// Wakes the lane. A full queue means that it is about to wake anyway.
    pub fn ring(&self) {
        drop(self.sender.send(&[1]));
    }
}

/// What wakes a task of the lane from another thread rings as well: the task is ready then, but the
/// lane sleeps.
impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

impl BellReceiver {
    /// Waits until the bell rings, at most `timeout`.
    pub(crate) fn pause(&self, timeout: Duration) {
        if timeout.is_zero() || self.receiver.set_read_timeout(Some(timeout)).is_err() {
            return;
        }
        drop(self.receiver.recv(&mut [0; 8]));
    }

    /// Forgets the rings so far.
    pub(crate) fn hush(&self) {
        if self.receiver.set_nonblocking(true).is_ok() {
            while self.receiver.recv(&mut [0; 8]).is_ok() {}
            drop(self.receiver.set_nonblocking(false));
        }
    }
}

impl AsFd for BellReceiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.receiver.as_fd()
    }
}
