//! System calls that the standard library does not offer, behind safe functions.

mod ring;

pub(crate) use ring::RecvRing;

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::ptr;
use std::time::Duration;

/// Reusable headers for [`send_batch`].
pub(crate) struct SendHeaders {
    vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

// SAFETY: the pointers are set and followed within one call of `send_batch`, never between calls.
unsafe impl Send for SendHeaders {}

impl SendHeaders {
    pub(crate) fn new(batch: usize) -> Self {
        let vector = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        Self { vectors: vec![vector; batch], headers: vec![empty_header(); batch] }
    }
}

/// Sends the payloads as one datagram each on a connected socket; returns how many went out.
/// Payloads beyond the size of `headers` are left.
pub(crate) fn send_batch<'a>(
    socket: BorrowedFd<'_>,
    headers: &mut SendHeaders,
    payloads: impl Iterator<Item = &'a [u8]>,
    is_nonblocking: bool,
) -> io::Result<usize> {
    let mut count = 0;
    for (index, payload) in payloads.take(headers.headers.len()).enumerate() {
        let vector = &mut headers.vectors[index];
        vector.iov_base = payload.as_ptr().cast_mut().cast();
        vector.iov_len = payload.len();
        let header = &mut headers.headers[index].msg_hdr;
        header.msg_iov = vector;
        header.msg_iovlen = 1;
        count = index + 1;
    }
    let flags = libc::MSG_NOSIGNAL | if is_nonblocking { libc::MSG_DONTWAIT } else { 0 };
    // SAFETY: the first `count` headers point to vectors in `headers`, which is borrowed for the
    // call, and these to payloads that live for 'a; the kernel only reads them.
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.headers.as_mut_ptr(),
            u32::try_from(count).unwrap_or(u32::MAX),
            flags as _,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Buffers and headers for [`RecvBatch::recv`].
pub(crate) struct RecvBatch {
    buffers: Vec<u8>,
    buffer_bytes: usize,
    controls: Vec<u8>,
    control_bytes: usize,
    // The headers point to the vectors, which are never resized.
    #[expect(dead_code, reason = "owned for the headers that point to it")]
    vectors: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
}

impl RecvBatch {
    /// Room for `batch` datagrams of `buffer_bytes` with `control_bytes` of ancillary data.
    pub(crate) fn new(batch: usize, buffer_bytes: usize, control_bytes: usize) -> Self {
        // Not zero, so that the pages are written to and exist before the first packet.
        let mut buffers = vec![1; batch * buffer_bytes];
        let mut controls = vec![0; batch * control_bytes];
        let mut vectors: Vec<libc::iovec> = buffers
            .chunks_exact_mut(buffer_bytes)
            .map(|buffer| libc::iovec {
                iov_base: buffer.as_mut_ptr().cast(),
                iov_len: buffer_bytes,
            })
            .collect();
        let mut headers = vec![empty_header(); batch];
        for (index, header) in headers.iter_mut().enumerate() {
            header.msg_hdr.msg_iov = &raw mut vectors[index];
            header.msg_hdr.msg_iovlen = 1;
            if control_bytes > 0 {
                let control = &mut controls[index * control_bytes..][..control_bytes];
                header.msg_hdr.msg_control = control.as_mut_ptr().cast();
            }
        }
        Self { buffers, buffer_bytes, controls, control_bytes, vectors, headers }
    }

    /// Reads what is there, without waiting; `WouldBlock` when there is nothing.
    pub(crate) fn recv(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        if self.control_bytes > 0 {
            for header in &mut self.headers {
                header.msg_hdr.msg_controllen = self.control_bytes as _;
            }
        }
        // SAFETY: every header points to a vector and a control buffer owned by `self` and borrowed
        // mutably for the call, each vector to its own part of `buffers`.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                u32::try_from(self.headers.len()).unwrap_or(u32::MAX),
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        usize::try_from(received).map_err(|_| io::Error::last_os_error())
    }

    /// Bytes of a datagram of the last batch.
    pub(crate) fn payload(&self, index: usize) -> &[u8] {
        let length = (self.headers[index].msg_len as usize).min(self.buffer_bytes);
        &self.buffers[index * self.buffer_bytes..][..length]
    }

    /// Whether the datagram was longer than the buffer.
    pub(crate) fn is_truncated(&self, index: usize) -> bool {
        self.headers[index].msg_hdr.msg_flags & libc::MSG_TRUNC != 0
    }

    /// Size of the segments that the kernel joined into this buffer; `None` for a plain datagram.
    pub(crate) fn segment_bytes(&self, index: usize) -> Option<usize> {
        #[allow(clippy::unnecessary_cast, reason = "musl has 32 bits here")]
        let used = self.headers[index].msg_hdr.msg_controllen as usize;
        let control = self.controls.get(index * self.control_bytes..)?.get(..used)?;
        segment_bytes(control)
    }
}

/// Finds the `UDP_GRO` message among ancillary data and returns its segment size.
pub(crate) fn segment_bytes(mut control: &[u8]) -> Option<usize> {
    const HEADER: usize = size_of::<libc::cmsghdr>();
    while control.len() >= HEADER {
        // SAFETY: the slice holds at least a whole header, read without assuming alignment.
        let header: libc::cmsghdr = unsafe { ptr::read_unaligned(control.as_ptr().cast()) };
        #[allow(clippy::unnecessary_cast, reason = "musl has 32 bits here")]
        let length = header.cmsg_len as usize;
        let is_segment = header.cmsg_level == libc::SOL_UDP && header.cmsg_type == libc::UDP_GRO;
        if is_segment {
            let bytes = control.get(HEADER..HEADER + 4)?.try_into().ok()?;
            #[expect(clippy::host_endian_bytes, reason = "the kernel writes a native integer")]
            let value = i32::from_ne_bytes(bytes);
            return usize::try_from(value).ok();
        }
        let step = length.max(HEADER).next_multiple_of(size_of::<usize>());
        control = control.get(step..)?;
    }
    None
}

/// Waits until the socket can be read or the time is over; true when it can be read.
pub(crate) fn wait_readable(socket: BorrowedFd<'_>, timeout: Duration) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let timeout_ms = libc::c_int::try_from(timeout.as_millis()).unwrap_or(libc::c_int::MAX);
    // SAFETY: one pollfd, borrowed mutably for the call.
    let ready = unsafe { libc::poll(&raw mut poll, 1, timeout_ms) };
    if ready < 0 { Err(io::Error::last_os_error()) } else { Ok(ready > 0) }
}

/// An option of type `int`.
pub(crate) fn set_option(
    socket: BorrowedFd<'_>,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the value lives for the call and the length is that of its type.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), SOCKLEN_INT)
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Datagrams that the kernel dropped at this socket since it was opened (`SO_MEMINFO`).
pub(crate) fn kernel_drops(socket: BorrowedFd<'_>) -> io::Result<u64> {
    let mut values = [0_u32; 16];
    let mut length = 16 * SOCKLEN_INT;
    // SAFETY: the array is borrowed mutably for the call and `length` is its size in bytes.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(u64::from(values[SK_MEMINFO_DROPS]))
}

/// Pins the calling thread to one processor.
///
/// # Errors
/// When the processor does not exist or is not allowed.
pub fn pin_to_cpu(cpu: usize) -> io::Result<()> {
    if cpu >= 8 * size_of::<libc::cpu_set_t>() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a processor set is an array of integers, for which all zeroes is the empty set.
    let mut set: libc::cpu_set_t = unsafe { zeroed() };
    // SAFETY: `cpu` was checked to be inside the set.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: the set lives for the call and the size is that of its type; 0 is this thread.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Makes sleeps of the calling thread end on time instead of up to 50 microseconds late.
pub(crate) fn set_timer_slack_ns(nanoseconds: libc::c_ulong) {
    // SAFETY: takes an integer, changes only the calling thread, and cannot fail for positive
    // slack.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, nanoseconds) };
}

/// Processor time and context switches of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// Nanoseconds on a processor.
    pub total_ns: u64,
    /// Of these in user space (by scheduler ticks, so coarse).
    pub user_ns: u64,
    /// Times the thread gave up the processor to wait.
    pub waits: u64,
}

impl CpuTime {
    /// Of the calling thread since it started.
    #[must_use]
    pub fn of_thread() -> Self {
        // SAFETY: both types are plain integers, for which all zeroes is valid.
        let mut time: libc::timespec = unsafe { zeroed() };
        // SAFETY: as above.
        let mut usage: libc::rusage = unsafe { zeroed() };
        // SAFETY: writes the time of this thread into a value borrowed mutably for the call.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
        // SAFETY: as above.
        unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) };
        let ns = |secs: i64, rest: i64| u64::try_from(secs * 1_000_000_000 + rest).unwrap_or(0);
        Self {
            total_ns: ns(time.tv_sec, time.tv_nsec),
            user_ns: ns(usage.ru_utime.tv_sec, usage.ru_utime.tv_usec * 1_000),
            waits: u64::try_from(usage.ru_nvcsw).unwrap_or(0),
        }
    }

    /// What was used since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            total_ns: self.total_ns.saturating_sub(earlier.total_ns),
            user_ns: self.user_ns.saturating_sub(earlier.user_ns),
            waits: self.waits.saturating_sub(earlier.waits),
        }
    }
}

fn empty_header() -> libc::mmsghdr {
    // SAFETY: integers and pointers, for which all zeroes is valid and means "none".
    unsafe { zeroed() }
}

/// Size of an `int`, and of each value of `SO_MEMINFO`.
const SOCKLEN_INT: libc::socklen_t = 4;
/// `asm-generic/socket.h`.
const SO_MEMINFO: libc::c_int = 55;
/// `linux/sock_diag.h`.
const SK_MEMINFO_DROPS: usize = 8;
