//! The local API: who may connect, and the thread that serves them.
//!
//! | where | serves | who |
//! |---|---|---|
//! | Unix socket, mode 0600 | everything | the user of the agent, and root |
//! | `listen` | reading only | loopback, unless the options allow others |
//! | `health_port` | health only, any path | any address: probes come from outside the container |
//! | `expvar_port` | counters only | loopback |
//! | `debug` | counters of traces and the configuration, over TLS | loopback |

mod answer;
mod listen;
mod serve;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime;
use tokio::sync::oneshot;

use crate::Source;
use listen::{Bound, bind};

/// Where the API listens. The default listens nowhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApiOptions {
    /// Unix socket. Its directory is made if it does not exist; a socket file that nobody answers
    /// on is replaced.
    pub socket: Option<PathBuf>,
    /// TCP address.
    pub listen: Option<SocketAddr>,
    /// Whether `listen` may be an address that other hosts reach, and serves them.
    pub is_remote_allowed: bool,
    /// Port for health, on every address.
    pub health_port: Option<u16>,
    /// Port for `/debug/vars` and `/telemetry`, on loopback.
    pub expvar_port: Option<u16>,
    /// The debug port of traces, on loopback. spec: apm §2
    pub debug: Option<DebugOptions>,
    /// Whether `/metrics` and `/telemetry` answer over TCP; over the Unix socket they always do.
    pub has_metrics: bool,
}

/// The debug port of traces: `/debug/vars` and `/config` over TLS. That it cannot be opened is no
/// reason for the others to stay closed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DebugOptions {
    /// Port; 0 takes any.
    pub port: u16,
    /// File with certificate and key of the Agent's processes, in PEM; without, they are made for
    /// this process.
    pub certificate: Option<PathBuf>,
}

impl fmt::Debug for DebugOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DebugOptions").field("port", &self.port).finish_non_exhaustive()
    }
}

/// Why the API could not start. None of these is a reason for the agent to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The path of the socket is something else.
    #[error("{} exists and is no socket; remove it, or choose another corelane.api_socket",
        path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// Somebody answers on the socket.
    #[error("an agent answers on {} already; stop it, or choose another corelane.api_socket",
        path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// The socket cannot be made.
    #[error("cannot open the API socket {}: {source}; choose a corelane.api_socket (or run_path) \
             that this user may write to", path.display())]
    Socket {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The address is reachable from other hosts, and that was not allowed.
    #[error(
        "{address} is reachable from other hosts; use 127.0.0.1, or set \
             corelane.api_allow_remote"
    )]
    Remote {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address} for {key}: {source}; choose another port, 0 opens none")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The key that named it.
        key: &'static str,
        /// The system's reason.
        source: io::Error,
    },
    /// The debug port of traces cannot be opened.
    #[error(
        "the debug port of traces stays closed: {0}; set apm_config.debug.port to 0 or another \
             port, or mend ipc_cert_file_path"
    )]
    Debug(String),
    /// The thread or its runtime could not be made.
    #[error("cannot start the thread of the API: {0}")]
    Thread(#[source] io::Error),
}

/// A running API; stops when dropped, and removes its socket file.
pub struct Api {
    socket: Option<PathBuf>,
    listen: Option<SocketAddr>,
    health: Option<SocketAddr>,
    debug: Option<SocketAddr>,
    warnings: Vec<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("socket", &self.socket)
            .field("listen", &self.listen)
            .field("health", &self.health)
            .finish_non_exhaustive()
    }
}

impl Api {
    /// Binds everything the options name and serves it from a thread of its own.
    ///
    /// # Errors
    /// When one of the addresses cannot be had, that of the debug port excepted; nothing is served
    /// then.
    pub fn start(options: ApiOptions, source: Arc<dyn Source>) -> Result<Self, ApiError> {
        let (ready, started) = mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let run = move || run(&options, source, &ready, stopped);
        let thread = thread::Builder::new().name("api".to_owned()).spawn(run);
        let thread = thread.map_err(ApiError::Thread)?;
        let ended = || ApiError::Thread(io::Error::other("the thread ended early"));
        let addresses = started.recv().map_err(|_| ended())??;
        let Addresses { socket, listen, health, debug, warnings } = addresses;
        let (stop, thread) = (Some(stop), Some(thread));
        Ok(Self { socket, listen, health, debug, warnings, stop, thread })
    }

    /// The Unix socket.
    #[must_use]
    pub fn socket(&self) -> Option<&std::path::Path> {
        self.socket.as_deref()
    }

    /// The TCP address, with the port that was taken if 0 was asked for.
    #[must_use]
    pub const fn listen(&self) -> Option<SocketAddr> {
        self.listen
    }

    /// The address of the health port.
    #[must_use]
    pub const fn health(&self) -> Option<SocketAddr> {
        self.health
    }

    /// What could not be opened and is not needed by the others.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The address of the debug port.
    #[must_use]
    pub const fn debug(&self) -> Option<SocketAddr> {
        self.debug
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread of the API panicked; the agent itself goes on");
        }
    }
}

struct Addresses {
    socket: Option<PathBuf>,
    listen: Option<SocketAddr>,
    health: Option<SocketAddr>,
    debug: Option<SocketAddr>,
    warnings: Vec<String>,
}

/// Slow questions at a time (`top`, captures); more wait, health never does.
const BLOCKING_THREADS_MAX: usize = 2;
/// How long a stop waits for a slow question.
const STOP_TIME_MAX: Duration = Duration::from_secs(1);

fn run(
    options: &ApiOptions,
    source: Arc<dyn Source>,
    ready: &mpsc::SyncSender<Result<Addresses, ApiError>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name("api-slow")
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _is_heard = ready.send(Err(ApiError::Thread(error))).is_ok();
            return;
        }
    };
    runtime.block_on(async {
        match bind(options) {
            Ok(bound) => {
                let Bound { addresses, listeners, file } = bound;
                let _is_heard = ready.send(Ok(addresses)).is_ok();
                serve::serve(listeners, &source, stopped).await;
                drop(file);
            }
            Err(error) => {
                let _is_heard = ready.send(Err(error)).is_ok();
            }
        }
    });
    runtime.shutdown_timeout(STOP_TIME_MAX);
}
