//! The handle of a running intake.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::{io, mem};

use tokio::runtime;

use crate::acceptance::Rules;
use crate::flares::Flares;
use crate::remote::Backend;
use crate::server::{reserve, serve};
use crate::shared::{Gate, OnRequest, Shared};
use crate::tls::{Certificate, TlsError, make_acceptor};
use crate::{Behaviour, Keep, Store};

/// How to run an intake.
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether to speak TLS with a certificate made for this run.
    pub is_tls: bool,
    /// Keys that are accepted; none means that every key is.
    pub keys: Vec<String>,
    /// How much to keep in memory.
    pub keep: Keep,
    /// What payloads must satisfy.
    pub rules: Rules,
    /// Called for every request on the serving thread, before it is answered.
    pub on_request: Option<OnRequest>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            is_tls: false,
            keys: Vec::new(),
            keep: Keep::All,
            rules: Rules::default(),
            on_request: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("is_tls", &self.is_tls)
            .field("keep", &self.keep)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// Why an intake could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("listening on {addr}: {source}; choose another address or port 0 for a free one")]
    Listen {
        /// The address from the options.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The thread or its runtime could not be made.
    #[error("starting the thread of the intake: {0}")]
    Thread(#[source] io::Error),
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// The port could not be closed or opened again.
#[derive(Debug, thiserror::Error)]
#[error("changing whether {addr} takes connections: {detail}")]
pub struct GateError {
    addr: SocketAddr,
    detail: String,
}

/// A running intake; stops when dropped.
#[derive(Debug)]
pub struct Intake {
    addr: SocketAddr,
    certificate: Option<Certificate>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Intake {
    /// Starts an intake on a thread of its own; it listens when this returns.
    ///
    /// # Errors
    /// When the address is taken or not ours, or the system gives no thread.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let Options { listen, is_tls, keys, keep, rules, on_request } = options;
        let (tls, certificate) = if is_tls {
            make_acceptor().map(|(tls, made)| (Some(tls), Some(made)))?
        } else {
            (None, None)
        };
        let shared = Arc::new(Shared::new(Arc::new(Store::new(keep)), rules, keys, on_request));
        let (ready, started) = mpsc::sync_channel(1);
        let serving = Arc::clone(&shared);
        let run = move || {
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _is_heard = ready.send(Err(StartError::Thread(error))).is_ok();
                    return;
                }
            };
            runtime.block_on(async move {
                let bound = reserve(listen).and_then(|socket| Ok((socket.local_addr()?, socket)));
                match bound {
                    Ok((addr, socket)) => {
                        let _is_heard = ready.send(Ok(addr)).is_ok();
                        serve(serving, socket, addr, tls).await;
                    }
                    Err(source) => {
                        let error = StartError::Listen { addr: listen, source };
                        let _is_heard = ready.send(Err(error)).is_ok();
                    }
                }
            });
            // Requests that hang by script, and waits of the query interface, end here.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("intake".to_owned()).spawn(run);
        let thread = thread.map_err(StartError::Thread)?;
        let ended = || StartError::Thread(io::Error::other("the thread ended early"));
        let addr = started.recv().map_err(|_| ended())??;
        let intake = Self { addr, certificate, shared, thread: Some(thread) };
        intake
            .shared
            .move_gate(Gate::Open)
            .map_err(|detail| StartError::Listen { addr, source: io::Error::other(detail) })?;
        Ok(intake)
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Base URL for `dd_url`, without a final slash.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// The certificate to trust, when it speaks TLS.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// What was received; stays readable after the intake stopped.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.shared.store
    }

    /// The backend of remote configuration.
    #[must_use]
    pub fn remote(&self) -> &Backend {
        &self.shared.remote
    }

    /// Where flares go.
    #[must_use]
    pub fn flares(&self) -> &Flares {
        &self.shared.flares
    }

    /// Replaces the script by one line.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.set_script(vec![behaviour]);
    }

    /// Replaces the script. The first line that fits a request decides; when none does, the request
    /// is accepted.
    pub fn set_script(&self, lines: Vec<Behaviour>) {
        self.shared.set_script(lines);
    }

    /// Replaces the accepted keys; none means that every key is.
    pub fn set_keys(&self, keys: Vec<String>) {
        self.shared.set_keys(keys);
    }

    /// Shifts the `Date` header of every answer, to play a wrong clock on either side.
    pub fn set_date_offset_secs(&self, offset_secs: i64) {
        self.shared.set_date_offset_secs(offset_secs);
    }

    /// TLS handshakes that failed, for instance because the client does not trust the certificate.
    #[must_use]
    pub fn failed_handshakes(&self) -> u64 {
        self.shared.failed_handshakes()
    }

    /// Closes every connection and the port. The port stays reserved, so that connecting is
    /// refused and nobody else can take it.
    ///
    /// # Errors
    /// When the port cannot be kept.
    pub fn refuse_connections(&self) -> Result<(), GateError> {
        self.move_gate(Gate::Refusing)
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn accept_connections(&self) -> Result<(), GateError> {
        self.move_gate(Gate::Open)
    }

    /// Closes everything and ends the thread.
    pub fn stop(self) {
        drop(self);
    }

    fn move_gate(&self, gate: Gate) -> Result<(), GateError> {
        self.shared.move_gate(gate).map_err(|detail| GateError { addr: self.addr, detail })
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.shared.request_gate(Gate::Stopped);
        if let Some(thread) = mem::take(&mut self.thread) {
            // A panic of the thread was reported when it happened.
            let _is_clean = thread.join().is_ok();
        }
    }
}
