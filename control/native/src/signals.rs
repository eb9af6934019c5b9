//! SIGINT and SIGTERM, looked at only while somebody waits for the end of an agent.
//!
//! The handler adds to a counter, nothing else. The first waiter installs it and the last one
//! restores what the host had before. spec: config §11.4

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::ShutdownReason;

static INTERRUPTS: AtomicU32 = AtomicU32::new(0);
static TERMINATIONS: AtomicU32 = AtomicU32::new(0);
static WAITERS: Mutex<Waiters> = Mutex::new(Waiters { count: 0, before: Vec::new() });

struct Waiters {
    count: usize,
    before: Vec<(libc::c_int, libc::sigaction)>,
}

/// Looks out for signals until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    interrupts: u32,
    terminations: u32,
}

impl Watch {
    /// Begins to look out.
    pub(crate) fn new() -> io::Result<Self> {
        let mut waiters = WAITERS.lock().unwrap_or_else(PoisonError::into_inner);
        if waiters.count == 0 {
            for signal in [libc::SIGINT, libc::SIGTERM] {
                let before = replace(signal, &ours())?;
                waiters.before.push((signal, before));
            }
        }
        waiters.count += 1;
        Ok(Self {
            interrupts: INTERRUPTS.load(Ordering::Relaxed),
            terminations: TERMINATIONS.load(Ordering::Relaxed),
        })
    }

    /// What a signal that came since then asks for.
    pub(crate) fn reason(&self) -> Option<ShutdownReason> {
        if TERMINATIONS.load(Ordering::Relaxed) != self.terminations {
            return Some(ShutdownReason::GracefulShutdown);
        }
        let is_interrupted = INTERRUPTS.load(Ordering::Relaxed) != self.interrupts;
        is_interrupted.then_some(ShutdownReason::UserInterrupt)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut waiters = WAITERS.lock().unwrap_or_else(PoisonError::into_inner);
        waiters.count -= 1;
        if waiters.count == 0 {
            for (signal, before) in std::mem::take(&mut waiters.before) {
                if let Err(error) = replace(signal, &before) {
                    log::warn!("signal {signal} is still handled by the agent: {error}");
                }
            }
        }
    }
}

extern "C" fn count(signal: libc::c_int) {
    let counter = if signal == libc::SIGINT { &INTERRUPTS } else { &TERMINATIONS };
    counter.fetch_add(1, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "a plain structure of the system")]
fn ours() -> libc::sigaction {
    // SAFETY: all its fields are integers, sets of bits and an optional function: zero is valid.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = count as *const () as libc::sighandler_t;
    // On the alternative stack where the host's runtime set one up, as Go's does.
    action.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    action
}

/// Puts an action in place of the present one.
#[expect(unsafe_code, reason = "the standard library does not handle signals")]
fn replace(signal: libc::c_int, action: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = *action;
    // SAFETY: both point to valid structures; the handler only adds to an atomic.
    let result = unsafe { libc::sigaction(signal, action, &raw mut before) };
    if result == 0 { Ok(before) } else { Err(io::Error::last_os_error()) }
}
