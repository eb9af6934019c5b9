//! Errors across the boundary.

use std::ffi::{CString, c_char};

use native::{AgentError, SubmitError};

use crate::guard::guarded;

/// What went wrong. The numbers never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
#[expect(non_camel_case_types, reason = "the names of the contract")]
pub enum DatadogError {
    /// Nothing.
    DATADOG_OK = 0,
    /// A pointer that must not be NULL is, or is not what it should be.
    DATADOG_NULL_POINTER = 1,
    /// A text is not UTF-8.
    DATADOG_INVALID_STRING = 2,
    /// The configuration cannot be used.
    DATADOG_CONFIG_ERROR = 3,
    /// Something that the agent is made of could not be made.
    DATADOG_INIT_ERROR = 4,
    /// The agent could not start: a port in use, a path that cannot be bound.
    DATADOG_STARTUP_ERROR = 5,
    /// The agent could not stop in time.
    DATADOG_SHUTDOWN_ERROR = 6,
    /// The system refused something, or a deadline passed.
    DATADOG_RUNTIME_ERROR = 7,
    /// What was submitted cannot be read.
    DATADOG_INVALID_DATA_FORMAT = 8,
    /// What was submitted was not taken: no room now, or too long.
    DATADOG_SUBMISSION_ERROR = 9,
    /// There is none: a pipeline that is not here, or an agent that has stopped or belongs to the
    /// parent of this process.
    DATADOG_NOT_AVAILABLE = 10,
    /// Anything else.
    DATADOG_UNKNOWN_ERROR = 99,
}

/// An error: a code and a message. Freed with `corelane_error_free`.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct corelane_error {
    code: DatadogError,
    message: CString,
}

/// An error on its way out.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: DatadogError,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: DatadogError, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn null() -> Self {
        Self::new(DatadogError::DATADOG_NULL_POINTER, "a pointer that must not be NULL is NULL")
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let code = match &error {
            AgentError::ConfigError(_) | AgentError::RemoteConfigError(_) => {
                DatadogError::DATADOG_CONFIG_ERROR
            }
            AgentError::InitError(_) => DatadogError::DATADOG_INIT_ERROR,
            AgentError::StartupError(_) => DatadogError::DATADOG_STARTUP_ERROR,
            AgentError::ShutdownError(_) => DatadogError::DATADOG_SHUTDOWN_ERROR,
            AgentError::IoError(_) | AgentError::Flush(_) => DatadogError::DATADOG_RUNTIME_ERROR,
            AgentError::Submission(SubmitError::Malformed) => {
                DatadogError::DATADOG_INVALID_DATA_FORMAT
            }
            AgentError::Submission(_) => DatadogError::DATADOG_SUBMISSION_ERROR,
            AgentError::NotAvailable(_) => DatadogError::DATADOG_NOT_AVAILABLE,
            _ => DatadogError::DATADOG_UNKNOWN_ERROR,
        };
        Self::new(code, error.to_string())
    }
}

/// Runs `work` and makes an error object of its failure; NULL for success.
pub(crate) fn answer(work: impl FnOnce() -> Result<(), Failure>) -> *mut corelane_error {
    match guarded(DatadogError::DATADOG_RUNTIME_ERROR, work) {
        Ok(()) => std::ptr::null_mut(),
        Err(failure) => {
            let message = failure.message.replace('\0', " ");
            let message = CString::new(message).unwrap_or_default();
            Box::into_raw(Box::new(corelane_error { code: failure.code, message }))
        }
    }
}

/// The code of an error; `DATADOG_OK` for NULL.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_error_code(error: *const corelane_error) -> DatadogError {
    // SAFETY: the caller promises that it is an error or NULL.
    unsafe { error.as_ref() }.map_or(DatadogError::DATADOG_OK, |error| error.code)
}

/// The message of an error, which is there until the error is freed; an empty one for NULL.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_error_message(error: *const corelane_error) -> *const c_char {
    // SAFETY: the caller promises that it is an error or NULL.
    unsafe { error.as_ref() }.map_or(c"".as_ptr(), |error| error.message.as_ptr())
}

/// Frees an error; NULL is fine.
///
/// # Safety
/// `error` is NULL or an error of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_error_free(error: *mut corelane_error) {
    if !error.is_null() {
        // SAFETY: it comes from `Box::into_raw`, as the caller promises.
        drop(unsafe { Box::from_raw(error) });
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn failures_and_panics_become_objects_that_c_can_read_and_free() {
        assert!(answer(|| Ok(())).is_null());
        let failed = answer(|| Err(Failure::new(DatadogError::DATADOG_CONFIG_ERROR, "a\0b")));
        let panicked = answer(|| panic!("no {}", "way"));
        for (error, code, text) in [
            (failed, DatadogError::DATADOG_CONFIG_ERROR, c"a b"),
            (panicked, DatadogError::DATADOG_RUNTIME_ERROR, c"panic: no way"),
            (std::ptr::null_mut(), DatadogError::DATADOG_OK, c""),
        ] {
            // SAFETY: an error of this library, or NULL.
            assert_eq!(unsafe { corelane_error_code(error) }, code);
            // SAFETY: as above.
            let message = unsafe { corelane_error_message(error) };
            // SAFETY: a message ends with a zero and is there until its error is freed.
            assert_eq!(unsafe { CStr::from_ptr(message) }, text);
            // SAFETY: it is not used any more.
            unsafe { corelane_error_free(error) };
        }
    }
}
