//! UDP sockets of the lanes, one group on one port.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use crate::datagram::set_option;
use crate::{BindError, DatagramSocket, SocketOptions, UdpSpread};

pub(crate) fn bind(
    address: SocketAddr,
    lanes: usize,
    spread: UdpSpread,
    options: &SocketOptions,
) -> Result<Vec<DatagramSocket>, BindError> {
    let explain = |source: io::Error| {
        if source.kind() == io::ErrorKind::AddrInUse {
            BindError::AddressInUse(address)
        } else {
            BindError::Address { address, source }
        }
    };
    // A group would let us join the port of another agent of the same user, and share its packets:
    // the port must be free before it is shared among our own lanes.
    drop(open(address, false).map_err(explain)?);

    let mut bound = address;
    let mut sockets = Vec::with_capacity(lanes);
    for _ in 0..lanes.max(1) {
        let socket = open(bound, lanes > 1).map_err(explain)?;
        if let Some(local) = socket.local_addr().map_err(explain)?.as_socket() {
            // Port 0 is chosen once, for all lanes.
            bound = local;
        }
        sockets.push(socket);
    }
    let is_random = lanes > 1
        && spread == UdpSpread::Random
        && sockets.first().is_some_and(|socket| spread_randomly(socket, lanes).is_ok());
    sockets
        .into_iter()
        .map(|socket| DatagramSocket::new_udp(socket, options, !is_random).map_err(explain))
        .collect()
}

fn open(address: SocketAddr, is_shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None)?;
    if is_shared {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        // `[::]` takes IPv4 too, as the reference does.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Attaches a classic BPF program to the group: `return random() % lanes`, the index of a socket.
fn spread_randomly(socket: &Socket, lanes: usize) -> io::Result<()> {
    let lanes = u32::try_from(lanes).map_err(io::Error::other)?;
    // linux/filter.h: ancillary loads start at SKF_AD_OFF, a random number is the 56th.
    const SKF_AD_OFF: i32 = -0x1000;
    const SKF_AD_RANDOM: i32 = 56;
    /// "The value to return is the accumulator."
    const BPF_A: u32 = 0x10;
    let code = |code: u32| u16::try_from(code).map_err(io::Error::other);
    let mut program = [
        libc::sock_filter {
            code: code(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS)?,
            jt: 0,
            jf: 0,
            k: (SKF_AD_OFF + SKF_AD_RANDOM).cast_unsigned(),
        },
        libc::sock_filter {
            code: code(libc::BPF_ALU | libc::BPF_MOD | libc::BPF_K)?,
            jt: 0,
            jf: 0,
            k: lanes,
        },
        libc::sock_filter { code: code(libc::BPF_RET | BPF_A)?, jt: 0, jf: 0, k: 0 },
    ];
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    set_option(socket, libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF, program)
}
