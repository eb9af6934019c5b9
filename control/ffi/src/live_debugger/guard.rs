//! What stands between C and everything that may go wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; a panic ends here and becomes `otherwise`.
pub(super) fn guarded<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}
