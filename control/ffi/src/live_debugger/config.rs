//! Endpoints of all tracks, as a handle.

use super::endpoint::ddog_Endpoint;
use super::error::ddog_MaybeError;
use super::guard::guarded;

/// Endpoints of all tracks.
#[derive(Debug, Default)]
#[expect(non_camel_case_types, reason = "a name of C")]
pub struct ddog_SenderConfig(pub(super) debugger::Config);

/// A configuration without endpoints. Free it with `ddog_live_debugger_sender_config_drop` unless
/// a sender was spawned with it.
#[unsafe(no_mangle)]
pub extern "C" fn ddog_live_debugger_sender_config_new() -> *mut ddog_SenderConfig {
    guarded(std::ptr::null_mut(), || Box::into_raw(Box::default()))
}

/// Sets the endpoint of snapshots, logs and diagnostics. `endpoint` is copied.
///
/// # Safety
/// Both are NULL or came from this library; nobody else uses `config`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_sender_config_set_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { change(config, endpoint, debugger::Config::set_endpoint) }
}

/// Sets the endpoint of symbol databases. `endpoint` is copied.
///
/// # Safety
/// Both are NULL or came from this library; nobody else uses `config`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_sender_config_set_symdb_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { change(config, endpoint, debugger::Config::set_symdb_endpoint) }
}

/// Adds an endpoint that gets copies of snapshots, logs and diagnostics. `endpoint` is copied.
///
/// # Safety
/// Both are NULL or came from this library; nobody else uses `config`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_sender_config_add_additional_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { change(config, endpoint, debugger::Config::add_additional_debugger_endpoint) }
}

/// Adds an endpoint that gets copies of symbol databases. `endpoint` is copied.
///
/// # Safety
/// Both are NULL or came from this library; nobody else uses `config`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_sender_config_add_additional_symdb_endpoint(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
) -> ddog_MaybeError {
    // SAFETY: the caller promises the same.
    unsafe { change(config, endpoint, debugger::Config::add_additional_symdb_endpoint) }
}

/// Frees a configuration. NULL is allowed.
///
/// # Safety
/// `config` is NULL or came from this library, was not freed, and no sender was spawned with it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ddog_live_debugger_sender_config_drop(config: *mut ddog_SenderConfig) {
    guarded((), || {
        if !config.is_null() {
            // SAFETY: not null, and owned as promised by the caller.
            drop(unsafe { Box::from_raw(config) });
        }
    });
}

/// # Safety
/// Both are NULL or came from this library; nobody else uses `config`.
unsafe fn change(
    config: *mut ddog_SenderConfig,
    endpoint: *const ddog_Endpoint,
    change: impl FnOnce(&mut debugger::Config, debugger::Endpoint),
) -> ddog_MaybeError {
    guarded(ddog_MaybeError::panicked(), || {
        // SAFETY: promised by the caller.
        let config = unsafe { config.as_mut() };
        // SAFETY: promised by the caller.
        let endpoint = unsafe { endpoint.as_ref() };
        let (Some(config), Some(endpoint)) = (config, endpoint) else {
            return ddog_MaybeError::some(&"config or endpoint is NULL");
        };
        change(&mut config.0, endpoint.0.clone());
        ddog_MaybeError::NoneError
    })
}
