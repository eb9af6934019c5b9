//! Listeners and streams for HTTP, over TCP and Unix sockets. spec: apm §1.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, TcpKeepalive, Type};

use crate::path::{MODE, SocketFile, bind_at, unix_socket};
use crate::stream::peer_credentials;
use crate::{BindError, PeerCredentials};

/// Pending connections that the kernel keeps, as far as `net.core.somaxconn` allows.
const BACKLOG: i32 = 4096;
/// Silence after which a peer is asked whether it is still there, as Go's servers do.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Who is at the other end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A local process, where the kernel told which.
    Unix(Option<PeerCredentials>),
}

/// A bound listener that never waits.
#[derive(Debug)]
pub struct HttpListener {
    socket: Socket,
    address: Option<SocketAddr>,
}

/// An accepted stream that never waits.
#[derive(Debug)]
pub struct HttpStream {
    socket: Socket,
    peer: Peer,
}

/// Addresses that `host` stands for: both loopback addresses for `localhost`, whatever the
/// resolver says, since `127.0.0.1` and `[::1]` are what clients try.
///
/// # Errors
/// When a name cannot be resolved.
pub fn listen_addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, BindError> {
    if host == "localhost" {
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(loopback.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    let resolved = (host, port).to_socket_addrs();
    resolved.map(Iterator::collect).map_err(|source| BindError::Host { host: host.into(), source })
}

impl HttpListener {
    /// Listens on a TCP address with one socket for each lane, among which the kernel spreads
    /// connections (`SO_REUSEPORT`). Port 0 is chosen once, for all lanes.
    ///
    /// # Errors
    /// When the address is in use by another process or cannot be bound.
    pub fn bind_tcp(address: SocketAddr, lanes: usize) -> Result<Vec<Self>, BindError> {
        let explain = |source: io::Error| {
            if source.kind() == ErrorKind::AddrInUse {
                BindError::TcpAddressInUse(address)
            } else {
                BindError::TcpAddress { address, source }
            }
        };
        if lanes > 1 && address.port() != 0 {
            // A shared port would let us join another agent of the same user, and share its
            // clients: it must be free before it is shared among our own lanes.
            open_tcp(address, false).and_then(|probe| probe.listen(1)).map_err(explain)?;
        }
        let mut bound = address;
        let mut listeners = Vec::with_capacity(lanes);
        for _ in 0..lanes.max(1) {
            let socket = open_tcp(bound, lanes > 1).map_err(explain)?;
            socket.listen(BACKLOG).map_err(explain)?;
            if let Some(local) = socket.local_addr().map_err(explain)?.as_socket() {
                bound = local;
            }
            listeners.push(Self { socket, address: Some(bound) });
        }
        Ok(listeners)
    }

    /// Listens on a Unix socket with mode 0722. Lanes share it through [`Self::try_clone`].
    ///
    /// # Errors
    /// When the path is something else than a socket, is in use, or cannot be created.
    pub fn bind_unix(path: &Path) -> Result<(Self, SocketFile), BindError> {
        Self::bind_unix_with_mode(path, MODE)
    }

    /// The same with rights of the caller's choice.
    ///
    /// # Errors
    /// As [`Self::bind_unix`].
    pub fn bind_unix_with_mode(path: &Path, mode: u32) -> Result<(Self, SocketFile), BindError> {
        let (socket, file) = bind_at(path, || unix_socket(Type::STREAM), mode)?;
        let listen = || socket.set_nonblocking(true).and_then(|()| socket.listen(BACKLOG));
        listen().map_err(|source| BindError::Path { path: path.into(), source })?;
        Ok((Self { socket, address: None }, file))
    }

    /// Takes over a listener that whoever started us had opened, by its number. The descriptor
    /// itself stays open.
    ///
    /// # Errors
    /// When it is no listening stream socket.
    pub fn adopt(fd: RawFd) -> Result<Self, BindError> {
        let adopt = || -> io::Result<Self> {
            if fd < 0 {
                return Err(ErrorKind::InvalidInput.into());
            }
            // SAFETY: not negative; a number that is not open makes every call fail, and the
            // borrow ends with this function.
            let inherited = unsafe { BorrowedFd::borrow_raw(fd) };
            let socket = Socket::from(inherited.try_clone_to_owned()?);
            let is_stream = socket.r#type()? == Type::STREAM;
            if !is_stream || !socket.is_listener()? {
                return Err(io::Error::new(ErrorKind::InvalidInput, "not listening"));
            }
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?.as_socket();
            Ok(Self { socket, address })
        };
        adopt().map_err(|source| BindError::NotAListener { fd, source })
    }

    /// Another handle on the same listener, for another lane.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()?, address: self.address })
    }

    /// Accepts one waiting connection.
    ///
    /// # Errors
    /// What the kernel reports, as when no file descriptor is left; nobody waiting is `None`.
    pub fn accept(&self) -> io::Result<Option<HttpStream>> {
        match self.socket.accept() {
            Ok((socket, address)) => HttpStream::new(socket, &address).map(Some),
            Err(error) if is_waiting(&error) || error.kind() == ErrorKind::ConnectionAborted => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Address of a TCP listener.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }
}

impl AsFd for HttpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl HttpStream {
    fn new(socket: Socket, address: &SockAddr) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let peer = match address.as_socket() {
            Some(address) => {
                // Replies are small and whole: nothing is gained by waiting for more.
                socket.set_tcp_nodelay(true)?;
                let keep_alive = TcpKeepalive::new().with_time(KEEP_ALIVE);
                socket.set_tcp_keepalive(&keep_alive.with_interval(KEEP_ALIVE))?;
                Peer::Tcp(address)
            }
            None => Peer::Unix(peer_credentials(socket.as_fd())),
        };
        Ok(Self { socket, peer })
    }

    /// Reads once. Nothing now is `None`, the end of the stream `Some(0)`.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn receive(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        unless_waiting(|| (&self.socket).read(into))
    }

    /// Writes once. No room now is `None`. A peer that is gone is an error, not a signal.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn send(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        unless_waiting(|| self.socket.send_with_flags(bytes, libc::MSG_NOSIGNAL))
    }

    /// Writes several pieces at once, as [`Self::send`].
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn send_vectored(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<Option<usize>> {
        unless_waiting(|| self.socket.send_vectored_with_flags(pieces, libc::MSG_NOSIGNAL))
    }

    /// Tells the peer that nothing more comes.
    ///
    /// # Errors
    /// What the kernel reports; a peer that is gone already is none.
    pub fn finish(&self) -> io::Result<()> {
        match SockRef::from(&self.socket).shutdown(std::net::Shutdown::Write) {
            Err(error) if error.kind() != ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> Peer {
        self.peer
    }
}

impl AsFd for HttpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn open_tcp(address: SocketAddr, is_shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    // Connections of an earlier process that are still closing must not keep us out.
    socket.set_reuse_address(true)?;
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

fn is_waiting(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Makes one call, again when a signal came before it did anything.
fn unless_waiting(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<Option<usize>> {
    loop {
        match call() {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpStream;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn localhost_is_both_loopback_addresses() {
        let addresses = listen_addresses("localhost", 8126).unwrap();
        assert_eq!(addresses, ["127.0.0.1:8126".parse().unwrap(), "[::1]:8126".parse().unwrap()]);
        assert_eq!(listen_addresses("0.0.0.0", 1).unwrap(), ["0.0.0.0:1".parse().unwrap()]);
        assert!(listen_addresses("no.such.host.invalid", 1).is_err());
    }

    #[test]
    fn lanes_share_a_port_that_nobody_else_gets() {
        let listeners = HttpListener::bind_tcp("127.0.0.1:0".parse().unwrap(), 3).unwrap();
        let address = listeners[0].address().unwrap();
        assert!(listeners.iter().all(|listener| listener.address() == Some(address)));
        for lanes in [1, 2] {
            let again = HttpListener::bind_tcp(address, lanes);
            assert!(matches!(again, Err(BindError::TcpAddressInUse(_))), "{again:?}");
        }
    }

    #[test]
    fn a_stream_is_read_and_written_without_waiting() {
        let listener = HttpListener::bind_tcp("127.0.0.1:0".parse().unwrap(), 1).unwrap().remove(0);
        assert!(listener.accept().unwrap().is_none());
        let mut client = TcpStream::connect(listener.address().unwrap()).unwrap();
        let stream = listener.accept().unwrap().unwrap();
        assert_eq!(stream.peer(), Peer::Tcp(client.local_addr().unwrap()));
        assert_eq!(stream.receive(&mut [0; 8]).unwrap(), None);
        client.write_all(b"in").unwrap();
        let mut bytes = [0; 8];
        assert_eq!(stream.receive(&mut bytes).unwrap(), Some(2));
        assert_eq!(&bytes[..2], b"in");
        assert_eq!(stream.send(b"out").unwrap(), Some(3));
        stream.finish().unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "out");
        drop(client);
        assert_eq!(stream.receive(&mut bytes).unwrap(), Some(0));
    }

    #[test]
    fn a_unix_socket_tells_who_connected() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("apm.socket");
        let (listener, file) = HttpListener::bind_unix(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o722);
        let shared = listener.try_clone().unwrap();
        let _client = UnixStream::connect(&path).unwrap();
        let stream = shared.accept().unwrap().unwrap();
        let Peer::Unix(Some(peer)) = stream.peer() else { panic!("{:?}", stream.peer()) };
        assert_eq!(peer.pid.unsigned_abs(), std::process::id());
        drop(file);
        std::fs::write(&path, "not a socket").unwrap();
        let refused = HttpListener::bind_unix(&path);
        assert!(matches!(refused, Err(BindError::NotASocket(_))));
        let nowhere = HttpListener::bind_unix(&directory.path().join("no/such"));
        assert!(matches!(nowhere, Err(BindError::NoDirectory(_))));
    }

    #[test]
    fn only_a_listening_stream_socket_is_adopted() {
        let open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let adopted = HttpListener::adopt(open.as_raw_fd()).unwrap();
        assert_eq!(adopted.address(), Some(open.local_addr().unwrap()));
        let _client = TcpStream::connect(open.local_addr().unwrap()).unwrap();
        assert!(adopted.accept().unwrap().is_some());
        let datagram = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for fd in [-1, 1 << 20, datagram.as_raw_fd()] {
            let refused = HttpListener::adopt(fd);
            assert!(matches!(refused, Err(BindError::NotAListener { .. })), "{fd}");
        }
    }
}
