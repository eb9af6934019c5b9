//! The configuration builder.

use std::ffi::c_char;

use native::config::Config;

use crate::error::{Failure, answer, corelane_error};
use crate::text;

/// A configuration that is being put together. Freed with `corelane_config_free`.
#[derive(Debug)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct corelane_config(pub(crate) Config);

/// A configuration with the defaults of an embedded agent: no DogStatsD, traces on 127.0.0.1:8126.
/// Values that are set win over the environment, that over files, whatever the order of calls.
/// NULL only when memory is gone.
#[unsafe(no_mangle)]
pub extern "C" fn corelane_config_new() -> *mut corelane_config {
    Box::into_raw(Box::new(corelane_config(Config::defaults_only())))
}

/// Frees a configuration; NULL is fine. Agents that were started with it keep what they need.
///
/// # Safety
/// `config` is NULL or a configuration of this library that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn corelane_config_free(config: *mut corelane_config) {
    if !config.is_null() {
        // SAFETY: it comes from `Box::into_raw`, as the caller promises.
        drop(unsafe { Box::from_raw(config) });
    }
}

/// Sets a key by its dotted path (`dogstatsd_port`) or its variable (`DD_DOGSTATSD_PORT`), with a
/// value in the form of a variable's. Keys are listed in docs/configuration.md.
///
/// # Safety
/// `config` is NULL or a configuration of this library; the texts are NULL or end with a zero.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_config_set(
    config: *mut corelane_config,
    key: *const c_char,
    value: *const c_char,
) -> *mut corelane_error {
    answer(|| {
        // SAFETY: the caller promises that it is a configuration or NULL.
        let config = unsafe { config.as_mut() }.ok_or_else(Failure::null)?;
        // SAFETY: the caller promises that it is a text or NULL.
        let key = unsafe { text::require(key) }?;
        // SAFETY: as above.
        let value = unsafe { text::require(value) }?;
        Ok(config.0.set(key, value)?)
    })
}

/// Reads a YAML file, over those read before. It is read at the start of an agent, which fails when
/// the file cannot be read.
///
/// # Safety
/// `config` is NULL or a configuration of this library; `path` is NULL or ends with a zero.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_config_load_yaml(
    config: *mut corelane_config,
    path: *const c_char,
) -> *mut corelane_error {
    answer(|| {
        // SAFETY: the caller promises that it is a configuration or NULL.
        let config = unsafe { config.as_mut() }.ok_or_else(Failure::null)?;
        // SAFETY: the caller promises that it is a text or NULL.
        config.0.add_yaml(unsafe { text::require(path) }?);
        Ok(())
    })
}

/// Reads the `DD_*` variables of the process as they are now.
///
/// # Safety
/// `config` is NULL or a configuration of this library. No other thread changes the environment
/// meanwhile.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn corelane_config_load_env(
    config: *mut corelane_config,
) -> *mut corelane_error {
    answer(|| {
        // SAFETY: the caller promises that it is a configuration or NULL.
        let config = unsafe { config.as_mut() }.ok_or_else(Failure::null)?;
        config.0.add_env();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{DatadogError, corelane_error_code, corelane_error_free};

    /// The code of an error, which is freed.
    fn code(error: *mut corelane_error) -> DatadogError {
        // SAFETY: an error of this library, or NULL.
        let code = unsafe { corelane_error_code(error) };
        // SAFETY: it is not used any more.
        unsafe { corelane_error_free(error) };
        code
    }

    #[test]
    fn a_configuration_is_checked_for_null_and_freed() {
        let (none, text) = (std::ptr::null_mut(), c"env".as_ptr());
        // SAFETY: NULL is an error.
        let on_nothing = code(unsafe { corelane_config_set(none, text, text) });
        assert_eq!(on_nothing, DatadogError::DATADOG_NULL_POINTER);
        let config = corelane_config_new();
        // SAFETY: a configuration of this library; NULL is an error.
        let without_value = code(unsafe { corelane_config_set(config, text, std::ptr::null()) });
        assert_eq!(without_value, DatadogError::DATADOG_NULL_POINTER);
        // SAFETY: as above; the literals end with a zero.
        let unknown = code(unsafe { corelane_config_set(config, c"no_such".as_ptr(), text) });
        assert_eq!(unknown, DatadogError::DATADOG_CONFIG_ERROR);
        // SAFETY: as above.
        let set = code(unsafe { corelane_config_set(config, text, c"prod".as_ptr()) });
        assert_eq!(set, DatadogError::DATADOG_OK);
        // SAFETY: as above.
        let read = code(unsafe { corelane_config_load_yaml(config, c"/a.yaml".as_ptr()) });
        assert_eq!(read, DatadogError::DATADOG_OK);
        // SAFETY: it is not used any more; NULL is fine.
        unsafe { corelane_config_free(config) };
        // SAFETY: as above.
        unsafe { corelane_config_free(none) };
    }
}
