//! One socket of the generator.

use std::io::{self, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{Domain, SockAddr, Socket, Type};

use super::{LoadError, SEND_TIMEOUT};
use crate::sys::{self, SendHeaders};
use crate::{LoadSpec, Pool, Transport};

/// What became of a burst.
pub(super) enum Outcome {
    /// So many packets went out.
    Sent(usize),
    /// The socket is full and nobody waits for it.
    Full,
    /// The receiver kept the sender waiting; try again.
    Waiting,
    /// The UDP port was closed when an earlier packet arrived.
    Refused,
    /// So many packets went out whole, and nothing more can be sent.
    Ended {
        /// Whole packets.
        packets: usize,
        /// Whether a further frame went out in part.
        is_cut: bool,
        /// What the kernel said, unless the sender gave up by itself.
        failure: Option<io::Error>,
    },
}

/// A connected socket.
pub(super) enum Sender {
    /// UDP or Unix datagrams.
    Datagram {
        socket: OwnedFd,
        headers: SendHeaders,
        is_nonblocking: bool,
        is_udp: bool,
        /// Packets in one message: more than 1 with segmentation offload.
        packets_per_message: usize,
    },
    /// Frames behind their length.
    Stream(UnixStream),
}

impl Sender {
    pub(super) fn open(spec: &LoadSpec) -> Result<Self, LoadError> {
        let connect = |socket: io::Result<Socket>| socket.map_err(|source| refused(spec, source));
        let mut packets_per_message = 1;
        let socket = match spec.transport {
            Transport::Udp => {
                let address = resolve(&spec.destination)?;
                let domain = if address.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
                let socket = connect(open(domain, Type::DGRAM, &address.into()))?;
                if spec.is_segmented {
                    packets_per_message = (MESSAGE_BYTES_MAX / spec.packet_bytes()).max(1) as usize;
                    let bytes = libc::c_int::try_from(spec.packet_bytes()).unwrap_or(0);
                    sys::set_option(socket.as_fd(), libc::SOL_UDP, libc::UDP_SEGMENT, bytes)
                        .map_err(|source| refused(spec, source))?;
                }
                socket
            }
            Transport::UdsDatagram | Transport::UdsStream => {
                let kind =
                    if spec.transport == Transport::UdsStream { Type::STREAM } else { Type::DGRAM };
                let address = SockAddr::unix(&spec.destination);
                connect(address.and_then(|address| open(Domain::UNIX, kind, &address)))?
            }
        };
        if spec.transport == Transport::UdsStream {
            return Ok(Self::Stream(UnixStream::from(OwnedFd::from(socket))));
        }
        Ok(Self::Datagram {
            socket: socket.into(),
            headers: SendHeaders::new(spec.batch as usize),
            is_nonblocking: spec.is_nonblocking,
            is_udp: spec.transport == Transport::Udp,
            packets_per_message,
        })
    }

    /// Sends up to `burst` packets from `cursor` on.
    pub(super) fn send(
        &mut self,
        pool: &Pool,
        cursor: usize,
        burst: usize,
        stop: &AtomicBool,
    ) -> Outcome {
        match self {
            Self::Datagram { socket, headers, is_nonblocking, is_udp, packets_per_message } => {
                let per_message = *packets_per_message;
                let messages = (0..burst)
                    .step_by(per_message)
                    .map(|offset| pool.wire(cursor + offset, per_message.min(burst - offset)));
                let sent = sys::send_batch(socket.as_fd(), headers, messages, *is_nonblocking);
                match sent {
                    Ok(messages) => Outcome::Sent((messages * per_message).min(burst)),
                    Err(error) => Outcome::of_error(error, *is_nonblocking, *is_udp),
                }
            }
            Self::Stream(stream) => send_frames(stream, pool, cursor, burst, stop),
        }
    }
}

impl Outcome {
    fn of_error(error: io::Error, is_nonblocking: bool, is_udp: bool) -> Self {
        // A full Unix queue and a send buffer without room both say "would block".
        let is_full = error.kind() == io::ErrorKind::WouldBlock;
        if is_full && is_nonblocking {
            Self::Full
        } else if is_full || error.kind() == io::ErrorKind::Interrupted {
            Self::Waiting
        } else if is_udp && error.kind() == io::ErrorKind::ConnectionRefused {
            Self::Refused
        } else {
            Self::Ended { packets: 0, is_cut: false, failure: Some(error) }
        }
    }
}

/// Writes whole frames; gives up inside one only when stopped and the receiver does not read.
fn send_frames(
    stream: &mut UnixStream,
    pool: &Pool,
    cursor: usize,
    burst: usize,
    stop: &AtomicBool,
) -> Outcome {
    let mut rest = pool.wire(cursor, burst);
    let whole = rest.len();
    let mut waits_after_stop = 0;
    while !rest.is_empty() {
        match stream.write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                waits_after_stop += u32::from(stop.load(Ordering::Relaxed));
                if waits_after_stop > WAITS_AFTER_STOP_MAX {
                    return ended(pool, cursor, whole - rest.len(), None);
                }
            }
            Err(error) => return ended(pool, cursor, whole - rest.len(), Some(error)),
        }
    }
    Outcome::Sent(burst)
}

/// The end of a stream after `written` bytes of the packets from `cursor` on.
fn ended(pool: &Pool, cursor: usize, written: usize, failure: Option<io::Error>) -> Outcome {
    let mut packets = 0;
    while pool.wire(cursor, packets + 1).len() <= written {
        packets += 1;
    }
    let whole = if packets == 0 { 0 } else { pool.wire(cursor, packets).len() };
    Outcome::Ended { packets, is_cut: whole < written, failure }
}

fn refused(spec: &LoadSpec, source: io::Error) -> LoadError {
    LoadError::Connect { destination: spec.destination.clone(), source }
}

fn open(domain: Domain, kind: Type, address: &SockAddr) -> io::Result<Socket> {
    let socket = Socket::new(domain, kind, None)?;
    socket.connect(address)?;
    socket.set_write_timeout(Some(SEND_TIMEOUT))?;
    // A larger buffer is a help and not a need; the kernel caps what it refuses.
    let _is_larger = socket.set_send_buffer_size(SEND_BUFFER_BYTES).is_ok();
    Ok(socket)
}

fn resolve(destination: &str) -> Result<SocketAddr, LoadError> {
    let bad = || LoadError::Address(destination.into());
    destination.to_socket_addrs().map_err(|_| bad())?.next().ok_or_else(bad)
}

/// Largest payload of one UDP message.
const MESSAGE_BYTES_MAX: u32 = 65_507;
const SEND_BUFFER_BYTES: usize = 1 << 20;
const WAITS_AFTER_STOP_MAX: u32 = 10;
