//! The file of a Unix socket: making room for it, rights, removal. spec: dogstatsd §2.3.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::BindError;

/// Everyone may send, only the owner may do more.
pub(crate) const MODE: u32 = 0o722;
/// `sun_path` less its terminating zero.
const PATH_BYTES_MAX: usize = 107;

/// A bound socket file, removed at drop if it is still the one that was bound.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    /// Where the socket is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_ours {
            // Nothing more can be done about a file that does not go away.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// A Unix socket without a name.
pub(crate) fn unix_socket(kind: Type) -> io::Result<Socket> {
    Socket::new(Domain::UNIX, kind, None)
}

/// Makes room at `path`, binds the socket that `make` makes there, and sets the rights.
///
/// The socket has the rights before it has a name, so that at no time anyone has more of them.
pub(crate) fn bind_at(
    path: &Path,
    make: impl FnOnce() -> io::Result<Socket>,
    mode: u32,
) -> Result<(Socket, SocketFile), BindError> {
    if path.as_os_str().len() > PATH_BYTES_MAX {
        return Err(BindError::PathTooLong(path.into()));
    }
    remove_stale(path)?;
    let rights = || fs::Permissions::from_mode(mode);
    let bind = || -> io::Result<Socket> {
        let socket = make()?;
        // The same descriptor as a file, on which the rights are set.
        let file = fs::File::from(OwnedFd::from(socket.try_clone()?));
        file.set_permissions(rights())?;
        socket.bind(&SockAddr::unix(path)?)?;
        Ok(socket)
    };
    let socket = bind().map_err(|error| explain(path, error))?;
    let finish = || -> io::Result<SocketFile> {
        // The mask of the process has taken some away.
        fs::set_permissions(path, rights())?;
        let bound = fs::symlink_metadata(path)?;
        Ok(SocketFile { path: path.into(), device: bound.dev(), inode: bound.ino() })
    };
    finish().map(|file| (socket, file)).map_err(|error| explain(path, error))
}

/// Removes a socket file that nobody listens on any more.
fn remove_stale(path: &Path) -> Result<(), BindError> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if !found.file_type().is_socket() {
        return Err(BindError::NotASocket(path.into()));
    }
    if is_alive(path) {
        return Err(BindError::PathInUse(path.into()));
    }
    fs::remove_file(path).map_err(|error| explain(path, error))
}

/// Whether some process has the socket open: connecting tells without sending anything.
fn is_alive(path: &Path) -> bool {
    let datagram = UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    datagram.is_ok() || UnixStream::connect(path).is_ok()
}

fn explain(path: &Path, source: io::Error) -> BindError {
    let path = path.to_path_buf();
    #[expect(clippy::wildcard_enum_match_arm, reason = "an open list of causes")]
    match source.kind() {
        io::ErrorKind::NotFound => BindError::NoDirectory(path),
        io::ErrorKind::PermissionDenied => BindError::Permission(path),
        io::ErrorKind::AddrInUse => BindError::PathInUse(path),
        _ => BindError::Path { path, source },
    }
}
