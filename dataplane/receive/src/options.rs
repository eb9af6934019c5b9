//! What a socket is asked for.

/// Options of a socket.
#[derive(Clone, Copy, Debug)]
pub struct SocketOptions {
    /// Wished receive buffer in bytes, 0 for the kernel's default. Beyond `rmem_max` only with
    /// `CAP_NET_ADMIN`; what the kernel granted is in [`crate::DatagramSocket::buffer_bytes`].
    pub receive_buffer_bytes: usize,
    /// Wished length of the queue of a Unix datagram socket, in packets; 0 for the system's. What
    /// it is in the end is in [`crate::DatagramSocket::queue_packets`].
    pub queue_packets: usize,
    /// Whether credentials of the sender are asked for (`SO_PASSCRED`, Unix sockets only).
    pub has_credentials: bool,
    /// Whether the kernel's receive time is asked for. Lanes that share a stream of datagrams need
    /// it to know the latest value of a gauge.
    pub has_timestamps: bool,
    /// Longest packet in bytes (`dogstatsd_buffer_size`).
    pub packet_bytes_max: usize,
}

/// How datagrams are distributed over the UDP sockets of the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpSpread {
    /// Each datagram to a random lane, by a program attached to the group of sockets: a few heavy
    /// senders still load all lanes.
    Random,
    /// All datagrams of a sender's socket to one lane, as the kernel does by itself.
    Flow,
}
