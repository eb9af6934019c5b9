//! Raw senders: packets exactly as written.

use std::io::Write as _;
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixStream};

use serde::Serialize;

use crate::Agent;

/// How packets travel. Names are those of the listeners in `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// UDP.
    Udp,
    /// Unix datagram socket.
    Uds,
    /// Unix stream socket with a length before each packet.
    UdsStream,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Uds, Self::UdsStream];
}

/// A connected socket.
#[derive(Debug)]
pub enum Sender {
    /// UDP.
    Udp(UdpSocket),
    /// Unix datagram.
    Uds(UnixDatagram),
    /// Unix stream.
    UdsStream(UnixStream),
}

impl Sender {
    /// Connects to an agent.
    ///
    /// # Panics
    /// When nobody listens.
    #[must_use]
    pub fn connect(agent: &Agent, transport: Transport) -> Self {
        let address = agent.address(transport);
        match transport {
            Transport::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").expect("a local UDP socket");
                socket.connect(address).expect("an address");
                Self::Udp(socket)
            }
            Transport::Uds => {
                let socket = UnixDatagram::unbound().expect("a Unix socket");
                socket.connect(address).expect("a listening agent");
                Self::Uds(socket)
            }
            Transport::UdsStream => {
                Self::UdsStream(UnixStream::connect(address).expect("a listening agent"))
            }
        }
    }

    /// Sends one packet. Unix sockets wait while the agent is busy; UDP may drop.
    ///
    /// # Panics
    /// When the agent is gone.
    pub fn send(&mut self, packet: impl AsRef<[u8]>) {
        let packet = packet.as_ref();
        match self {
            Self::Udp(socket) => {
                socket.send(packet).map(drop).expect("a listening agent");
            }
            Self::Uds(socket) => {
                socket.send(packet).map(drop).expect("a listening agent");
            }
            Self::UdsStream(stream) => {
                let length = u32::try_from(packet.len()).expect("a packet is far below 4 GiB");
                let mut frame = length.to_le_bytes().to_vec();
                frame.extend_from_slice(packet);
                stream.write_all(&frame).expect("a listening agent");
            }
        }
    }
}
