//! Sends packets to a DogStatsD server, in the name of another process where the kernel allows it.

use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, UCred};
use rustix::process::{Gid, Uid, getpid};

/// Where packets go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Unix datagram socket.
    UnixDatagram(PathBuf),
    /// Unix stream socket; each packet is one frame.
    UnixStream(PathBuf),
    /// UDP, which carries no sender.
    Udp(SocketAddr),
}

/// Whether packets carry the process that sent them first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialUse {
    /// Yes.
    Sent,
    /// Not wanted, no record has a process, or the target is UDP.
    Off,
    /// The kernel refused: it takes root, or the capabilities `CAP_SETUID` and `CAP_SETGID`.
    Refused,
}

/// A connected target.
#[derive(Debug)]
pub(crate) struct Sender {
    socket: Socket,
    pub(crate) credentials: CredentialUse,
    is_wanted: bool,
}

#[derive(Debug)]
enum Socket {
    UnixDatagram(UnixDatagram),
    UnixStream(UnixStream),
    Udp(UdpSocket),
}

impl Sender {
    pub(crate) fn connect(target: &Target, with_credentials: bool) -> io::Result<Self> {
        let socket = match target {
            Target::UnixDatagram(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                Socket::UnixDatagram(socket)
            }
            Target::UnixStream(path) => Socket::UnixStream(UnixStream::connect(path)?),
            Target::Udp(addr) => {
                let any: SocketAddr =
                    if addr.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
                let socket = UdpSocket::bind(any)?;
                socket.connect(addr)?;
                Socket::Udp(socket)
            }
        };
        let is_wanted = with_credentials && !matches!(socket, Socket::Udp(_));
        Ok(Self { socket, credentials: CredentialUse::Off, is_wanted })
    }

    /// Sends one packet, as `pid` if that is wanted and allowed.
    pub(crate) fn send(&mut self, payload: &[u8], pid: i32) -> io::Result<()> {
        let uid = u32::try_from(pid).ok().filter(|&uid| uid > 0 && self.is_wanted);
        let Some(uid) = uid else { return self.send_plain(payload) };
        match self.send_as(payload, uid) {
            Err(failure) if is_refusal(&failure) => {
                self.is_wanted = false;
                self.credentials = CredentialUse::Refused;
                self.send_plain(payload)
            }
            Err(failure) => Err(failure),
            Ok(()) => {
                self.credentials = CredentialUse::Sent;
                Ok(())
            }
        }
    }

    fn send_plain(&mut self, payload: &[u8]) -> io::Result<()> {
        match &mut self.socket {
            Socket::UnixDatagram(socket) => socket.send(payload).map(drop),
            Socket::Udp(socket) => socket.send(payload).map(drop),
            Socket::UnixStream(socket) => {
                socket.write_all(&frame_header(payload)?)?;
                socket.write_all(payload)
            }
        }
    }

    fn send_as(&mut self, payload: &[u8], uid: u32) -> io::Result<()> {
        match &mut self.socket {
            Socket::UnixDatagram(socket) => {
                send_with_credentials(socket.as_fd(), payload, uid).map(drop)
            }
            Socket::UnixStream(socket) => {
                let mut frame = frame_header(payload)?.to_vec();
                frame.extend_from_slice(payload);
                let sent = send_with_credentials(socket.as_fd(), &frame, uid)?;
                socket.write_all(frame.get(sent..).unwrap_or_default())
            }
            Socket::Udp(_) => self.send_plain(payload),
        }
    }
}

/// Not allowed, or the user does not exist in our user namespace.
fn is_refusal(failure: &io::Error) -> bool {
    matches!(failure.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput)
}

/// Length prefix of a stream frame. spec: dogstatsd §2.4.
fn frame_header(payload: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(payload.len())
        .map(u32::to_le_bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a frame is limited to 4 GiB"))
}

/// Our process id, the first sender's as user, and the group that marks a replay.
/// spec: dogstatsd §12.
fn send_with_credentials(socket: BorrowedFd<'_>, bytes: &[u8], uid: u32) -> io::Result<usize> {
    let credentials =
        UCred { pid: getpid(), uid: Uid::from_raw(uid), gid: Gid::from_raw(entity::REPLAY_GID) };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmCredentials(credentials));
    let parts = [IoSlice::new(bytes)];
    Ok(rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL)?)
}
