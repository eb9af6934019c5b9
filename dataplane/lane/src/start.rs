//! A lane on its thread.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::driver::{self, Drive, clock};
use crate::http::{Http, HttpSources};
use crate::{DriverKind, Lane, LanePort, LaneSettings, Moderation, OverflowInbox, Sources};

/// Everything a lane is started with.
pub struct StartLane {
    /// Settings of the lane.
    pub settings: LaneSettings,
    /// Its end of the rings.
    pub port: LanePort,
    /// Its sockets.
    pub sources: Sources,
    /// HTTP, where it serves that.
    pub http: Option<HttpSources>,
    /// Lanes it helps.
    pub overflow: Vec<OverflowInbox>,
    /// Driver.
    pub driver: DriverKind,
    /// Core to run on; the scheduler's choice when `None`.
    pub cpu: Option<usize>,
    /// Longest pause of receive moderation.
    pub pause_max: Duration,
    /// Connected socket to which packets are copied (`statsd_forward_host`).
    pub forward: Option<UdpSocket>,
}

/// A running lane; it ends after [`crate::Command::Stop`].
#[derive(Debug)]
pub struct LaneThread {
    /// Joined by whoever stops the lane. An error means that the driver could not go on.
    pub thread: JoinHandle<io::Result<()>>,
}

/// Starts a lane on a thread of its own.
///
/// # Errors
/// When no thread is left.
pub fn start(start: StartLane) -> io::Result<LaneThread> {
    let name = format!("corelane/{}", start.settings.lane);
    let thread = Builder::new().name(name).spawn(move || run(start))?;
    Ok(LaneThread { thread })
}

fn run(start: StartLane) -> io::Result<()> {
    if let Some(cpu) = start.cpu
        && !core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
    {
        log::warn!("lane {} could not be pinned to CPU {cpu}", start.settings.lane);
    }
    let now = clock();
    let index = start.settings.lane;
    let mut lane = Lane::new(start.settings, start.port, now);
    for inbox in start.overflow {
        lane.help(inbox);
    }
    if let Some(socket) = start.forward {
        lane.forward_to(socket);
    }
    let moderation = Moderation::new(start.pause_max, now.instant);
    let http = start.http.map(|http| Http::new(http, index, now));
    let drive = Rc::new(RefCell::new(Drive::new(lane, start.sources, http, moderation, now)));
    let mut driver = start.driver;
    loop {
        match catch_unwind(AssertUnwindSafe(|| driver::run(driver, &drive))) {
            Ok(Ok(())) => break,
            Ok(Err(error)) if driver == DriverKind::IoUring => {
                log::warn!("lane {index}: io_uring failed ({error}), going on with epoll");
                driver = DriverKind::Epoll;
            }
            Ok(Err(error)) => {
                drive.borrow_mut().finish(clock());
                return Err(error);
            }
            Err(panic) => {
                let reason = reason_of(&*panic);
                log::error!("lane {index} panicked and starts over empty: {reason}");
                drive.borrow_mut().restart(clock());
            }
        }
    }
    drive.borrow_mut().finish(clock());
    Ok(())
}

fn reason_of(panic: &(dyn std::any::Any + Send)) -> Arc<str> {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Arc::from(text.unwrap_or("no message"))
}

impl fmt::Debug for StartLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartLane").field("settings", &self.settings).finish_non_exhaustive()
    }
}
