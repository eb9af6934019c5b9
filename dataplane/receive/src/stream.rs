//! The Unix stream listener and its connections. spec: dogstatsd §2.4.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use socket2::Type;

use crate::datagram::set_flag;
use crate::path::{MODE, SocketFile, bind_at, unix_socket};
use crate::{BindError, Framer, PeerCredentials, SocketOptions};

/// Pending connections that the kernel keeps.
const BACKLOG: i32 = 1024;

/// A bound, non-blocking listener. Lanes share it: the kernel wakes one of them.
#[derive(Debug)]
pub struct StreamListener {
    listener: UnixListener,
    packet_bytes_max: usize,
}

/// One accepted connection.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    framer: Framer,
    peer: Option<PeerCredentials>,
}

/// What a read of a connection met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOutcome {
    /// Bytes came.
    Bytes(usize),
    /// Nothing now.
    Waiting,
    /// The peer closed.
    Closed,
}

pub(crate) fn bind(
    path: &Path,
    options: &SocketOptions,
) -> Result<(StreamListener, SocketFile), BindError> {
    let (socket, file) = bind_at(path, || unix_socket(Type::STREAM), MODE)?;
    let listen = || -> io::Result<()> {
        socket.set_nonblocking(true)?;
        if options.has_credentials {
            set_flag(&socket, libc::SOL_SOCKET, libc::SO_PASSCRED)?;
        }
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| BindError::Path { path: path.into(), source })?;
    let listener = StreamListener {
        listener: UnixListener::from(std::os::fd::OwnedFd::from(socket)),
        packet_bytes_max: options.packet_bytes_max,
    };
    Ok((listener, file))
}

impl StreamListener {
    /// Accepts one waiting connection, without waiting.
    ///
    /// # Errors
    /// What the kernel reports; nobody waiting is `None`.
    pub fn accept(&self) -> io::Result<Option<Connection>> {
        match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                let peer = peer_credentials(stream.as_fd());
                Ok(Some(Connection { stream, framer: Framer::new(self.packet_bytes_max), peer }))
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::Interrupted
                        | io::ErrorKind::ConnectionAborted
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Another handle on the same listener, for another lane.
    ///
    /// # Errors
    /// When no file descriptor is left.
    pub fn try_clone(&self) -> io::Result<Self> {
        let listener = self.listener.try_clone()?;
        Ok(Self { listener, packet_bytes_max: self.packet_bytes_max })
    }
}

impl AsFd for StreamListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Connection {
    /// Reads once, without waiting.
    ///
    /// # Errors
    /// What the kernel reports.
    pub fn read(&mut self) -> io::Result<ReadOutcome> {
        let spare = self.framer.spare();
        // SAFETY: `spare` is writable for its length, borrowed for the call, and the socket is
        // open.
        let received = unsafe {
            libc::recv(
                self.stream.as_raw_fd(),
                spare.as_mut_ptr().cast(),
                spare.len(),
                libc::MSG_DONTWAIT,
            )
        };
        match usize::try_from(received) {
            Ok(0) => Ok(ReadOutcome::Closed),
            Ok(bytes) => {
                self.framer.advance(bytes);
                Ok(ReadOutcome::Bytes(bytes))
            }
            Err(_) => {
                let error = io::Error::last_os_error();
                match error.raw_os_error() {
                    Some(libc::EAGAIN | libc::EINTR) => Ok(ReadOutcome::Waiting),
                    Some(libc::ECONNRESET) => Ok(ReadOutcome::Closed),
                    _ => Err(error),
                }
            }
        }
    }

    /// The frames that were read.
    pub const fn framer_mut(&mut self) -> &mut Framer {
        &mut self.framer
    }

    /// Who connected.
    #[must_use]
    pub const fn peer(&self) -> Option<PeerCredentials> {
        self.peer
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

pub(crate) fn peer_credentials(socket: BorrowedFd<'_>) -> Option<PeerCredentials> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut bytes = libc::socklen_t::try_from(size_of_val(&peer)).ok()?;
    // SAFETY: `peer` is `bytes` writable bytes, and both pointers live for the length of the call.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            std::ptr::from_mut(&mut peer).cast(),
            &raw mut bytes,
        )
    };
    (status == 0).then_some(PeerCredentials { pid: peer.pid, uid: peer.uid, gid: peer.gid })
}
