//! The public face: one thread, a set of routes, fan-out, reload, stop.

mod core;
mod target;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use thiserror::Error;
use tokio::runtime::Builder;

use self::core::Core;
use crate::base_url::{UrlError, without_userinfo};
use crate::payload::Payload;
use crate::settings::{Endpoint, HttpProtocol, Settings};
use crate::spool::lock::SpoolLock;
use crate::stats::ForwardStats;
use crate::tls::{TlsError, client_config};
use target::normalise_endpoints;

/// Name of the delivery thread and of its blocking threads.
const THREAD_NAME: &str = "corelane-fwd";

/// Blocking threads for name resolution (two per route at most) and disk (one per route).
const BLOCKING_THREADS_MAX: usize = 64;

/// Why the forwarder cannot start, or cannot take new endpoints.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// An endpoint URL is bad.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system gave no thread.
    #[error("cannot start the delivery thread; raise the limit of processes or threads")]
    Thread(#[source] io::Error),
}

/// No endpoint with this URL is configured.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("no endpoint {url:?} is configured; give its url as in the configuration")]
pub struct UnknownEndpoint {
    /// The URL asked for, without user information.
    pub url: String,
}

/// Delivers payloads to all endpoints from a thread of its own.
///
/// All methods may be called from any thread; only [`Forwarder::stop`] waits, and
/// [`Forwarder::submit`] for a disk that has to catch up.
#[derive(Debug)]
pub struct Forwarder {
    core: Arc<Core>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

impl Forwarder {
    /// Starts the delivery thread.
    ///
    /// A spool directory that cannot be used is no error: it is logged, shown in the stats, and
    /// data waits in memory only.
    ///
    /// # Errors
    /// [`StartError`] for bad URLs, unusable certificate files, or no thread.
    pub fn start(settings: Settings) -> Result<Self, StartError> {
        let targets = normalise_endpoints(&settings, &settings.endpoints)?;
        let tls = client_config(&settings.tls, settings.protocol == HttpProtocol::Auto)?;
        let spool_lock = settings.spool.as_ref().map(|spool| SpoolLock::take(&spool.path));
        if let Some(Err(why)) = &spool_lock {
            log::error!("{why}; set forwarder_storage_path to a directory of this agent's own");
        }
        let runtime = Builder::new_current_thread()
            .enable_all()
            .thread_name(THREAD_NAME)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .build()
            .map_err(StartError::Thread)?;
        let core = Arc::new(Core::new(settings, tls, runtime.handle().clone(), spool_lock));
        core.apply(targets);
        core.sweep_orphans();
        let main = Arc::clone(&core);
        let body = move || {
            runtime.block_on(main.run());
            runtime.shutdown_timeout(Duration::ZERO);
        };
        let thread = thread::Builder::new()
            .name(THREAD_NAME.to_owned())
            .spawn(body)
            .map_err(StartError::Thread)?;
        Ok(Self { core, thread: Mutex::new(Some(thread)) })
    }

    /// Queues a payload for every endpoint and key that accepts its kind.
    ///
    /// While the memory queue of one is full and its disk queue is still writing, this waits for
    /// the disk: up to 2 s, shared by all callers, and after that a fifth of the time at most.
    /// What finds no room then is dropped and counted.
    pub fn submit(&self, payload: &Payload) {
        self.core.submit(payload);
    }

    /// Replaces the keys of one endpoint. A changed key is used at once, also for what waits;
    /// more keys start new routes, fewer end the last ones, none takes the endpoint out.
    ///
    /// # Errors
    /// [`UnknownEndpoint`] if no endpoint has this URL.
    pub fn set_keys<S: AsRef<str>>(&self, url: &str, keys: &[S]) -> Result<(), UnknownEndpoint> {
        let target = self.core.target_with_keys(url, keys);
        let target = target.ok_or_else(|| UnknownEndpoint { url: without_userinfo(url) })?;
        self.core.apply_target(&target);
        Ok(())
    }

    /// Replaces the set of endpoints; those that stay keep their queues and connections.
    ///
    /// What endpoints taken out still hold goes to disk if there is a disk queue, where it waits
    /// for the endpoint to come back until it is too old.
    ///
    /// # Errors
    /// [`StartError::Url`] if a URL is bad; nothing is changed then.
    pub fn set_endpoints(&self, endpoints: &[Endpoint]) -> Result<(), StartError> {
        let targets = normalise_endpoints(self.core.settings(), endpoints)?;
        self.core.apply(targets);
        Ok(())
    }

    /// Whether [`Forwarder::set_endpoints`] would take these.
    ///
    /// # Errors
    /// [`StartError::Url`] if a URL is bad.
    pub fn check_endpoints(&self, endpoints: &[Endpoint]) -> Result<(), StartError> {
        normalise_endpoints(self.core.settings(), endpoints)?;
        Ok(())
    }

    /// A snapshot of all counters.
    pub fn stats(&self) -> ForwardStats {
        self.core.stats()
    }

    /// Stops: delivers for up to half the stop budget (all of it without a disk queue), moves the
    /// rest to disk, ends the thread. Waits for that; a second call returns at once.
    ///
    /// Payloads submitted afterwards are dropped and counted.
    pub fn stop(&self) -> ForwardStats {
        let handle = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            self.core.order_stop();
            if handle.join().is_err() {
                log::error!("the delivery thread died; what it held in memory is lost");
            }
        }
        self.stats()
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        let _last = self.stop();
    }
}
