//! Readiness of many sockets: `epoll`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Watches sockets. It has a descriptor of its own, so that another poller can watch it in turn.
#[derive(Debug)]
pub struct Poller {
    epoll: OwnedFd,
    ready: Vec<Ready>,
}

/// What came for one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Its token.
    pub token: u64,
    /// Whether there is something to read: bytes, a connection, an end or an error.
    pub is_readable: bool,
    /// Whether there is room to write, or an error to learn of.
    pub is_writable: bool,
    /// Whether nothing comes after what can be read now: the other end has finished or is gone.
    pub has_ended: bool,
    /// Whether the other end takes nothing more either: both directions are closed.
    pub is_hung_up: bool,
    /// Whether the connection was broken.
    pub is_reset: bool,
}

impl Poller {
    /// Sockets told of in one wait.
    pub const READY_MAX: usize = 64;

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
        Ok(Self { epoll, ready: Vec::with_capacity(Self::READY_MAX) })
    }

    /// Watches a socket until it is closed for something to read; `token` tells it apart. It is
    /// reported as long as there is something (level-triggered).
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn add(&self, socket: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        self.add_for(socket, token, libc::EPOLLIN)
    }

    /// Watches a stream until it is closed, both directions, and reports changes alone
    /// (edge-triggered): read until there is nothing more.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn add_stream(&self, socket: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let events = libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
        self.add_for(socket, token, events)
    }

    /// Watches a listener that several pollers share: a new connection wakes one of them, once
    /// (edge-triggered): accept until nobody waits.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn add_listener(&self, socket: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let events = libc::EPOLLIN | libc::EPOLLET | libc::EPOLLEXCLUSIVE;
        self.add_for(socket, token, events)
    }

    fn add_for(&self, socket: BorrowedFd<'_>, token: u64, events: libc::c_int) -> io::Result<()> {
        let mut event = libc::epoll_event { events: events.cast_unsigned(), u64: token };
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

    /// Stops watching a socket. Needed only for one of which duplicates stay open.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn remove(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        // SAFETY: both descriptors are open; removing takes no event.
        let status = unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_DEL,
                socket.as_raw_fd(),
                std::ptr::null_mut(),
            )
        };
        if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// The sockets for which something came, at most 64 of them, waiting at most `timeout`.
    ///
    /// # Errors
    /// What the kernel reports; an interrupted wait is an empty answer.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<&[Ready]> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; Self::READY_MAX];
        let millis = libc::c_int::try_from(timeout.as_millis()).unwrap_or(libc::c_int::MAX);
        let room = libc::c_int::try_from(Self::READY_MAX).unwrap_or(1);
        // SAFETY: `events` has room for 64 events and lives for the length of the call.
        let count =
            unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), room, millis) };
        self.ready.clear();
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::Interrupted { Ok(&[]) } else { Err(error) };
        }
        let count = usize::try_from(count).unwrap_or(0);
        self.ready.extend(events.iter().take(count).map(|event| {
            let (token, flags) = (event.u64, event.events.cast_signed());
            let has = |wanted: libc::c_int| flags & wanted != 0;
            let is_broken = has(libc::EPOLLERR | libc::EPOLLHUP);
            Ready {
                token,
                is_readable: is_broken || has(libc::EPOLLIN | libc::EPOLLRDHUP),
                is_writable: is_broken || has(libc::EPOLLOUT),
                has_ended: is_broken || has(libc::EPOLLRDHUP),
                is_hung_up: has(libc::EPOLLHUP),
                is_reset: has(libc::EPOLLERR),
            }
        }));
        Ok(&self.ready)
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// Whether this process may use io_uring: containers often refuse it, and an administrator can.
///
/// # Errors
/// What the kernel says to an attempt.
pub fn probe_io_uring() -> io::Result<()> {
    io_uring::IoUring::new(2).map(drop)
}
