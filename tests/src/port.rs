//! UDP ports that belong to one test.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

/// A UDP port that no other test bed on this machine uses as long as the lease lives.
///
/// Agents share UDP ports (`SO_REUSEPORT`), so that two of them on one port would not notice each
/// other. The TCP port of the same number is exclusive and serves as the lock.
#[derive(Debug)]
pub struct PortLease {
    port: u16,
    _lock: TcpListener,
}

impl PortLease {
    /// Takes a free port.
    #[must_use]
    pub fn take() -> Self {
        let lease = (0..100).find_map(|_| {
            let lock = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
            let port = lock.local_addr().ok()?.port();
            let _free_now = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
            Some(Self { port, _lock: lock })
        });
        lease.expect("a number that is free on TCP and UDP")
    }

    /// The number.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}
