//! Messages for the host.
//!
//! The library has a copy of its own of the `log` facade, so that a logger here is none of the
//! host's. It is installed with the first callback, and not before. Callbacks are kept for good: a
//! thread may be in one when it is replaced.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, Ordering};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Takes a message: a level (1 error, 2 warn, 3 info, 4 debug, 5 trace), a text that is there until
/// it returns, and what was registered with it. It is called from threads of the agent, also from
/// several at once, and must not call the agent.
#[expect(non_camel_case_types, reason = "a name of C")]
pub type corelane_log_fn =
    Option<unsafe extern "C" fn(level: c_int, message: *const c_char, userdata: *mut c_void)>;

struct Callback {
    function: corelane_log_fn,
    userdata: *mut c_void,
    /// Kept reachable, so that it counts as no leak.
    _before: *mut Self,
}

static CURRENT: AtomicPtr<Callback> = AtomicPtr::new(ptr::null_mut());

struct ToCallback;

/// Sends the messages of all agents of this process to a function; NULL sends them nowhere, as at
/// the beginning. How many there are is decided by `log_level` when an agent starts.
///
/// # Safety
/// `function` may be called from any thread, with this `userdata`, until the process ends or
/// another one is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_set_log_callback(
    function: corelane_log_fn,
    userdata: *mut c_void,
) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        if log::set_boxed_logger(Box::new(ToCallback)).is_ok() {
            log::set_max_level(LevelFilter::Warn);
        }
    });
    let before = CURRENT.load(Ordering::Acquire);
    let callback = Box::new(Callback { function, userdata, _before: before });
    CURRENT.store(Box::into_raw(callback), Ordering::Release);
}

/// Lets messages of this level through from now on, if they go anywhere.
pub(crate) fn set_level(level: LevelFilter) {
    if !CURRENT.load(Ordering::Relaxed).is_null() {
        log::set_max_level(level);
    }
}

impl Log for ToCallback {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Libraries explain every step of a connection at info and below.
        let target = metadata.target();
        let is_ours = target.starts_with("corelane") || target.starts_with("datadog_agent_native");
        is_ours || metadata.level() <= Level::Warn || log::max_level() == LevelFilter::Trace
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // SAFETY: what is stored there was made by `Box::into_raw` and is never freed.
        let Some(callback) = (unsafe { CURRENT.load(Ordering::Acquire).as_ref() }) else { return };
        let Some(function) = callback.function else { return };
        let text = record.args().to_string().replace('\0', " ");
        let Ok(text) = CString::new(text) else { return };
        let level = match record.level() {
            Level::Error => 1,
            Level::Warn => 2,
            Level::Info => 3,
            Level::Debug => 4,
            Level::Trace => 5,
        };
        // SAFETY: whoever registered the function promised that it may be called so.
        unsafe { function(level, text.as_ptr(), callback.userdata) };
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Counts the messages of this test: others may log meanwhile.
    unsafe extern "C" fn count(level: c_int, message: *const c_char, userdata: *mut c_void) {
        // SAFETY: a message ends with a zero.
        let message = unsafe { CStr::from_ptr(message) };
        if message == c"of the test: a b" {
            assert_eq!(level, 2);
            // SAFETY: the test registered a counter that is there for good.
            let counter = unsafe { &*userdata.cast::<AtomicUsize>().cast_const() };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn messages_go_to_the_last_callback_with_what_belongs_to_it() {
        static COUNTS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let say = || log::warn!("of the test: {}", "a\0b");
        for counter in &COUNTS {
            let userdata = ptr::from_ref(counter).cast_mut().cast();
            // SAFETY: the function may be called from anywhere, and the counter is there for good.
            unsafe { corelane_set_log_callback(Some(count), userdata) };
            say();
        }
        // SAFETY: NULL sends them nowhere.
        unsafe { corelane_set_log_callback(None, ptr::null_mut()) };
        say();
        assert_eq!(COUNTS.each_ref().map(|count| count.load(Ordering::Relaxed)), [1, 1]);
    }
}
