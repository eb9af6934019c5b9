//! Readiness of many sockets: `epoll`, level-triggered.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Events taken in one wait.
const EVENTS_MAX: usize = 64;

/// Watches sockets for something to read.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    ready: Vec<u64>,
}

impl Poller {
    /// A poller that watches nothing.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn new() -> io::Result<Self> {
        // SAFETY: no pointers are passed.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so `fd` is open and nobody else owns it.
        let epoll = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { epoll, ready: Vec::with_capacity(EVENTS_MAX) })
    }

    /// Watches a socket until it is closed; `token` tells it apart.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn add(&self, socket: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN.cast_unsigned(), u64: token };
        // SAFETY: both descriptors are open, and `event` lives for the length of the call.
        let status = unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                socket.as_raw_fd(),
                &raw mut event,
            )
        };
        if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Tokens of the sockets that have something to read, waiting at most `timeout`.
    ///
    /// # Errors
    /// What the kernel reports; an interrupted wait is an empty answer.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<&[u64]> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX];
        let millis = libc::c_int::try_from(timeout.as_millis()).unwrap_or(libc::c_int::MAX);
        let room = libc::c_int::try_from(EVENTS_MAX).unwrap_or(1);
        // SAFETY: `events` has room for `EVENTS_MAX` events and lives for the length of the call.
        let count =
            unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), room, millis) };
        self.ready.clear();
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(&[]) } else { Err(error) };
        }
        let count = usize::try_from(count).unwrap_or(0);
        self.ready.extend(events.iter().take(count).map(|event| event.u64));
        Ok(&self.ready)
    }
}

/// Whether this process may use io_uring: containers often refuse it, and an administrator can.
///
/// # Errors
/// What the kernel says to an attempt.
pub fn probe_io_uring() -> io::Result<()> {
    io_uring::IoUring::new(2).map(drop)
}

/// Datagrams that the kernel queues for a Unix datagram socket (`net.unix.max_dgram_qlen`), for
/// sockets made now.
#[must_use]
pub fn unix_queue_packets() -> usize {
    // The default of the kernel, where the file cannot be read.
    const DEFAULT: usize = 10;
    std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(DEFAULT)
}
