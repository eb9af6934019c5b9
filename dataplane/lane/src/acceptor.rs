//! Accepts stream connections and deals them out to the lanes.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use receive::{Connection, Poller, StreamListener};

use crate::Bell;
use crate::bell::bell;

/// A connection on its way to a lane.
#[derive(Debug)]
pub struct NewConnection {
    /// The connection.
    pub connection: Connection,
}

/// The accepting thread: the one place that all connections pass, so that the lanes get equal
/// shares however uneven they wake. Stopped and joined at drop.
#[derive(Debug)]
pub struct Acceptor {
    thread: Option<JoinHandle<()>>,
    is_stopping: Arc<AtomicBool>,
    bell: Bell,
}

/// Pause after an accept failed for want of descriptors or memory.
const FAILURE_PAUSE: Duration = Duration::from_millis(100);
/// Nothing depends on it: a stop rings.
const WAIT: Duration = Duration::from_secs(3600);

impl Acceptor {
    /// Starts accepting. `deal` hands a connection to a lane; it returns false when the connection
    /// was refused, which `deal` counts.
    ///
    /// # Errors
    /// When no thread or file descriptor is left.
    pub fn start(
        listener: StreamListener,
        mut deal: impl FnMut(NewConnection) + Send + 'static,
    ) -> io::Result<Self> {
        let is_stopping = Arc::<AtomicBool>::default();
        let (bell, bell_receiver) = bell()?;
        let mut poller = Poller::new()?;
        poller.add(listener.as_fd(), 0)?;
        poller.add(bell_receiver.as_fd(), 1)?;
        let stop = Arc::clone(&is_stopping);
        let accept = move || {
            while !stop.load(Ordering::Acquire) {
                match listener.accept() {
                    Ok(Some(connection)) => deal(NewConnection { connection }),
                    Ok(None) => drop(poller.wait(WAIT).map(<[_]>::len)),
                    Err(_) => bell_receiver.pause(FAILURE_PAUSE),
                }
            }
        };
        let thread = Builder::new().name("corelane/accept".into()).spawn(accept)?;
        Ok(Self { thread: Some(thread), is_stopping, bell })
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.is_stopping.store(true, Ordering::Release);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
