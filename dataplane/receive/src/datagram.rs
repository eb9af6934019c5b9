//! A datagram socket, UDP or Unix.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use socket2::{Socket, Type};

use crate::path::{SocketFile, bind_at, unix_socket};
use crate::queue::make_with_queue;
use crate::{Batch, BindError, SocketOptions};

/// A bound datagram socket. Reads ask not to wait one by one: a socket that never waits could not
/// be waited for by io_uring.
#[derive(Debug)]
pub struct DatagramSocket {
    fd: OwnedFd,
    address: Option<std::net::SocketAddr>,
    slot_bytes: usize,
    packet_bytes_max: usize,
    has_control: bool,
    is_spread_by_flow: bool,
    queue_packets: Option<usize>,
}

/// With `UDP_GRO` one read may return as much as a UDP datagram can hold.
const COALESCED_BYTES_MAX: usize = 65_536;

impl DatagramSocket {
    pub(crate) fn new_udp(
        socket: Socket,
        options: &SocketOptions,
        is_spread_by_flow: bool,
    ) -> io::Result<Self> {
        set_receive_buffer(&socket, options.receive_buffer_bytes)?;
        let is_coalesced = set_flag(&socket, libc::SOL_UDP, libc::UDP_GRO).is_ok();
        if options.has_timestamps {
            set_flag(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)?;
        }
        let slot_bytes = if is_coalesced { COALESCED_BYTES_MAX } else { options.packet_bytes_max };
        Ok(Self {
            address: socket.local_addr()?.as_socket(),
            fd: socket.into(),
            slot_bytes: slot_bytes.max(options.packet_bytes_max),
            packet_bytes_max: options.packet_bytes_max,
            has_control: is_coalesced || options.has_timestamps,
            is_spread_by_flow,
            queue_packets: None,
        })
    }

    /// A batch of the shape that this socket fills.
    #[must_use]
    pub fn new_batch(&self, slots: usize) -> Batch {
        Batch::new(slots, self.slot_bytes, self.packet_bytes_max)
    }

    /// Reads at most one batch without waiting. Returns the slots filled.
    ///
    /// # Errors
    /// What the kernel reports; nothing to read is 0.
    #[inline]
    pub fn receive(&self, batch: &mut Batch) -> io::Result<usize> {
        batch.receive(self.fd.as_fd(), self.has_control)
    }

    /// Refuses what is sent from now on; what is queued can still be read. Only Unix senders learn
    /// of it: UDP has no way to tell them.
    pub fn refuse_more(&self) {
        // A UDP socket has no connection to shut down, and says so.
        socket2::SockRef::from(&self.fd).shutdown(std::net::Shutdown::Read).ok();
    }

    /// Address of a UDP socket.
    #[must_use]
    pub const fn address(&self) -> Option<std::net::SocketAddr> {
        self.address
    }

    /// Whether the kernel keeps each sender on one lane.
    #[must_use]
    pub const fn is_spread_by_flow(&self) -> bool {
        self.is_spread_by_flow
    }

    /// Receive buffer that the kernel granted, in bytes of its own accounting.
    #[must_use]
    pub fn buffer_bytes(&self) -> usize {
        memory_info(self.fd.as_fd()).map_or(0, |info| info[SK_MEMINFO_RCVBUF] as usize)
    }

    /// Datagrams that the queue holds, of a Unix socket: the kernel counts them rather than bytes.
    #[must_use]
    pub const fn queue_packets(&self) -> Option<usize> {
        self.queue_packets
    }

    /// Bytes waiting in the receive buffer, in the kernel's own accounting.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        memory_info(self.fd.as_fd()).map_or(0, |info| info[SK_MEMINFO_RMEM_ALLOC] as usize)
    }

    /// Datagrams that the kernel dropped since the socket was opened, modulo 2^32.
    #[must_use]
    pub fn kernel_drops(&self) -> u32 {
        memory_info(self.fd.as_fd()).map_or(0, |info| info[SK_MEMINFO_DROPS])
    }
}

impl AsFd for DatagramSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

pub(crate) fn bind_unix(
    path: &Path,
    options: &SocketOptions,
    mode: u32,
) -> Result<(DatagramSocket, SocketFile), BindError> {
    let mut queue_packets = 0;
    let make = || {
        let (socket, packets) =
            make_with_queue(options.queue_packets, || unix_socket(Type::DGRAM))?;
        queue_packets = packets;
        Ok(socket)
    };
    let (socket, file) = bind_at(path, make, mode)?;
    let configure = || -> io::Result<()> {
        set_receive_buffer(&socket, options.receive_buffer_bytes)?;
        if options.has_credentials {
            set_flag(&socket, libc::SOL_SOCKET, libc::SO_PASSCRED)?;
        }
        if options.has_timestamps {
            set_flag(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS)?;
        }
        Ok(())
    };
    configure().map_err(|source| BindError::Path { path: path.into(), source })?;
    let socket = DatagramSocket {
        fd: socket.into(),
        address: None,
        slot_bytes: options.packet_bytes_max,
        packet_bytes_max: options.packet_bytes_max,
        has_control: options.has_credentials || options.has_timestamps,
        is_spread_by_flow: false,
        queue_packets: Some(queue_packets),
    };
    Ok((socket, file))
}

/// Asks for a receive buffer, beyond the administrator's limit where we may.
pub(crate) fn set_receive_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    let wish = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    if set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, wish).is_ok() {
        return Ok(());
    }
    set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUF, wish)
}

pub(crate) fn set_flag(socket: &Socket, level: i32, name: i32) -> io::Result<()> {
    set_option(socket, level, name, 1)
}

pub(crate) fn set_option<T: Copy>(
    socket: &Socket,
    level: i32,
    name: i32,
    value: T,
) -> io::Result<()> {
    let bytes = libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0);
    // SAFETY: the socket is open, and `value` is `bytes` readable bytes for the length of the call.
    let status = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, std::ptr::from_ref(&value).cast(), bytes)
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Number of values that `SO_MEMINFO` returns, and the places of those we read (linux/sock_diag.h).
const SK_MEMINFO_VARS: usize = 9;
const SK_MEMINFO_RMEM_ALLOC: usize = 0;
const SK_MEMINFO_RCVBUF: usize = 1;
const SK_MEMINFO_DROPS: usize = 8;
const SO_MEMINFO: i32 = 55;

fn memory_info(socket: BorrowedFd<'_>) -> Option<[u32; SK_MEMINFO_VARS]> {
    let mut info = [0u32; SK_MEMINFO_VARS];
    let mut bytes = libc::socklen_t::try_from(size_of_val(&info)).ok()?;
    // SAFETY: `info` is `bytes` writable bytes, and both pointers live for the length of the call.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            info.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    };
    (status == 0).then_some(info)
}
