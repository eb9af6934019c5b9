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

static AGENTS: Registry<Agent> = Registry::new();

/// Hands an agent out.
pub(crate) fn give(agent: Agent) -> Result<*mut Agent, Failure> {
    AGENTS.give(agent)
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
    AGENTS.look(handle)
}

/// Takes a handle back. Of two callers one gets the agent.
pub(crate) fn take_back(handle: *mut Agent) -> Result<Box<Agent>, Failure> {
    AGENTS.take_back(handle)
}

/// What was handed out and not taken back. Of any type, so that it can be tested without agents.
struct Registry<T>([AtomicPtr<T>; AGENTS_MAX]);

impl<T> Registry<T> {
    const fn new() -> Self {
        Self([const { AtomicPtr::new(ptr::null_mut()) }; AGENTS_MAX])
    }

    fn give(&self, value: T) -> Result<*mut T, Failure> {
        let value = Box::into_raw(Box::new(value));
        for slot in &self.0 {
            let is_free = slot.load(Ordering::Relaxed).is_null();
            let taken = is_free
                && slot
                    .compare_exchange(ptr::null_mut(), value, Ordering::Release, Ordering::Relaxed)
                    .is_ok();
            if taken {
                return Ok(value);
            }
        }
        // SAFETY: it was made right above, and nobody else has it.
        drop(unsafe { Box::from_raw(value) });
        let message = format!("{AGENTS_MAX} agents run in this process already");
        Err(Failure::new(DatadogError::DATADOG_INIT_ERROR, message))
    }

    fn look<'a>(&self, handle: *const T) -> Option<&'a T> {
        let is_here =
            |slot: &AtomicPtr<T>| ptr::eq(slot.load(Ordering::Acquire).cast_const(), handle);
        if handle.is_null() || !self.0.iter().any(is_here) {
            return None;
        }
        // SAFETY: it was handed out and not taken back; that nobody takes it back meanwhile is what
        // the header asks of callers.
        Some(unsafe { &*handle })
    }

    fn take_back(&self, handle: *mut T) -> Result<Box<T>, Failure> {
        if handle.is_null() {
            return Err(Failure::null());
        }
        let is_taken = self.0.iter().any(|slot| {
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
}

fn dead() -> Failure {
    Failure::new(DatadogError::DATADOG_NOT_AVAILABLE, "no such agent: it was stopped and freed")
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn a_handle_is_good_until_it_is_taken_back() {
        let registry = Registry::new();
        let handle = registry.give("agent".to_owned()).unwrap();
        assert_eq!(registry.look(handle).map(String::as_str), Some("agent"));
        assert_eq!(*registry.take_back(handle).unwrap(), "agent");
        assert!(registry.look(handle).is_none());
        let again = registry.take_back(handle).unwrap_err();
        assert_eq!(again.code, DatadogError::DATADOG_NOT_AVAILABLE);
    }

    #[test]
    fn what_was_never_handed_out_is_not_followed() {
        let registry = Registry::<String>::new();
        let mut stranger = "stranger".to_owned();
        assert!(registry.look(&raw const stranger).is_none());
        assert!(registry.look(ptr::without_provenance(1)).is_none());
        assert!(registry.look(ptr::null()).is_none());
        let refused = registry.take_back(&raw mut stranger).unwrap_err();
        assert_eq!(refused.code, DatadogError::DATADOG_NOT_AVAILABLE);
        let null = registry.take_back(ptr::null_mut()).unwrap_err();
        assert_eq!(null.code, DatadogError::DATADOG_NULL_POINTER);
    }

    #[test]
    fn there_is_room_for_so_many_and_for_another_after_one_has_gone() {
        let registry = Registry::new();
        let handles: Vec<_> = (0..AGENTS_MAX).map(|n| registry.give(n).unwrap()).collect();
        let full = registry.give(AGENTS_MAX).unwrap_err();
        assert_eq!(full.code, DatadogError::DATADOG_INIT_ERROR);
        registry.take_back(handles[7]).unwrap();
        let last = registry.give(AGENTS_MAX).unwrap();
        assert_eq!(registry.look(last), Some(&AGENTS_MAX));
        for handle in handles.into_iter().filter(|&handle| registry.look(handle).is_some()) {
            registry.take_back(handle).unwrap();
        }
        // The seventh may have the address of the last one.
        drop(registry.take_back(last));
    }

    /// The loser must not touch what the winner frees: Miri would say so.
    #[test]
    fn of_two_threads_one_gets_it() {
        let registry = Registry::new();
        let handle = AtomicPtr::new(registry.give("agent".to_owned()).unwrap());
        let together = Barrier::new(2);
        let take = || {
            together.wait();
            registry.take_back(handle.load(Ordering::Relaxed)).is_ok()
        };
        let taken = std::thread::scope(|scope| {
            let other = scope.spawn(take);
            usize::from(take()) + usize::from(other.join().unwrap())
        });
        assert_eq!(taken, 1);
    }
}
