//! One socket read by `io_uring` into a ring of provided buffers.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, CancelBuilder, Fd, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode};

use super::segment_bytes;

/// What a completion brought.
pub(crate) struct RingPacket {
    pub(crate) bytes: usize,
    pub(crate) segment_bytes: Option<usize>,
    pub(crate) is_truncated: bool,
}

/// A ring, its provided buffers and the one multishot request.
pub(crate) struct RecvRing {
    ring: IoUring,
    buffers: ProvidedBuffers,
    // Boxed: the kernel keeps its address while the request is armed.
    header: Box<libc::msghdr>,
    fd: Fd,
    is_armed: bool,
    has_min_wait: bool,
}

impl RecvRing {
    /// Whether rings can be made and can wait for a batch.
    pub(crate) fn has_min_wait() -> io::Result<bool> {
        Ok(build(8)?.params().is_feature_min_timeout())
    }

    pub(crate) fn new(
        socket: BorrowedFd<'_>,
        count: u16,
        payload_bytes: usize,
        control_bytes: usize,
    ) -> io::Result<Self> {
        let ring = build(2 * u32::from(count))?;
        // SAFETY: integers and pointers, for which all zeroes is valid and means "none".
        let mut header: Box<libc::msghdr> = Box::new(unsafe { zeroed() });
        header.msg_controllen = control_bytes as _;
        let buffers = ProvidedBuffers::new(count, OUT_BYTES + control_bytes + payload_bytes);
        // SAFETY: the entries are page-aligned, hold `count` entries, and outlive the ring: fields
        // are dropped in order of declaration.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                buffers.entries.as_ptr() as u64,
                count,
                GROUP,
                0,
            )
        }?;
        let has_min_wait = ring.params().is_feature_min_timeout();
        let fd = Fd(socket.as_raw_fd());
        Ok(Self { ring, buffers, header, fd, is_armed: false, has_min_wait })
    }

    /// Waits for completions: for one when `batch_for` is zero; otherwise for as many as there are
    /// buffers during `batch_for` and for one after that. Gives up after `timeout`.
    pub(crate) fn wait(&mut self, batch_for: Duration, timeout: Duration) -> io::Result<()> {
        if !self.is_armed {
            let request =
                opcode::RecvMsgMulti::new(self.fd, &raw const *self.header, GROUP).build();
            // SAFETY: the header lives in a box owned by `self`, and the socket is open for as long
            // as the ring, which the caller borrows it for.
            unsafe { self.ring.submission().push(&request) }
                .map_err(|_| io::Error::other("the submission queue is full"))?;
            self.is_armed = true;
        }
        let timeout = Timespec::from(timeout);
        let mut arguments = SubmitArgs::new().timespec(&timeout);
        let mut want = 1;
        if !batch_for.is_zero() {
            if !self.has_min_wait {
                return Err(io::Error::other("io_uring has no minimum wait before Linux 6.12"));
            }
            want = usize::from(self.buffers.count);
            arguments =
                arguments.min_wait_usec(u32::try_from(batch_for.as_micros()).unwrap_or(u32::MAX));
        }
        match self.ring.submitter().submit_with_args(want, &arguments) {
            Ok(_) => Ok(()),
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The next packet that has arrived, if any. Its buffer goes back with [`Self::give_back`].
    pub(crate) fn next_packet(&mut self) -> io::Result<Option<RingPacket>> {
        loop {
            let Some(entry) = self.ring.completion().next() else { return Ok(None) };
            if !cqueue::more(entry.flags()) {
                self.is_armed = false;
            }
            let length = match entry.result() {
                error if error < 0 && -error == libc::ENOBUFS => continue,
                error if error < 0 => return Err(io::Error::from_raw_os_error(-error)),
                length => usize::try_from(length).unwrap_or(0),
            };
            let Some(id) = cqueue::buffer_select(entry.flags()) else { continue };
            let packet = {
                let buffer = self.buffers.filled(id, length);
                let out = RecvMsgOut::parse(buffer, &self.header)
                    .map_err(|()| io::Error::other("a completion is shorter than its header"))?;
                RingPacket {
                    bytes: out.payload_data().len(),
                    segment_bytes: segment_bytes(out.control_data()),
                    is_truncated: out.is_payload_truncated(),
                }
            };
            self.buffers.provide(id);
            return Ok(Some(packet));
        }
    }

    /// Hands all buffers of the packets read so far back to the kernel.
    pub(crate) fn give_back(&mut self) {
        self.buffers.publish();
    }
}

impl Drop for RecvRing {
    /// Takes the request back before the memory that it writes to goes away.
    fn drop(&mut self) {
        let cancelled =
            self.ring.submitter().register_sync_cancel(None, CancelBuilder::any()).is_ok();
        debug_assert!(cancelled || !self.is_armed, "a request that is armed can be cancelled");
    }
}

fn build(completions: u32) -> io::Result<IoUring> {
    IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(completions.max(8))
        .build(8)
}

/// Buffers and the ring of entries that offers them to the kernel.
struct ProvidedBuffers {
    entries: NonNull<BufRingEntry>,
    layout: Layout,
    memory: Vec<u8>,
    buffer_bytes: usize,
    count: u16,
    tail: u16,
}

impl ProvidedBuffers {
    /// `count` is a power of two.
    fn new(count: u16, buffer_bytes: usize) -> Self {
        let bytes = usize::from(count) * size_of::<BufRingEntry>();
        let layout = Layout::from_size_align(bytes, PAGE_BYTES).unwrap_or(Layout::new::<u128>());
        // SAFETY: the layout is not empty: `count` is at least 1.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(entries) = NonNull::new(memory.cast()) else { handle_alloc_error(layout) };
        let mut buffers = Self {
            entries,
            layout,
            // Not zero, so that the pages are written to and exist before the first packet.
            memory: vec![1; usize::from(count) * buffer_bytes],
            buffer_bytes,
            count,
            tail: 0,
        };
        (0..count).for_each(|id| buffers.provide(id));
        buffers.publish();
        buffers
    }

    /// The part of a buffer that the kernel filled.
    fn filled(&self, id: u16, length: usize) -> &[u8] {
        let start = usize::from(id) * self.buffer_bytes;
        &self.memory[start..start + length.min(self.buffer_bytes)]
    }

    /// Queues a buffer for the kernel; it sees it after [`Self::publish`].
    fn provide(&mut self, id: u16) {
        let start = usize::from(id) * self.buffer_bytes;
        let address = self.memory[start..].as_mut_ptr() as u64;
        // SAFETY: `entries` has `count` initialised entries, and the kernel does not read those
        // beyond the published tail.
        let entries =
            unsafe { slice::from_raw_parts_mut(self.entries.as_ptr(), usize::from(self.count)) };
        let entry = &mut entries[usize::from(self.tail & (self.count - 1))];
        entry.set_addr(address);
        entry.set_len(u32::try_from(self.buffer_bytes).unwrap_or(u32::MAX));
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    fn publish(&mut self) {
        // SAFETY: `entries` points to the first of the initialised entries.
        let tail = unsafe { BufRingEntry::tail(self.entries.as_ptr()) };
        // SAFETY: the tail is two aligned bytes inside the entries, shared with the kernel, which
        // reads it atomically.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }
}

impl Drop for ProvidedBuffers {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `new`, freed once.
        unsafe { dealloc(self.entries.as_ptr().cast(), self.layout) };
    }
}

const GROUP: u16 = 0;
/// `struct io_uring_recvmsg_out`.
const OUT_BYTES: usize = 16;
const PAGE_BYTES: usize = 4_096;

#[cfg(test)]
const _: () = assert!(size_of::<BufRingEntry>() == 16);
