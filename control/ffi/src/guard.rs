//! No panic leaves a function.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{DatadogError, Failure};

/// Runs `work`; a panic becomes a failure with `code`.
pub(crate) fn guarded<T>(
    code: DatadogError,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        let failure = format!("panic: {}", text.unwrap_or("no message"));
        // What a panic carries may panic when it is dropped.
        drop(catch_unwind(AssertUnwindSafe(move || drop(panic))));
        Err(Failure::new(code, failure))
    })
}
