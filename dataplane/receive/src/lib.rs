//! Sockets and their queues, read in batches. All socket `unsafe` of the data plane lives here.
//!
//! ```text
//! udp::bind, unixgram::bind --> DatagramSocket --receive--> Batch --packets--> lane
//! unixstream::bind ----------> StreamListener --accept---> Connection{Framer} --> lane
//! http: bind_tcp, bind_unix, adopt --> HttpListener --accept---> HttpStream --> server
//! ```
//!
//! Nothing here waits: a driver decides when to read. A [`Batch`] is allocated once and reused, so
//! that a datagram costs its share of one `recvmmsg` and no allocation. It can be handed to another
//! lane whole.
//!
//! Sizes: a batch of 64 slots maps 64 x 8 KiB for Unix datagrams and 64 x 64 KiB for UDP, where one
//! slot may hold many datagrams coalesced by the kernel (`UDP_GRO`); only touched pages count.
//!
//! Invariants: truncation by the kernel is reported with the packet it hit; a path that is not a
//! socket is never removed; a socket file is removed at drop only while it is still ours.
//! spec: dogstatsd §2, apm §1.

mod batch;
mod bind_error;
mod datagram;
mod framer;
mod http;
mod options;
mod path;
mod poller;
mod queue;
mod stream;
mod udp;

pub use batch::{Batch, Packet, PeerCredentials};
pub use bind_error::BindError;
pub use datagram::DatagramSocket;
pub use framer::{FrameTooLong, Framer, check_stream_bytes};
pub use http::{HttpListener, HttpStream, Peer, listen_addresses};
pub use options::{SocketOptions, UdpSpread};
pub use path::SocketFile;
pub use poller::{Poller, Ready, probe_io_uring};
pub use stream::{Connection, ReadOutcome, StreamListener};

/// Binds UDP sockets, one per lane. See [`UdpSpread`] for how the kernel chooses among them.
///
/// # Errors
/// When the first socket cannot be bound. A kernel without `SO_ATTACH_REUSEPORT_CBPF` keeps its own
/// distribution by flow, which [`DatagramSocket::is_spread_by_flow`] tells.
pub fn bind_udp(
    address: std::net::SocketAddr,
    lanes: usize,
    spread: UdpSpread,
    options: &SocketOptions,
) -> Result<Vec<DatagramSocket>, BindError> {
    udp::bind(address, lanes, spread, options)
}

/// Binds the Unix datagram socket. spec: dogstatsd §2.3.
///
/// # Errors
/// When the path is in use by something that is not a socket, cannot be created, or the options are
/// refused.
pub fn bind_unixgram(
    path: &std::path::Path,
    options: &SocketOptions,
) -> Result<(DatagramSocket, SocketFile), BindError> {
    datagram::bind_unix(path, options, path::MODE)
}

/// The same with rights of the caller's choice.
///
/// # Errors
/// As [`bind_unixgram`].
pub fn bind_unixgram_with_mode(
    path: &std::path::Path,
    options: &SocketOptions,
    mode: u32,
) -> Result<(DatagramSocket, SocketFile), BindError> {
    datagram::bind_unix(path, options, mode)
}

/// Binds the Unix stream socket. spec: dogstatsd §2.4.
///
/// # Errors
/// As [`bind_unixgram`].
pub fn bind_unixstream(
    path: &std::path::Path,
    options: &SocketOptions,
) -> Result<(StreamListener, SocketFile), BindError> {
    stream::bind(path, options)
}
