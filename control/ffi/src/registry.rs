//! Which handles are alive. A handle is looked up before it is followed, so that one that was freed
//! is an error and not a crash, unless another agent has its address by now.
//!
//! No lock and no allocation: a child of `fork` finds it as usable as its parent did.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use native::blocking::Agent;

use crate::error::{DatadogError, Failure};

/// Agents of one process at a time.
const AGENTS_MAX: usize = 256;

static AGENTS: [AtomicPtr<Agent>; AGENTS_MAX] =
    [const { AtomicPtr::new(ptr::null_mut()) }; AGENTS_MAX];

/// Hands an agent out.
pub(crate) fn give(agent: Agent) -> Result<*mut Agent, Failure> {
    let agent = Box::into_raw(Box::new(agent));
    for slot in &AGENTS {
        let is_free = slot.load(Ordering::Relaxed).is_null();
        let taken = is_free
            && slot
                .compare_exchange(ptr::null_mut(), agent, Ordering::Release, Ordering::Relaxed)
                .is_ok();
        if taken {
            return Ok(agent);
        }
    }
    // SAFETY: it was made right above, and nobody else has it.
    drop(unsafe { Box::from_raw(agent) });
    let message = format!("{AGENTS_MAX} agents run in this process already");
    Err(Failure::new(DatadogError::DATADOG_INIT_ERROR, message))
}

/// The agent of a handle that is alive.
pub(crate) fn find<'a>(handle: *const Agent) -> Result<&'a Agent, Failure> {
    if handle.is_null() {
        return Err(Failure::null());
    }
    look(handle).ok_or_else(dead)
}

/// The same, without a word about what is wrong.
pub(crate) fn look<'a>(handle: *const Agent) -> Option<&'a Agent> {
    if handle.is_null() || !AGENTS.iter().any(|slot| ptr::eq(slot.load(Ordering::Acquire), handle))
    {
        return None;
    }
    // SAFETY: it was handed out and not taken back; that nobody takes it back meanwhile is what
    // the header asks of callers.
    Some(unsafe { &*handle })
}

/// Takes a handle back. Of two callers one gets the agent.
pub(crate) fn take_back(handle: *mut Agent) -> Result<Box<Agent>, Failure> {
    if handle.is_null() {
        return Err(Failure::null());
    }
    let is_taken = AGENTS.iter().any(|slot| {
        ptr::eq(slot.load(Ordering::Relaxed), handle)
            && slot
                .compare_exchange(handle, ptr::null_mut(), Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    });
    if !is_taken {
        return Err(dead());
    }
    // SAFETY: it was handed out by `give`, and whoever empties its slot alone owns it.
    Ok(unsafe { Box::from_raw(handle) })
}

fn dead() -> Failure {
    Failure::new(DatadogError::DATADOG_NOT_AVAILABLE, "no such agent: it was stopped and freed")
}
