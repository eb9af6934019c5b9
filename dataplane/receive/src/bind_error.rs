//! Why a socket could not be had, and the way out.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A listener that cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The address is in use.
    #[error(
        "UDP address {0} is in use by another process (another agent?): stop it, or choose another \
         `dogstatsd_port`"
    )]
    AddressInUse(SocketAddr),
    /// Any other failure for a UDP address.
    #[error(
        "cannot listen on UDP address {address}: {source}; check `bind_host` and `dogstatsd_port`"
    )]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The address is in use.
    #[error(
        "TCP address {0} is in use by another process (another agent?): stop it, or choose another \
         `apm_config.receiver_port`"
    )]
    TcpAddressInUse(SocketAddr),
    /// Any other failure for a TCP address.
    #[error(
        "cannot listen on TCP address {address}: {source}; check `bind_host` and \
         `apm_config.receiver_port`"
    )]
    TcpAddress {
        /// The address.
        address: SocketAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The host has no address to bind.
    #[error("cannot resolve `bind_host` {host}: {source}; give an address")]
    Host {
        /// The host.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The descriptor that was handed over is not a listening stream socket.
    #[error(
        "file descriptor {fd} is not a listening TCP or Unix socket ({source}): check what starts \
         this process, or unset the variable that names it"
    )]
    NotAListener {
        /// The number.
        fd: i32,
        /// What the kernel said.
        source: io::Error,
    },
    /// The path exists and is not a socket.
    #[error("{0} exists and is not a socket: remove it or choose another path")]
    NotASocket(PathBuf),
    /// Another process is listening there.
    #[error("{0} is in use by another process: stop it or choose another path")]
    PathInUse(PathBuf),
    /// The directory does not exist.
    #[error("the directory of {0} does not exist: create it (`mkdir -p`), or choose another path")]
    NoDirectory(PathBuf),
    /// No permission.
    #[error(
        "no permission to create {0}: give this user write access to its directory, or choose \
         another path"
    )]
    Permission(PathBuf),
    /// The path does not fit a socket address.
    #[error("{0} is too long for a Unix socket: at most 107 bytes")]
    PathTooLong(PathBuf),
    /// Any other failure for a path.
    #[error("cannot listen on {path}: {source}")]
    Path {
        /// The path.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}
