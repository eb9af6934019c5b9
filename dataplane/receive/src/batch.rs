//! A slab of packets and the headers through which the kernel fills it.

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Credentials of a sender, as the kernel attached them (`SCM_CREDENTIALS`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerCredentials {
    /// Process; 0 when it is not visible in our namespace.
    pub pid: i32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// One packet of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Its bytes, at most the maximum of the batch.
    pub bytes: &'a [u8],
    /// Who sent it, where asked for and known.
    pub peer: Option<PeerCredentials>,
    /// When the kernel received it, in microseconds of Unix time; 0 when not asked for.
    pub stamp_us: u64,
    /// Whether it was longer than the maximum and lost its end.
    pub is_truncated: bool,
}

/// Preallocated room for one read of many datagrams.
///
/// Vectors that never grow, not boxes: to move a box is to say that nothing else points into it.
pub struct Batch {
    slab: Vec<u8>,
    slot_bytes: usize,
    packet_bytes_max: usize,
    controls: Vec<Control>,
    slices: Vec<libc::iovec>,
    headers: Vec<libc::mmsghdr>,
    filled: usize,
}

/// Room for the control messages of one datagram: credentials, receive time, segment size.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL_BYTES as usize]);

/// Of that type on its way into headers, whose lengths differ in type between C libraries.
const CONTROL_BYTES: u32 = 96;

// SAFETY: the raw pointers in `slices` and `headers` point into `slab`, `slices` and `controls`,
// heap allocations that this value owns, never shares and never moves.
unsafe impl Send for Batch {}

impl Batch {
    /// Room for `slots` reads of `slot_bytes` each, for packets of at most `packet_bytes_max`.
    ///
    /// # Panics
    /// When a size is 0.
    #[must_use]
    pub fn new(slots: usize, slot_bytes: usize, packet_bytes_max: usize) -> Self {
        assert!(slots > 0 && slot_bytes > 0 && packet_bytes_max > 0, "a batch has room");
        let mut slab = vec![0u8; slots * slot_bytes];
        let mut controls = vec![Control([0; CONTROL_BYTES as usize]); slots];
        let mut slices: Vec<libc::iovec> = slab
            .chunks_exact_mut(slot_bytes)
            .map(|slot| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() })
            .collect();
        let headers = slices
            .iter_mut()
            .zip(controls.iter_mut())
            .map(|(slice, control)| {
                // SAFETY: all-zero bytes are a valid msghdr: null pointers and zero lengths.
                let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
                header.msg_iov = std::ptr::from_mut(slice);
                header.msg_iovlen = 1;
                header.msg_control = control.0.as_mut_ptr().cast();
                libc::mmsghdr { msg_hdr: header, msg_len: 0 }
            })
            .collect();
        Self { slab, slot_bytes, packet_bytes_max, controls, slices, headers, filled: 0 }
    }

    /// Slots.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.headers.len()
    }

    /// Slots that the last read filled.
    #[must_use]
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// Whether the last read filled every slot: there is probably more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.filled == self.headers.len()
    }

    /// Reads what is there, at most one batch, without waiting. Returns the slots filled.
    ///
    /// # Errors
    /// What `recvmmsg` reports, except that nothing to read is 0.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, has_control: bool) -> io::Result<usize> {
        let control_bytes = if has_control { CONTROL_BYTES } else { 0 };
        for header in &mut self.headers[..] {
            header.msg_hdr.msg_controllen = control_bytes as _;
        }
        let slots = u32::try_from(self.headers.len()).unwrap_or(u32::MAX);
        // SAFETY: `headers` are `slots` valid headers whose pointers lead to memory that `self`
        // owns and borrows mutably for the call; the socket is open for the length of the borrow.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                slots,
                // The flag's type differs between C libraries.
                #[allow(
                    clippy::allow_attributes,
                    clippy::useless_conversion,
                    reason = "needed on musl only"
                )]
                libc::MSG_DONTWAIT.try_into().unwrap_or_default(),
                std::ptr::null_mut(),
            )
        };
        self.filled = usize::try_from(received).unwrap_or(0);
        if received >= 0 {
            return Ok(self.filled);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR) => Ok(0),
            _ => Err(error),
        }
    }

    /// Takes packets with their receive times that come from no socket, as far as there are slots.
    /// Returns the slots filled.
    pub fn fill<'a>(&mut self, packets: impl IntoIterator<Item = (&'a [u8], u64)>) -> usize {
        self.filled = 0;
        let slots = self.slab.chunks_exact_mut(self.slot_bytes).zip(&mut self.headers[..]);
        for ((packet, stamp_us), (slot, header)) in packets.into_iter().zip(slots) {
            let bytes = packet.len().min(slot.len());
            slot[..bytes].copy_from_slice(&packet[..bytes]);
            header.msg_len = u32::try_from(bytes).unwrap_or(u32::MAX);
            header.msg_hdr.msg_flags = if bytes < packet.len() { libc::MSG_TRUNC } else { 0 };
            put_stamp(&mut header.msg_hdr, stamp_us);
            self.filled += 1;
        }
        self.filled
    }

    /// The packets of the last read.
    pub fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        self.headers[..self.filled].iter().zip(self.slab.chunks_exact(self.slot_bytes)).flat_map(
            move |(header, slot)| {
                let ancillary = Ancillary::read(&header.msg_hdr);
                let bytes = &slot[..slot.len().min(header.msg_len as usize)];
                // Datagrams coalesced by the kernel are all of one size, the last may be shorter.
                let segment_bytes = ancillary.segment_bytes.unwrap_or(bytes.len()).max(1);
                let is_cut = header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0;
                let segments =
                    if bytes.is_empty() { 0 } else { bytes.len().div_ceil(segment_bytes) };
                bytes.chunks(segment_bytes).enumerate().map(move |(index, segment)| Packet {
                    bytes: &segment[..segment.len().min(self.packet_bytes_max)],
                    peer: ancillary.peer,
                    stamp_us: ancillary.stamp_us,
                    is_truncated: segment.len() > self.packet_bytes_max
                        || is_cut && index + 1 == segments,
                })
            },
        )
    }

    /// Heap bytes mapped.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.slab.len()
            + size_of_val(&*self.controls)
            + size_of_val(&*self.slices)
            + size_of_val(&*self.headers)
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("slots", &self.slots())
            .field("slot_bytes", &self.slot_bytes)
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

/// Writes a receive time as the kernel attaches it.
fn put_stamp(header: &mut libc::msghdr, stamp_us: u64) {
    // SAFETY: all-zero bytes are a valid message head and a valid time.
    let (mut message, mut time): (libc::cmsghdr, libc::timespec) = unsafe { std::mem::zeroed() };
    let time_bytes = u32::try_from(size_of_val(&time)).unwrap_or(0);
    time.tv_sec = (stamp_us / 1_000_000).try_into().unwrap_or_default();
    time.tv_nsec = libc::c_long::try_from(stamp_us % 1_000_000 * 1000).unwrap_or(0);
    message.cmsg_level = libc::SOL_SOCKET;
    message.cmsg_type = libc::SCM_TIMESTAMPNS;
    // SAFETY: it only computes.
    message.cmsg_len = unsafe { libc::CMSG_LEN(time_bytes) } as _;
    // SAFETY: it only computes.
    header.msg_controllen = unsafe { libc::CMSG_SPACE(time_bytes) } as _;
    let at = header.msg_control.cast::<libc::cmsghdr>();
    // SAFETY: the batch that owns the header gave it room for more than one message, aligned.
    unsafe { at.write(message) };
    // SAFETY: as above.
    let data = unsafe { libc::CMSG_DATA(at) };
    // SAFETY: the data follows the head, within the room.
    unsafe { data.cast::<libc::timespec>().write_unaligned(time) };
}

/// What came with a datagram.
#[derive(Clone, Copy, Debug, Default)]
struct Ancillary {
    peer: Option<PeerCredentials>,
    stamp_us: u64,
    segment_bytes: Option<usize>,
}

impl Ancillary {
    #[inline]
    fn read(header: &libc::msghdr) -> Self {
        let mut found = Self::default();
        if header.msg_controllen == 0 {
            return found;
        }
        // SAFETY: the kernel filled `msg_control` up to `msg_controllen`, and the batch that owns
        // the memory is borrowed.
        let mut at = unsafe { libc::CMSG_FIRSTHDR(header) };
        while !at.is_null() {
            // SAFETY: not null, and within the control buffer by the contract of the iteration.
            let message = unsafe { at.read_unaligned() };
            // SAFETY: as above; the data follows the header.
            let data = unsafe { libc::CMSG_DATA(at) };
            match (message.cmsg_level, message.cmsg_type) {
                (libc::SOL_SOCKET, libc::SCM_CREDENTIALS) => {
                    // SAFETY: a message of this type carries a ucred.
                    let peer = unsafe { data.cast::<libc::ucred>().read_unaligned() };
                    found.peer =
                        Some(PeerCredentials { pid: peer.pid, uid: peer.uid, gid: peer.gid });
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    // SAFETY: a message of this type carries a timespec.
                    let time = unsafe { data.cast::<libc::timespec>().read_unaligned() };
                    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
                    let nanos = u64::try_from(time.tv_nsec).unwrap_or(0);
                    found.stamp_us = secs.saturating_mul(1_000_000).saturating_add(nanos / 1000);
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    // SAFETY: a message of this type carries an int.
                    let bytes = unsafe { data.cast::<libc::c_int>().read_unaligned() };
                    found.segment_bytes = usize::try_from(bytes).ok().filter(|&n| n > 0);
                }
                _ => {}
            }
            // SAFETY: `at` came from this header and is not null.
            at = unsafe { libc::CMSG_NXTHDR(header, at) };
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs under Miri too: what the kernel fills is filled by hand.
    #[test]
    fn packets_come_with_their_time_and_their_cut() {
        let mut batch = Batch::new(2, 8, 6);
        let sent: [(&[u8], u64); 3] = [(b"a:1|c", 5), (b"b:2|c|#long", 7), (b"c", 9)];
        assert_eq!((batch.fill(sent), batch.is_full()), (2, true));
        let packets: Vec<_> = batch.packets().collect();
        assert_eq!((packets[0].bytes, packets[0].stamp_us), (b"a:1|c".as_slice(), 5));
        assert_eq!((packets[1].bytes, packets[1].stamp_us), (b"b:2|c|".as_slice(), 7));
        assert!(!packets[0].is_truncated && packets[1].is_truncated);
        assert!(packets.iter().all(|packet| packet.peer.is_none()));
    }

    #[test]
    fn a_batch_can_move_and_be_filled_again() {
        let mut batch = Batch::new(2, 8, 8);
        batch.fill([(b"first".as_slice(), 1)]);
        let mut moved = std::mem::replace(&mut batch, Batch::new(1, 8, 8));
        let read = |batch: &Batch| -> Vec<(Vec<u8>, u64)> {
            batch.packets().map(|packet| (packet.bytes.to_vec(), packet.stamp_us)).collect()
        };
        assert_eq!(read(&moved), [(b"first".to_vec(), 1)]);
        moved.fill([(b"second".as_slice(), 2_000_003), (b"third".as_slice(), 0)]);
        let boxed = Box::new(moved);
        assert_eq!(read(&boxed), [(b"second".to_vec(), 2_000_003), (b"third".to_vec(), 0)]);
        assert_eq!(batch.fill(std::iter::empty()), 0);
        assert!(read(&batch).is_empty());
    }
}
