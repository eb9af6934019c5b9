//! Ports that belong to one test.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// A port that no other test bed on this machine uses as long as the lease lives.
///
/// The lanes of an agent share ports (`SO_REUSEPORT`), so that two agents on one port would not
/// notice each other. The port of the same number in the other protocol is exclusive and serves as
/// the lock.
#[derive(Debug)]
pub struct PortLease {
    port: u16,
    _lock: Lock,
}

/// Held, never used.
#[derive(Debug)]
enum Lock {
    Tcp { _listener: TcpListener },
    Udp { _socket: UdpSocket },
}

/// Ports below those that systems give to outgoing connections, which would block a listener.
const TCP_PORTS: std::ops::Range<u16> = 12_000..32_000;

impl PortLease {
    /// Takes a free UDP port.
    #[must_use]
    pub fn take() -> Self {
        let lease = (0..100).find_map(|_| {
            let lock = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
            let port = lock.local_addr().ok()?.port();
            let _free_now = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
            Some(Self { port, _lock: Lock::Tcp { _listener: lock } })
        });
        lease.expect("a number that is free on TCP and UDP")
    }

    /// Takes a free TCP port.
    #[must_use]
    pub fn take_tcp() -> Self {
        static TAKEN: AtomicU16 = AtomicU16::new(0);
        let count = TCP_PORTS.end - TCP_PORTS.start;
        let start = u16::try_from(std::process::id() % u32::from(count)).unwrap_or_default();
        let lease = (0..1000).find_map(|_| {
            let offset = start.wrapping_add(TAKEN.fetch_add(1, Ordering::Relaxed)) % count;
            let port = TCP_PORTS.start + offset;
            let lock = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
            let _free_now = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
            Some(Self { port, _lock: Lock::Udp { _socket: lock } })
        });
        lease.expect("a number that is free on TCP and UDP")
    }

    /// The number.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}
