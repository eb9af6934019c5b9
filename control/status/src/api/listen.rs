//! Binding the sockets of the API.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket};
use tokio_rustls::TlsAcceptor;

use super::{Addresses, ApiError, ApiOptions, DebugOptions, tls};

/// What a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) scope: Scope,
    /// Whether peers other than loopback are served.
    pub(super) is_remote_allowed: bool,
    pub(super) has_metrics: bool,
}

/// The routes behind a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    Reading,
    Health,
    Counters,
    Debug,
}

/// One listening socket.
pub(super) enum Listening {
    Unix(UnixListener),
    Tcp(TcpListener),
    Tls(TcpListener, TlsAcceptor),
}

/// Everything that is bound.
pub(super) struct Bound {
    pub(super) addresses: Addresses,
    pub(super) listeners: Vec<(Listening, Access)>,
    pub(super) file: Option<SocketFile>,
}

/// Binds what the options name.
pub(super) fn bind(options: &ApiOptions) -> Result<Bound, ApiError> {
    let has_metrics = options.has_metrics;
    let access = |scope| Access { scope, is_remote_allowed: false, has_metrics };
    let mut listeners = Vec::new();
    let mut file = None;
    if let Some(path) = &options.socket {
        let (listener, made) = bind_unix(path)?;
        let access = Access { has_metrics: true, ..access(Scope::All) };
        listeners.push((Listening::Unix(listener), access));
        file = Some(made);
    }
    let mut tcp = |address, key, access: Access| {
        let listener =
            bind_tcp(address).map_err(|source| ApiError::Listen { address, key, source })?;
        let address = listener.local_addr().unwrap_or(address);
        listeners.push((Listening::Tcp(listener), access));
        Ok::<SocketAddr, ApiError>(address)
    };
    let mut listen = None;
    if let Some(address) = options.listen {
        let is_remote_allowed = options.is_remote_allowed;
        if !is_remote_allowed && !address.ip().is_loopback() {
            return Err(ApiError::Remote { address });
        }
        let access = Access { is_remote_allowed, ..access(Scope::Reading) };
        listen = Some(tcp(address, "corelane.api_listen", access)?);
    }
    let mut health = None;
    if let Some(port) = options.health_port {
        let access = Access { is_remote_allowed: true, ..access(Scope::Health) };
        health = Some(tcp((Ipv4Addr::UNSPECIFIED, port).into(), "health_port", access)?);
    }
    if let Some(port) = options.expvar_port {
        tcp((Ipv4Addr::LOCALHOST, port).into(), "expvar_port", access(Scope::Counters))?;
    }
    let (mut debug, mut warnings) = (None, Vec::new());
    match options.debug.as_ref().map(bind_debug).transpose() {
        Ok(bound) => {
            debug = bound.as_ref().and_then(|(listener, _)| listener.local_addr().ok());
            let listening = bound.map(|(listener, acceptor)| Listening::Tls(listener, acceptor));
            listeners.extend(listening.map(|listening| (listening, access(Scope::Debug))));
        }
        Err(error) => warnings.push(error.to_string()),
    }
    let socket = options.socket.clone();
    let addresses = Addresses { socket, listen, health, debug, warnings };
    Ok(Bound { addresses, listeners, file })
}

/// Connections waiting in the kernel.
const BACKLOG: u32 = 64;

fn bind_debug(options: &DebugOptions) -> Result<(TcpListener, TlsAcceptor), ApiError> {
    let acceptor = tls::acceptor(options)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let failed = |error| ApiError::Debug(format!("{address}: {error}"));
    Ok((bind_tcp(address).map_err(failed)?, acceptor))
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart finds the port of its predecessor in TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind_unix(path: &Path) -> Result<(UnixListener, SocketFile), ApiError> {
    let failed = |source| ApiError::Socket { path: path.to_owned(), source };
    if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
        fs::DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(failed)?;
    }
    remove_stale(path)?;
    let socket = UnixSocket::new_stream().map_err(failed)?;
    socket.bind(path).map_err(failed)?;
    let file = SocketFile::of(path).map_err(failed)?;
    // Nobody can connect before `listen`, so nobody sees the mode that the umask gave.
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    let listener = socket.listen(BACKLOG).map_err(failed)?;
    Ok((listener, file))
}

/// Removes the socket file of an agent that is gone.
fn remove_stale(path: &Path) -> Result<(), ApiError> {
    let failed = |source| ApiError::Socket { path: path.to_owned(), source };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !found.file_type().is_socket() {
        return Err(ApiError::NotASocket { path: path.to_owned() });
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(ApiError::InUse { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

/// The socket file of this API; removed when dropped, unless another one took its place.
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            log::warn!("the API socket {} stays behind: {error}", self.path.display());
        }
    }
}
